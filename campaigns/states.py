"""The allowed moves of a campaign and of a message, and the only place that makes one.

A move is a conditional UPDATE: it says from where to where, and its row count says whether it
happened. Two workers that want the same move get one success.
"""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from accounts import standing
from accounts.models import GmailAccount
from campaigns.models import Campaign, Message

M = Message.State
C = Campaign.State

MESSAGE_MOVES: frozenset[tuple[str, str]] = frozenset(
    {
        (M.WAITING, M.CLAIMED),
        (M.WAITING, M.CANCELLED),
        # These only where the database was restored from an older copy: it had left already.
        (M.WAITING, M.SENT),
        (M.REFUSED, M.SENT),
        (M.CANCELLED, M.SENT),
        (M.CLAIMED, M.WAITING),
        (M.CLAIMED, M.SKIPPED),
        (M.CLAIMED, M.CANCELLED),
        (M.CLAIMED, M.REFUSED),
        (M.CLAIMED, M.HANDING_OVER),
        (M.HANDING_OVER, M.SENT),
        (M.HANDING_OVER, M.REFUSED),
        (M.HANDING_OVER, M.WAITING),
        (M.HANDING_OVER, M.IN_DOUBT),
        (M.IN_DOUBT, M.SENT),
        # These two only by a person's decision: `campaigns.decisions`.
        (M.IN_DOUBT, M.WAITING),
        (M.REFUSED, M.WAITING),
        # These two only by a limit notice: `campaigns.delivery.limit_notice`.
        (M.SENT, M.WAITING),
        (M.SENT, M.IN_DOUBT),
    }
)

CAMPAIGN_MOVES: frozenset[tuple[str, str]] = frozenset(
    {
        (C.DRAFT, C.SENDING),
        (C.SENDING, C.PAUSED),
        (C.PAUSED, C.SENDING),
        (C.SENDING, C.CANCELLED),
        (C.PAUSED, C.CANCELLED),
        (C.SENDING, C.FINISHED),
        # One of its messages waits again.
        (C.FINISHED, C.SENDING),
    }
)

# States from which a message still moves on by itself.
UNDER_WAY = (M.WAITING, M.CLAIMED, M.HANDING_OVER)

# States that count as done where it is told how far a campaign has come. What is in doubt asks for
# a look, and what was cancelled did not leave.
DONE = (M.SENT, M.REFUSED, M.SKIPPED)


class IllegalMove(RuntimeError):
    """Code asked for a move that the tables do not allow: a fault, never a matter of timing."""


def move_messages(rows: QuerySet[Message], source: str, target: str, **changes: Any) -> int:
    """Move those of `rows` that are in `source` to `target`; returns how many did.

    Raises IllegalMove when the table has no such move.
    """
    check_message_move(source, target)
    return rows.filter(state=source).update(state=target, **changes)


def check_message_move(source: str, target: str) -> None:
    """Raises IllegalMove when the table has no such move."""
    if (source, target) not in MESSAGE_MOVES:
        raise IllegalMove(f"A message cannot go from {source} to {target}.")


def move_campaign(campaign_id: int, source: str, target: str, **changes: Any) -> bool:
    """Move the campaign from `source` to `target`; False when it was not in `source` any more.

    Raises IllegalMove when the table has no such move.
    """
    if (source, target) not in CAMPAIGN_MOVES:
        raise IllegalMove(f"A campaign cannot go from {source} to {target}.")
    rows = Campaign.objects.filter(pk=campaign_id, state=source)
    moved = rows.update(state=target, **changes) == 1
    if moved and target == C.SENDING:
        standing.wake(GmailAccount.objects.filter(campaigns=campaign_id))
    return moved


@transaction.atomic
def finish_done(now: datetime, *campaign_ids: int) -> int:
    """Mark sending campaigns as finished of which no message moves on by itself any more.

    All of them, or only those given; returns how many.

    The campaign is locked before its messages are judged: whoever lets a message wait again locks
    it too, and would not be seen by a statement that had begun before.
    """
    under_way = Message.objects.filter(campaign=OuterRef("pk"), state__in=UNDER_WAY)
    done = Campaign.objects.filter(~Exists(under_way), state=C.SENDING)
    if campaign_ids:
        done = done.filter(pk__in=campaign_ids)
    locked = list(done.select_for_update().order_by("pk").values_list("pk", flat=True))
    if not locked:
        return 0
    return done.filter(pk__in=locked).update(state=C.FINISHED, finished_at=now)


@transaction.atomic
def reopen(campaign_id: int) -> bool:
    """Lock the campaign and let a message of it wait again: what had finished is sending.

    A paused one stays paused. False when it was cancelled: then nothing of it may wait. The
    message is to be moved in the same transaction.
    """
    campaign = Campaign.objects.select_for_update().get(pk=campaign_id)
    if campaign.state == C.FINISHED:
        move_campaign(campaign_id, C.FINISHED, C.SENDING, finished_at=None)
    return campaign.state != C.CANCELLED
