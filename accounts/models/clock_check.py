"""What is known of one machine's clock, for one Gmail account."""

from datetime import datetime, timedelta

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.clock.rules import Doubt, Known, Reading, Trouble
from accounts.models.gmail_account import GmailAccount


class ClockCheck(models.Model):
    """One boot of a machine and one account, whose server is its witness.

    Written by `accounts.clock.watch`; what the fields mean is in `accounts.clock.rules.Known`.
    Differences are in seconds, and so is what a boot counts. Which difference a person accepted is
    the account's to know, `GmailAccount.clock_ahead`.
    """

    account = models.ForeignKey(GmailAccount, on_delete=models.CASCADE, related_name="clock_checks")
    # This boot of it, and its name for a person.
    machine = models.CharField(max_length=100)
    host = models.CharField(max_length=100)

    right_at = models.DateTimeField(null=True)
    right_boottime = models.FloatField(null=True)

    trouble = models.CharField(max_length=15, blank=True)
    by = models.FloatField(default=0)
    seen_at = models.DateTimeField(null=True)
    seen_boottime = models.FloatField(null=True)
    agreed_since = models.FloatField(null=True)
    # A person has said that the clock, as it was seen, is right.
    confirmed = models.BooleanField(default=False)
    # Of one that is not believed: since when a machine whose clock is has not seen it look again.
    unseen_since = models.DateTimeField(null=True)

    # The witness's last word: its moment, and ours, and when the boot had counted so far.
    theirs_at = models.DateTimeField(null=True)
    ours_at = models.DateTimeField(null=True)
    asked_boottime = models.FloatField(null=True)

    workspace_path = "account__workspace"

    class Meta:
        verbose_name = _("clock check")
        verbose_name_plural = _("clock checks")
        constraints = [
            models.UniqueConstraint(fields=["account", "machine"], name="clock_check_once")
        ]

    def __str__(self) -> str:
        return f"{self.account}: {self.host}"

    @property
    def known(self) -> Known:
        ahead = self.account.clock_ahead
        return Known(
            found_right=_reading(self.right_at, self.right_boottime),
            ahead=None if ahead is None else timedelta(seconds=ahead),
            doubt=Doubt(Trouble(self.trouble), timedelta(seconds=self.by))
            if self.trouble
            else None,
            seen=_reading(self.seen_at, self.seen_boottime),
            agreed_since=self.agreed_since,
        )

    @known.setter
    def known(self, known: Known) -> None:
        right, seen, doubt = known.found_right, known.seen, known.doubt
        self.right_at, self.right_boottime = (right.wall, right.boottime) if right else (None, None)
        self.trouble = doubt.trouble if doubt else ""
        self.by = doubt.by.total_seconds() if doubt else 0
        self.seen_at, self.seen_boottime = (seen.wall, seen.boottime) if seen else (None, None)
        self.agreed_since = known.agreed_since


def _reading(wall: datetime | None, boottime: float | None) -> Reading | None:
    return None if wall is None or boottime is None else Reading(wall, boottime)
