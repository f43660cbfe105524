"""Reads Sent for mail written by hand, and knows what in it is ours."""

from datetime import datetime
from functools import partial

from accounts import by_hand
from campaigns.models import Message


def read_sent(account_id: int, now: datetime) -> int:
    """Count what the account's person wrote elsewhere; returns how many mails that is.

    Not to be called inside a transaction: it waits for the network, a minute or two at most.
    """
    return by_hand.read(account_id, partial(_ours, account_id), now)


def _ours(account_id: int, message_ids: set[str]) -> set[str]:
    """Those of messages that this account has a ledger row for, whatever became of them.

    One that was never claimed here and lies in Sent all the same left from a newer copy of this
    database: it counts as anybody else's.
    """
    mine = Message.objects.filter(account=account_id, ledger_row__isnull=False)
    return set(mine.filter(message_id__in=message_ids).values_list("message_id", flat=True))
