"""Messages in doubt, for tests of what follows."""

from datetime import datetime, timedelta

from django.utils import timezone

from accounts.models import GmailAccount, LedgerRow
from campaigns.delivery import claim as claims
from campaigns.delivery import outcomes
from campaigns.delivery.claim import Claim
from campaigns.delivery.handing_over import commit_handing_over
from campaigns.delivery.outcomes import SESSION_LIFE
from campaigns.models import HistoryEntry, Message
from tests.campaigns.claiming import claim_next

BYTES = b"Subject: as it was handed over\r\n\r\nOnce.\r\n"


def put_in_doubt(
    account: GmailAccount, at: datetime | None = None, *, raw: bytes = BYTES, why: str = "line lost"
) -> Message:
    """What leaves next from `account` was handed over and came into doubt, at `at`."""
    now = timezone.now()
    assert claims.take_account(account.pk, "me", now)
    claim = claim_next(account.pk, "me", now)
    assert isinstance(claim, Claim)
    assert commit_handing_over(claim, raw, now)
    outcomes.in_doubt(claim, why, at or now)
    if at is not None:
        Message.objects.filter(pk=claim.message_id).update(handed_over_at=at)
    claims.release_account(account.pk, "me")
    return fresh(claim.message_id)


def fresh(message: Message | int) -> Message:
    pk = message if isinstance(message, int) else message.pk
    return Message.objects.select_related("ledger_row", "campaign", "account").get(pk=pk)


def long_ago() -> datetime:
    """So long that the old session is over."""
    return timezone.now() - SESSION_LIFE - timedelta(seconds=1)


def kinds(message: Message) -> list[str]:
    return list(HistoryEntry.objects.filter(message=message).values_list("kind", flat=True))


def row_of(message: Message) -> LedgerRow:
    row = fresh(message).ledger_row
    assert row is not None
    return row
