"""A clock was found to have been wrong: the moments that it wrote go with it.

Each app has one function for its own; that of `campaigns` hears of it by `carried`.
"""

from datetime import datetime, timedelta

from django.db.models import F, Q
from django.dispatch import Signal

from accounts import ledger
from accounts.models import GmailAccount, Rest

# Sent inside the transaction, with `account`, `by` and `now` as `carry` has them.
carried = Signal()

_OF_ACCOUNT = (
    "resting_until",
    "learned_at",
    "ramp_began_at",
    "sent_read_at",
    "sent_tried_at",
    "access_token_expires_at",
)


def carry(account: GmailAccount, by: timedelta, now: datetime) -> None:
    """What counts, and what is waited for, goes on doing so for as long as before.

    `by` is how far the clock was set ahead of what it showed before; nothing, where only what it
    showed meanwhile was wrong. `now` is its new moment. To be called inside a transaction, under
    the lock of the account's row.
    """
    # In the order in which whoever settles a message locks: the message, then its use of the limit.
    carried.send(sender=GmailAccount, account=account, by=by, now=now)
    ledger.carry(account, by, now)
    if by:
        mine = GmailAccount.objects.filter(pk=account.pk)
        mine.update(**{field: F(field) + by for field in _OF_ACCOUNT})
        lasting = Q(until=None) | Q(until__gt=ledger.counting_since(by, now))
        rests = Rest.objects.filter(lasting, account=account, ended_at=None)
        rests.update(began_at=F("began_at") + by, until=F("until") + by)
