"""An address that this workspace must not write to again."""

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Workspace


class Suppression(models.Model):
    class Reason(models.TextChoices):
        BY_HAND = "by_hand", _("added by hand")
        OPTED_OUT = "opted_out", _("asked not to be written to")
        BOUNCED = "bounced", _("address does not work")

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="suppressions")
    # Lower case, as Contact.email_key.
    email_key = models.CharField(_("e-mail address"), max_length=254)
    reason = models.CharField(_("reason"), max_length=10, choices=Reason, default=Reason.BY_HAND)
    note = models.TextField(_("note"), blank=True)
    created_at = models.DateTimeField(_("since"), auto_now_add=True)

    class Meta:
        verbose_name = _("suppression")
        verbose_name_plural = _("suppressions")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["workspace", "email_key"], name="suppression_unique")
        ]

    def __str__(self) -> str:
        return self.email_key

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.email_key = self.email_key.strip().lower()
        super().save(*args, **kwargs)
