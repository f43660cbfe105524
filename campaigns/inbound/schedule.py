"""Whose mailbox is to be read now."""

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q

from accounts.leases import is_free
from accounts.models import GmailAccount, LedgerRow
from campaigns.inbound.fetch import LEASE
from campaigns.models import Message

# So that what comes back is heard within a minute, while anything is likely to.
OFTEN = timedelta(seconds=40)
# An answer or an opt-out may come years later.
SELDOM = timedelta(minutes=10)
ACTIVE = timedelta(days=7)


def due(now: datetime) -> list[int]:
    """Accounts that something was sent from, that may be read, and were not read just now."""
    left = Message.objects.filter(account=OuterRef("pk"), handed_over_at__isnull=False)
    # By the ledger, which has an index for it and forgets.
    lately = LedgerRow.objects.filter(account=OuterRef("pk"), at__gt=now - ACTIVE).exclude(
        source=LedgerRow.Source.BY_HAND
    )
    readable = GmailAccount.objects.filter(state=GmailAccount.State.READY).exclude(
        inbound=GmailAccount.Inbound.NONE
    )
    is_due = _not_tried_since(now, SELDOM) & Exists(left) | _not_tried_since(now, OFTEN) & Exists(
        lately
    )
    accounts = readable.filter(is_due, is_free("inbound_until", now, LEASE))
    return list(accounts.order_by("inbound_tried_at", "pk").values_list("pk", flat=True))


def _not_tried_since(now: datetime, gap: timedelta) -> Q:
    """One that lies ahead was written by a clock that has been set back since."""
    return (
        Q(inbound_tried_at=None) | Q(inbound_tried_at__lte=now - gap) | Q(inbound_tried_at__gt=now)
    )
