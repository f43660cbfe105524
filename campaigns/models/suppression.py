"""An address that this workspace must not write to again.

What counts is its hash: it stands for the address also when that was erased, so that nobody who
was forgotten is written to after an import.
"""

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Workspace
from campaigns.models.address_hash import LENGTH, address_hash


class Suppression(models.Model):
    class Reason(models.TextChoices):
        BY_HAND = "by_hand", _("added by hand")
        OPTED_OUT = "opted_out", _("asked not to be written to")
        BOUNCED = "bounced", _("address does not work")
        IMPORTED = "imported", _("brought from elsewhere")

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="suppressions")
    email_hash = models.CharField(max_length=LENGTH, editable=False)
    # Lower case, as Contact.email_key. Only for whoever looks; blank once it was erased.
    email_key = models.CharField(_("e-mail address"), max_length=254, blank=True)
    reason = models.CharField(_("reason"), max_length=10, choices=Reason, default=Reason.BY_HAND)
    note = models.TextField(_("note"), blank=True)
    created_at = models.DateTimeField(_("since"), auto_now_add=True)

    class Meta:
        verbose_name = _("suppression")
        verbose_name_plural = _("suppressions")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["workspace", "email_hash"], name="suppression_unique")
        ]

    def __str__(self) -> str:
        return self.email_key or str(_("an address that was erased"))

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.email_key = self.email_key.strip().lower()
        self.email_hash = self.email_hash or address_hash(self.email_key)
        super().save(*args, **kwargs)
