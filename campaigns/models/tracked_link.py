"""A link of a campaign whose clicks are counted."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from campaigns.models.campaign import Revision


class TrackedLink(models.Model):
    """Where it leads stands here alone, never in the address that is clicked."""

    revision = models.ForeignKey(Revision, on_delete=models.CASCADE, related_name="links")
    # The same in every message of the revision, from 1.
    number = models.PositiveIntegerField()
    url = models.TextField(_("link"))

    workspace_path = "revision__campaign__workspace"

    class Meta:
        verbose_name = _("link")
        verbose_name_plural = _("links")
        constraints = [
            models.UniqueConstraint(fields=["revision", "number"], name="tracked_link_unique")
        ]

    def __str__(self) -> str:
        return self.url
