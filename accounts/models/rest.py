"""A time in which an account did not send, and why: the history that its page shows."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.gmail_account import GmailAccount


class Rest(models.Model):
    """Written by `accounts.standing` beside the account's own state, which alone decides.

    `until` is when it was to go on by itself; None where that takes a person. `ended_at` is when
    it was over, None while it lasts or ran out by itself.
    """

    class Cause(models.TextChoices):
        LIMIT = "limit", _("Gmail's limit")
        TROUBLE = "trouble", _("passing trouble")
        RECONNECT = "reconnect", _("needs reconnecting")

    account = models.ForeignKey(GmailAccount, on_delete=models.CASCADE, related_name="rests")
    cause = models.CharField(max_length=10, choices=Cause)
    reason = models.TextField()
    began_at = models.DateTimeField()
    until = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    # Refusals in a row that made one rest longer and longer.
    times = models.PositiveIntegerField(default=1)

    workspace_path = "account__workspace"

    class Meta:
        verbose_name = _("rest")
        verbose_name_plural = _("rests")
        ordering = ["-began_at", "-id"]
        indexes = [models.Index(fields=["account", "-began_at"], name="rest_account_began")]

    def __str__(self) -> str:
        return f"{self.account}: {self.get_cause_display()}"
