"""What a person decides about a message where Daypost must not: it arrived, or it goes again.

Each is a conditional UPDATE: of two people who decide at once, one does it, and the other is told.
What may leave is decided anew when it is handed over: suppression, pause and cancel still count.
"""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from accounts.models import Halt, User
from campaigns import states
from campaigns.delivery import doubt, history
from campaigns.delivery.history import Kind
from campaigns.models import Campaign, Message

M = Message.State


class NotPossible(Exception):
    """Nothing was done. Its text is a sentence that says why."""


def it_arrived(message: Message, by: User | None, now: datetime) -> None:
    """In doubt -> sent, because a person has seen that it arrived. Raises NotPossible."""
    if not doubt.arrived(message, by, now):
        raise NotPossible(_by_now(message))


@transaction.atomic
def send_again(message: Message, by: User | None, now: datetime) -> None:
    """In doubt -> waiting: the same bytes leave once more. Raises NotPossible.

    Where they are gone because Gmail had said 250 before a limit notice came, it is written anew.
    Whoever has it already may get it twice, so only a person asks for it, and only once the old
    session with Gmail cannot deliver it any more. The first use of the limit counts on.
    """
    waits = _let_wait(
        message,
        Message.objects.filter(doubt.session_is_over(now), ~Exists(_unsure_clock())),
        M.IN_DOUBT,
        now,
        times_sent_again=F("times_sent_again") + 1,
        **doubt.OVER,
    )
    if not waits:
        raise NotPossible(why_not_send_again(_fresh(message), now) or _by_now(message))
    history.note(message.pk, Kind.SENT_AGAIN, now, by=by)


@transaction.atomic
def try_again(message: Message, by: User | None, now: datetime) -> None:
    """Refused -> waiting. Raises NotPossible."""
    if not _let_wait(message, Message.objects.all(), M.REFUSED, now):
        raise NotPossible(why_not_try_again(_fresh(message)) or _by_now(message))
    history.note(message.pk, Kind.TRIED_AGAIN, now, detail=message.reply, by=by)


def _let_wait(
    message: Message, rows: QuerySet[Message], source: M, now: datetime, **changes: Any
) -> int:
    """Move it to waiting, and its campaign back to sending, unless that was cancelled."""
    if message.campaign_id is not None and not states.reopen(message.campaign_id):
        return 0
    return states.move_messages(
        rows.filter(_can_be_written(), pk=message.pk),
        source,
        M.WAITING,
        not_before=now,
        attempts=0,
        reply="",
        **changes,
    )


def is_written_anew(message: Message) -> bool:
    """Whether "Send again" cannot send the same bytes, since they went once Gmail said 250."""
    return Message.objects.filter(pk=message.pk, raw=None).exists()


def _can_be_written() -> Q:
    """A campaign's can be rendered; of a single mail nothing is left once its bytes are gone, and
    whoever was erased is never written to again by it."""
    known = Q(campaign__isnull=False) | Q(raw__isnull=False)
    return known & ~Q(to_email="")


def _unsure_clock() -> QuerySet[Halt]:
    """A clock that jumped ahead would end the old session before its time."""
    clock = Halt.objects.filter(cause=Halt.Cause.CLOCK, ended_at=None)
    return clock.filter(account=OuterRef("account"))


# --- Why not, in words -----------------------------------------------------------------------


def why_not_send_again(message: Message, now: datetime) -> str:
    """A sentence; empty when it may be sent again. Told with a moment: `doubt.session_over_at`."""
    if message.state != M.IN_DOUBT:
        return _by_now(message)
    if _is_cancelled(message):
        return _("Its campaign was cancelled: nothing of it is sent any more.")
    possible = Message.objects.filter(pk=message.pk)
    if not possible.filter(_can_be_written()).exists():
        return _("Its content is kept no more, so it cannot be sent again.")
    if not possible.filter(doubt.session_is_over(now)).exists():
        return _("Not yet: Gmail may still be taking the first one.")
    if possible.filter(Exists(_unsure_clock())).exists():
        return _("Not now: the clock of this machine is not sure, so nobody knows how long ago.")
    return ""


def why_not_try_again(message: Message) -> str:
    """The same for what was refused."""
    if message.state != M.REFUSED:
        return _by_now(message)
    if _is_cancelled(message):
        return _("Its campaign was cancelled: nothing of it is sent any more.")
    if not Message.objects.filter(_can_be_written(), pk=message.pk).exists():
        return _("Its content is kept no more, so it cannot be sent again.")
    return ""


def _is_cancelled(message: Message) -> bool:
    return message.campaign is not None and message.campaign.state == Campaign.State.CANCELLED


def _by_now(message: Message) -> str:
    state = str(_fresh(message).get_state_display())
    return _("The message is %(state)s by now.") % {"state": state}


def _fresh(message: Message) -> Message:
    return Message.objects.select_related("campaign", "ledger_row").defer("raw").get(pk=message.pk)
