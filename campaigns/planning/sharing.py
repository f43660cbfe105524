"""Whose turn it is: the one rule by which an account's limit is shared. Pure.

The sender asks it before each claim, the forecast asks it over virtual time, and the campaign page
asks it why nothing leaves now. Single mails come first (see `delivery.claim`); then campaigns, the
least served in the last 24 hours first, so that a small newsletter is not stuck behind a large one.
After a trouble they take turns, so that one which Gmail never serves does not come first for ever.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from campaigns.planning import pacing
from campaigns.planning.calendar import SendingHours, next_open
from campaigns.planning.pacing import Pace


class Reason(StrEnum):
    """Why nothing leaves now."""

    NOTHING_WAITS = "nothing_waits"
    NOT_CONNECTED = "not_connected"
    HALTED = "halted"
    RESTING = "resting"
    LIMIT = "limit"
    NO_LIMIT = "no_limit"
    NOT_STARTED = "not_started"
    OUTSIDE_HOURS = "outside_hours"
    BETWEEN_BURSTS = "between_bursts"
    TRY_LATER = "try_later"


@dataclass(frozen=True)
class Turn:
    """Either `campaign_id` may send one message now, or nothing may until `at`, for `reason`.

    `at` None: not before something else happens, such as a person connecting the account again.
    """

    campaign_id: int | None
    at: datetime | None
    reason: Reason | None = None


@dataclass(frozen=True)
class Room:
    """An account as the rule sees it: what campaigns may send in 24 hours, what is free now.

    `next_free_at` is when a full account has room again, as uses age and its limit grows; None
    when that cannot be known.
    `halted`: until something is found out, or a person decides.
    `troubled`: what was tried last came to nothing.
    """

    account_id: int
    zone: ZoneInfo
    limit: int
    free: int
    next_free_at: datetime | None = None
    connected: bool = True
    halted: bool = False
    resting_until: datetime | None = None
    troubled: bool = False


@dataclass
class Queue:
    """A campaign as one account sees it."""

    campaign_id: int
    starts_at: datetime
    hours: SendingHours = field(default_factory=SendingHours)
    pace: Pace = field(default_factory=Pace)
    # Claimed through this account so far, and when the last was.
    claims: int = 0
    last_claim_at: datetime | None = None
    # Of the account's last 24 hours.
    served: int = 0
    # Put back for later: the first moment at which anything may be tried again.
    not_before: datetime | None = None


def next_turn(room: Room, queues: list[Queue], now: datetime) -> Turn:
    """Whose turn it is at `now`, or when and why not."""
    if not queues:
        return Turn(None, None, Reason.NOTHING_WAITS)
    at, held_by = account_opens(room, now)
    if at is None:
        return Turn(None, None, held_by)
    ready = [queue for queue in queues if ready_at(queue, room, at)[0] == at]
    if at == now and ready:
        first = waited_longest(ready) if room.troubled else least_served(ready)
        return Turn(first.campaign_id, now)
    openings = [ready_at(queue, room, at) for queue in queues]
    known = [(moment, why) for moment, why in openings if moment is not None]
    if not known:
        return Turn(None, None, Reason.OUTSIDE_HOURS)
    moment, why = min(known, key=lambda opening: opening[0])
    # A message may be put off for longer than its account: that is no rest of the account's.
    return Turn(None, moment, why if why is Reason.TRY_LATER else held_by or why)


def next_turns(room: Room, queues: list[Queue], now: datetime, most: int) -> tuple[Turn, int]:
    """The next turn, and how many of the same campaign follow one another with it, `most` at most.

    The queues given are consumed: they count what has its turn as claimed.
    """
    turn = first = next_turn(room, queues, now)
    count, most = 0, min(most, room.free)
    while count < most and turn.campaign_id is not None and turn == first:
        count += 1
        served = next(queue for queue in queues if queue.campaign_id == first.campaign_id)
        served.claims += 1
        served.served += 1
        served.last_claim_at = now
        turn = next_turn(room, queues, now)
    return first, count


def account_opens(room: Room, now: datetime) -> tuple[datetime | None, Reason | None]:
    """When the account itself has room again, and what keeps it closed until then."""
    if not room.connected:
        return None, Reason.NOT_CONNECTED
    if room.halted:
        return None, Reason.HALTED
    if room.limit <= 0 and room.next_free_at is None:
        return None, Reason.NO_LIMIT
    at, reason = now, None
    if room.free <= 0:
        if room.next_free_at is None:
            return None, Reason.LIMIT
        at, reason = max(at, room.next_free_at), Reason.LIMIT
    if room.resting_until and room.resting_until > at:
        at, reason = room.resting_until, Reason.RESTING
    return at, reason


def ready_at(queue: Queue, room: Room, at: datetime) -> tuple[datetime | None, Reason | None]:
    """The first moment from `at` on at which the campaign itself may send, and what delays it."""
    moment, reason = at, None
    if queue.starts_at > moment:
        moment, reason = queue.starts_at, Reason.NOT_STARTED
    if queue.not_before and queue.not_before > moment:
        moment, reason = queue.not_before, Reason.TRY_LATER
    paced = pacing.next_claim_at(
        queue.pace, room.account_id, queue.claims, queue.last_claim_at, queue.hours, room.limit
    )
    if paced and paced > moment:
        moment, reason = paced, Reason.BETWEEN_BURSTS
    opens = next_open(queue.hours, moment, room.zone)
    if opens is None or opens > moment:
        return opens, Reason.OUTSIDE_HOURS
    return moment, reason


def least_served(queues: list[Queue]) -> Queue:
    return min(queues, key=lambda queue: (queue.served, queue.campaign_id))


def waited_longest(queues: list[Queue]) -> Queue:
    return min(
        queues, key=lambda queue: (queue.last_claim_at or queue.starts_at, queue.campaign_id)
    )
