"""When and how a contact agreed to be written to, or took that back: the proof (GDPR Article 7)."""

from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from campaigns.models.contact import Contact


class ConsentRecord(models.Model):
    """Only ever added to; it goes with its contact, when that is erased."""

    class Kind(models.TextChoices):
        GIVEN = "given", _("agreed")
        WITHDRAWN = "withdrawn", _("took it back")

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="consent_records")
    kind = models.CharField(max_length=10, choices=Kind)
    # Where it comes from: a file, a person of the workspace, a page.
    source = models.CharField(_("source"), max_length=300)
    # The words that were agreed to, or in which the consent was described.
    wording = models.TextField(_("wording"), blank=True)
    at = models.DateTimeField(_("when"))
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )

    workspace_path = "contact__workspace"

    class Meta:
        verbose_name = _("consent record")
        verbose_name_plural = _("consent records")
        ordering = ["at", "id"]

    def __str__(self) -> str:
        return f"{self.contact}: {self.kind}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.pk is not None:
            raise TypeError("A consent record is never changed: add another.")
        super().save(*args, **kwargs)
