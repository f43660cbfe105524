"""What follows from a limit notice: Gmail took a message with 250, and wrote later it was not sent.

"You have reached a limit for sending mail. Your message was not sent." comes by mail, and a copy
lies in Sent all the same. Whoever reads such a notice hands it to `apply`.

What it names by Message-ID waits again. What it may only mean is held for a person: to send on a
guess would be to send twice. Uses of the limit go on counting: Gmail said 250, and whether it
counts what it did not send nobody knows, so nothing is refunded on a guess.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from accounts import generation, standing
from accounts.standing import CLOCKS_APART
from campaigns import states
from campaigns.delivery import doubt, history
from campaigns.delivery.history import Kind
from campaigns.models import Message

M = Message.State

# How long before its notice a message may have left: one that it names by its recipient, and one
# that it does not name at all.
NAMED_BY_RECIPIENT = timedelta(hours=24)
NOT_NAMED = timedelta(minutes=15)


@dataclass(frozen=True)
class Notice:
    """One notice, as it was read.

    `at` is its own Date, so that two notices are told apart by one clock. `message_ids`: those of
    the mail that it is about, with angle brackets; `recipients`: whom that was to. Both may be
    empty. `said`: its words.
    """

    at: datetime
    message_ids: frozenset[str] = frozenset()
    recipients: frozenset[str] = frozenset()
    said: str = ""


@dataclass(frozen=True)
class Consequences:
    """`come_again`: what it may be about is just being handed over; apply it once more later."""

    put_back: int = 0
    held: int = 0
    come_again: bool = False


def apply(account_id: int, notice: Notice, now: datetime) -> Consequences:
    """Put back what `notice` names, hold what it may mean, and let the account rest.

    Harmless when done twice, also after what it named has left again. The account rests first:
    what waits again must not leave before.
    """
    reason = _(
        "Gmail wrote by mail that the limit of this account is reached, and did not send what it "
        "had taken. Daypost goes on by itself, and nothing is lost."
    )
    not_sent = max(len(notice.message_ids), 1)
    standing.limit_noticed(account_id, reason, notice.at, now, not_sent)
    put_back = held = 0
    rows = _meant(account_id, notice)
    for message in list(rows.filter(state__in=(M.SENT, M.IN_DOUBT)).order_by("id")):
        if notice.message_ids and _may_leave_again(message):
            put_back += _put_back(message, notice, now)
        else:
            held += _hold(message, notice, now)
    return Consequences(put_back, held, rows.filter(state=M.HANDING_OVER).exists())


def _meant(account_id: int, notice: Notice) -> QuerySet[Message]:
    """What the notice is or may be about, unless it has had this notice before."""
    before = notice.at + CLOCKS_APART
    rows = Message.objects.filter(account=account_id, handed_over_at__lte=before).defer("raw")
    # Who was erased is not written to again, whatever Gmail did with the first.
    rows = rows.filter(_not_noticed_since(notice.at)).exclude(to_email="")
    if notice.message_ids:
        return rows.filter(message_id__in=notice.message_ids)
    # What had another notice already is with its person.
    rows = rows.filter(noticed_at=None)
    if notice.recipients:
        to_them = Q()
        for address in notice.recipients:
            to_them |= Q(to_email__iexact=address)
        return rows.filter(to_them, handed_over_at__gt=notice.at - NAMED_BY_RECIPIENT)
    return rows.filter(handed_over_at__gt=notice.at - NOT_NAMED)


def _not_noticed_since(at: datetime) -> Q:
    return Q(noticed_at=None) | Q(noticed_at__lt=at)


def _may_leave_again(message: Message) -> bool:
    """Not what was sent again out of a doubt: of its tries only one was not sent, perhaps.

    Of a single mail nothing is left, and no message in doubt goes again by itself.
    """
    once = message.times_sent_again == 0
    return (
        message.state == M.SENT
        and message.campaign_id is not None
        and once
        and not _left_before_copy(message)
    )


def _left_before_copy(message: Message) -> bool:
    """Whether this is an older copy of the database, from after the message had left.

    What was done about its notice since then is not known: it may have left again already.
    """
    copied_at = generation.copied_at()
    handed_over_at = message.handed_over_at
    return copied_at is not None and handed_over_at is not None and handed_over_at <= copied_at


@transaction.atomic
def _put_back(message: Message, notice: Notice, now: datetime) -> int:
    """Sent -> waiting, as the same message; cancelled where its campaign is."""
    if message.campaign_id is None or not _same(message, notice).exists():
        return 0
    may_wait = states.reopen(message.campaign_id)
    moved = states.move_messages(
        _same(message, notice),
        M.SENT,
        M.WAITING,
        reply=_("Gmail took it and wrote later that it was not sent: its limit was reached."),
        sent_at=None,
        not_before=now,
        noticed_at=notice.at,
    )
    if moved:
        history.note(message.pk, Kind.NOT_SENT, now, notice.said)
    if moved and not may_wait:
        rows = Message.objects.filter(pk=message.pk)
        states.move_messages(rows, M.WAITING, M.CANCELLED)
    return moved


@transaction.atomic
def _hold(message: Message, notice: Notice, now: datetime) -> int:
    """In doubt, for a person at once: its copy in Sent proves nothing.

    The bytes of one that was sent are gone; "Send again" writes it anew from its campaign.
    """
    changes = {**doubt.held_by_notice(now), "noticed_at": notice.at}
    if message.state == M.SENT:
        moved = states.move_messages(
            _same(message, notice), M.SENT, M.IN_DOUBT, sent_at=None, **changes
        )
    else:
        changes["doubt_since"] = message.doubt_since or now
        moved = _same(message, notice).update(**changes)
    if moved:
        kind = Kind.NOT_SENT if notice.message_ids else Kind.MAY_BE_NOT_SENT
        history.note(message.pk, kind, now, notice.said)
    return moved


def _same(message: Message, notice: Notice) -> QuerySet[Message]:
    """The message, unless it has moved on or had this notice since it was read."""
    rows = Message.objects.filter(pk=message.pk, state=message.state)
    return rows.filter(_not_noticed_since(notice.at), ledger_row=message.ledger_row_id)
