"""A time in which nothing may leave through an account, until it is known to be safe again."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models.gmail_account import GmailAccount


class Halt(models.Model):
    """Unlike a rest it does not run out: something must be found out first, or a person decides.

    Written by `accounts.halts`. One of each cause at a time.
    """

    class Cause(models.TextChoices):
        # The machine's clock cannot be believed, and with it no window of 24 hours.
        CLOCK = "clock", _("the clock is not sure")
        # The database is older than what was sent: some of what waits has left already.
        RESTORED = "restored", _("restored from an older copy")

    account = models.ForeignKey(GmailAccount, on_delete=models.CASCADE, related_name="halts")
    cause = models.CharField(max_length=10, choices=Cause)
    reason = models.TextField()
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    # Of one that may end by itself: when somebody last looked whether it can, what came of that in
    # words for a person, and whether this account is no longer in the way.
    looked_at = models.DateTimeField(null=True)
    found = models.TextField(blank=True)
    is_clear = models.BooleanField(default=False)

    workspace_path = "account__workspace"

    class Meta:
        verbose_name = _("halt")
        verbose_name_plural = _("halts")
        ordering = ["-began_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "cause"], condition=Q(ended_at=None), name="halt_once_a_cause"
            )
        ]

    def __str__(self) -> str:
        return f"{self.account}: {self.get_cause_display()}"
