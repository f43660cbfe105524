"""A doubt from its beginning to its end: how long Sent is asked, and when a person is.

Gmail files a copy of what it accepted. Found: sent. Not found: copies can be late, so it is asked
again for 15 minutes; absence is evidence, not proof, so then it is held for a person. The asking
itself is `sent_search`. Each function is one transaction, and changes nothing any more once the
doubt was ended by somebody else.
"""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils.text import capfirst

from accounts import ledger
from accounts.models import GmailAccount, LedgerRow, User
from campaigns import states
from campaigns.delivery import history
from campaigns.delivery.history import Kind
from campaigns.models import Message

M = Message.State
Held = Message.Held

# Absence means nothing before: copies were seen 10 to 60 seconds late.
PATIENCE = timedelta(minutes=15)
# A mailbox that cannot be read is no answer; after so long a person had better know.
UNREADABLE_FOR = timedelta(hours=1)

# Each look is as far from the last as that was from the beginning, within these.
FIRST_LOOK = timedelta(seconds=30)
LONGEST_GAP = timedelta(minutes=5)
# While it is held because the mailbox cannot be read.
GAP_WHILE_HELD = timedelta(hours=1)

# What a message carries that is not in doubt.
OVER: dict[str, Any] = {
    "doubt_since": None,
    "look_again_at": None,
    "held_at": None,
    "held_why": "",
}


def beginning(message_id: int, account_id: int, now: datetime) -> dict[str, Any]:
    """What a message carries that comes into doubt at `now`.

    Where its mailbox is not read by IMAP nobody can look: it is held at once. (POP shows no Sent
    folder.) `look_again_at` stays due, for the day on which reading is switched to IMAP.
    """
    if Message.objects.filter(pk=message_id, noticed_at__isnull=False).exists():
        return held_by_notice(now)
    account = GmailAccount.objects.filter(pk=account_id)
    if account.filter(inbound=GmailAccount.Inbound.IMAP).exists():
        return {**OVER, "doubt_since": now, "look_again_at": now + FIRST_LOOK}
    return {
        "doubt_since": now,
        "look_again_at": now,
        "held_at": now,
        "held_why": Held.NOT_READ,
    }


def held_by_notice(now: datetime) -> dict[str, Any]:
    """The same where a limit notice was about it: nobody looks, since a copy proves nothing."""
    return {
        "doubt_since": now,
        "look_again_at": None,
        "held_at": now,
        "held_why": Held.LIMIT_NOTICE,
    }


def is_looked_for(now: datetime | None = None) -> Q:
    """Messages in doubt that Sent is to be asked for at `now`, or may be asked for at all."""
    due = Q(look_again_at__lte=now)
    if now is None:
        due = Q(look_again_at__isnull=False) | Q(held_why=Held.NOT_FOUND)
    readable = Q(account__inbound=GmailAccount.Inbound.IMAP)
    return due & Q(state=M.IN_DOUBT) & (readable | Q(held_at=None))


# --- What a look comes to --------------------------------------------------------------------


@transaction.atomic
def found(message: Message, now: datetime) -> bool:
    """Gmail's own copy shows that it took the message. Its use of the limit counts as it did.

    Nothing happens to one that is not in doubt.
    """
    if not _end_as_sent(_still_looked_for(message), message, now):
        return False
    history.note(message.pk, Kind.FOUND, now)
    return True


@transaction.atomic
def not_found(message: Message, now: datetime) -> None:
    """A whole look that began at `now` found no copy."""
    if _still_looked_for(message).select_for_update().values_list("pk").first() is None:
        return
    history.note(message.pk, Kind.NOT_FOUND, now)
    since = message.doubt_since or now
    if now < since + PATIENCE:
        again_at = min(now + _gap(since, now), since + PATIENCE)
        _still_looked_for(message).update(look_again_at=again_at, held_at=None, held_why="")
    else:
        # One more look once nothing can arrive any more, which is when it may be sent again.
        over_at = session_over_at(message)
        last_look = over_at if over_at is not None and over_at > now else None
        hold(message, Held.NOT_FOUND, now, last_look)


@transaction.atomic
def not_readable(message: Message, why: str, now: datetime) -> None:
    """The mailbox could not be asked at `now`, for the reason `why`."""
    since = message.doubt_since or now
    if message.held_at is None and now < since + UNREADABLE_FOR:
        _still_looked_for(message).update(look_again_at=now + _gap(since, now))
    elif message.held_why == Held.NOT_FOUND:
        _still_looked_for(message).update(look_again_at=now + GAP_WHILE_HELD)
    else:
        hold(message, Held.UNREADABLE, now, now + GAP_WHILE_HELD, why)


@transaction.atomic
def hold(
    message: Message, why: Held, now: datetime, again_at: datetime | None, detail: str = ""
) -> None:
    """From now on it is for a person to end this doubt; a look may still do it at `again_at`."""
    held_at = message.held_at or now
    changed = _still_looked_for(message).update(
        held_at=held_at, held_why=why, look_again_at=again_at
    )
    if changed and message.held_why != why:
        history.note(message.pk, Kind.HELD, now, detail or capfirst(str(why.label)))


# --- What a person may do --------------------------------------------------------------------


@transaction.atomic
def arrived(message: Message, by: User | None, now: datetime) -> bool:
    """A person says so. False when it is not in doubt any more."""
    if not _end_as_sent(_same_doubt(message), message, now):
        return False
    history.note(message.pk, Kind.ARRIVED, now, by=by)
    return True


def session_over_at(message: Message) -> datetime | None:
    """The last moment at which what was handed over may still be accepted; None when it is past.

    It is the one from which the ledger counts it.
    """
    return message.ledger_row.at if message.ledger_row is not None else None


def session_is_over(now: datetime) -> Q:
    """Messages that the old session with Gmail cannot deliver any more.

    No join: on PostgreSQL a condition of an UPDATE is judged anew, after waiting for another, only
    where it stands beside the row itself.
    """
    may_live = LedgerRow.objects.filter(pk=OuterRef("ledger_row")).exclude(at__lte=now)
    return Q(~Exists(may_live))


def _end_as_sent(rows: QuerySet[Message], message: Message, now: datetime) -> bool:
    moved = states.move_messages(
        rows,
        M.IN_DOUBT,
        M.SENT,
        sent_at=Coalesce(F("handed_over_at"), now),
        reply="",
        raw=None,
        **OVER,
    )
    if moved and message.ledger_row_id is not None:
        ledger.accept_after_all(message.ledger_row_id)
    return moved == 1


def _same_doubt(message: Message) -> QuerySet[Message]:
    """The message, unless this doubt is over: every handing over has a ledger row of its own."""
    rows = Message.objects.filter(pk=message.pk, ledger_row=message.ledger_row_id)
    return rows.filter(state=M.IN_DOUBT)


def _still_looked_for(message: Message) -> QuerySet[Message]:
    """Unless a limit notice came while it was looked for: then a copy proves nothing any more."""
    return _same_doubt(message).filter(noticed_at=message.noticed_at)


def _gap(since: datetime, now: datetime) -> timedelta:
    return min(max(now - since, FIRST_LOOK), LONGEST_GAP)
