"""One use of an account's limit, whoever caused it."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models.gmail_account import GmailAccount


class LedgerRow(models.Model):
    """Reserved, then settled once. Nothing is refunded on a guess.

    `at` is the moment from which the 24 hours run: the latest moment at which Gmail may have
    accepted the message. A reserved row has none yet and counts fully.
    """

    class State(models.TextChoices):
        RESERVED = "reserved", _("reserved")
        ACCEPTED = "accepted", _("accepted")
        VOID = "void", _("not accepted")
        UNKNOWN = "unknown", _("unknown")

    class Source(models.TextChoices):
        CAMPAIGN = "campaign", _("campaign")
        TRANSACTIONAL = "transactional", _("transactional")
        SYSTEM = "system", _("Daypost itself")
        TEST = "test", _("test")
        BY_HAND = "by_hand", _("written by hand")

    account = models.ForeignKey(GmailAccount, on_delete=models.PROTECT, related_name="ledger")
    source = models.CharField(max_length=15, choices=Source)
    # The campaign that this use serves, for sharing the limit; the ledger knows no campaigns.
    campaign_ref = models.BigIntegerField(null=True)
    recipients = models.PositiveIntegerField(default=1)
    state = models.CharField(max_length=10, choices=State, default=State.RESERVED)
    reserved_at = models.DateTimeField()
    at = models.DateTimeField(null=True)

    workspace_path = "account__workspace"

    class Meta:
        verbose_name = _("ledger row")
        verbose_name_plural = _("ledger")
        indexes = [models.Index(fields=["account", "at"], name="ledger_account_at")]
        constraints = [
            models.CheckConstraint(
                condition=Q(state="reserved", at__isnull=True)
                | Q(state="void")
                | Q(state__in=["accepted", "unknown"], at__isnull=False),
                name="ledger_counts_from_a_moment",
            )
        ]

    def __str__(self) -> str:
        return f"{self.account}: {self.recipients} {self.state}"
