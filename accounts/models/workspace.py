"""The tenant: people, contacts, templates, campaigns and Gmail accounts that belong together."""

import zoneinfo

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _


def machine_time_zone() -> str:
    return settings.TIME_ZONE


def validate_time_zone(name: str) -> None:
    if name not in zoneinfo.available_timezones():
        raise ValidationError(
            _("%(name)s is not a time zone. Choose one such as Europe/London.") % {"name": name}
        )


class Workspace(models.Model):
    name = models.CharField(_("name"), max_length=200, unique=True)
    postal_address = models.TextField(
        _("postal address"),
        blank=True,
        help_text=_("Stands at the foot of every campaign mail, as the law asks."),
    )
    time_zone = models.CharField(
        _("time zone"), max_length=64, default=machine_time_zone, validators=[validate_time_zone]
    )
    soft_bounces = models.PositiveSmallIntegerField(
        _("failures in a row until an address is suppressed"),
        default=3,
        help_text=_(
            "Of mail that could not be delivered for a passing reason, such as a full mailbox, "
            "each in another campaign. 0: never."
        ),
    )
    created_at = models.DateTimeField(auto_now_add=True)

    workspace_path = "pk"

    class Meta:
        verbose_name = _("workspace")
        verbose_name_plural = _("workspaces")

    def __str__(self) -> str:
        return self.name
