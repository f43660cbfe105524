"""A mail that was looked at by POP, which has no numbers to remember how far one has come."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.gmail_account import GmailAccount


class SeenMail(models.Model):
    """By its unique-id (RFC 1939 section 7), as long as the server lists it; nothing else of it."""

    account = models.ForeignKey(GmailAccount, on_delete=models.CASCADE, related_name="seen_mail")
    # At most 70 characters, none of them a space.
    uidl = models.CharField(max_length=70)

    workspace_path = "account__workspace"

    class Meta:
        verbose_name = _("mail that was looked at")
        verbose_name_plural = _("mail that was looked at")
        constraints = [models.UniqueConstraint(fields=["account", "uidl"], name="seen_mail_once")]

    def __str__(self) -> str:
        return f"{self.account}: {self.uidl}"
