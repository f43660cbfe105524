"""What will leave on which day: the sender's own rule, run over virtual time. Pure.

Exact, message by message, as far as `STEPS` reach (weeks for a small instance, two days for 50
campaigns on two accounts); beyond that by count a day, so that the cost grows neither with the
number of recipients nor with that of campaigns. What leaves together is taken to leave at one
moment: 500 really take some minutes.
"""

import heapq
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from accounts import quota
from accounts.quota import Limits, Use
from campaigns.planning import pacing
from campaigns.planning.calendar import DAY, SendingHours, local_date, opening_of
from campaigns.planning.pacing import Pace
from campaigns.planning.sharing import (
    Queue,
    Room,
    Turn,
    least_served,
    next_turn,
    ready_at,
)

# A step is a look at one campaign; each turn looks at all of them.
STEPS = 20_000
# Beyond this a plan says nothing useful; it also ends a plan that would never finish.
HORIZON = timedelta(days=3650)
NO_CAMPAIGN = 0


@dataclass(frozen=True)
class Spent:
    """A use that counts at the start; `campaign_id` None for mail of no campaign."""

    at: datetime | None
    recipients: int = 1
    campaign_id: int | None = None
    single: bool = False


@dataclass
class PlannedAccount:
    account_id: int
    zone: ZoneInfo
    limits: Limits
    spent: list[Spent] = field(default_factory=list)
    connected: bool = True
    halted: bool = False
    resting_until: datetime | None = None


@dataclass
class PlannedCampaign:
    """`waiting` messages may use any account, `bound[account_id]` further ones only that one."""

    campaign_id: int
    starts_at: datetime
    accounts: list[int]
    waiting: int
    bound: dict[int, int] = field(default_factory=dict)
    hours: SendingHours = field(default_factory=SendingHours)
    pace: Pace = field(default_factory=Pace)
    # By account: claimed so far, and when the last was.
    progress: dict[int, tuple[int, datetime | None]] = field(default_factory=dict)
    not_before: dict[int, datetime] = field(default_factory=dict)

    def left(self) -> int:
        return self.waiting + sum(self.bound.values())


@dataclass(frozen=True)
class Departure:
    """`count` messages of one campaign through one account, at one moment or on one day."""

    at: datetime
    day: date
    account_id: int
    campaign_id: int
    count: int


@dataclass
class Forecast:
    """`unplanned`: by campaign, what no account can take as things stand."""

    departures: list[Departure] = field(default_factory=list)
    unplanned: dict[int, int] = field(default_factory=dict)

    def by_day(self, campaign_id: int | None = None) -> dict[date, int]:
        """Planned messages a day (in the sending account's zone), of one or all campaigns."""
        days = Counter[date]()
        for departure in self._of(campaign_id):
            days[departure.day] += departure.count
        return dict(sorted(days.items()))

    def finishes(self, campaign_id: int | None = None) -> datetime | None:
        """When the last one leaves; None when nothing waits or some of it cannot be planned."""
        if campaign_id is None and self.unplanned or campaign_id in self.unplanned:
            return None
        return max((departure.at for departure in self._of(campaign_id)), default=None)

    def next_at(self, campaign_id: int) -> datetime | None:
        return min((departure.at for departure in self._of(campaign_id)), default=None)

    def _of(self, campaign_id: int | None) -> Iterable[Departure]:
        if campaign_id is None:
            return self.departures
        return (one for one in self.departures if one.campaign_id == campaign_id)


def forecast(
    accounts: list[PlannedAccount],
    campaigns: list[PlannedCampaign],
    now: datetime,
    steps: int = STEPS,
) -> Forecast:
    """Run the plan from `now` until nothing waits, or nothing more can leave.

    The campaigns given are consumed: their counts are what is left at the end.
    """
    plan = Forecast()
    ledgers = {account.account_id: _Ledger(account, now) for account in accounts}
    turns = [(now, account.account_id) for account in accounts]
    heapq.heapify(turns)
    while turns and steps > 0:
        at, account_id = heapq.heappop(turns)
        steps -= max(len(campaigns), 1)
        next_at = _take_turn(ledgers[account_id], campaigns, at, plan)
        if next_at is not None and next_at < now + HORIZON:
            heapq.heappush(turns, (next_at, account_id))
    if turns:
        _by_day(ledgers, campaigns, min(turns)[0], now + HORIZON, plan)
    plan.unplanned = {one.campaign_id: one.left() for one in campaigns if one.left()}
    return plan


def _take_turn(
    ledger: "_Ledger", campaigns: list[PlannedCampaign], at: datetime, plan: Forecast
) -> datetime | None:
    """Everything that leaves through one account at `at`; returns when to look again."""
    account_id = ledger.account.account_id
    mine = {one.campaign_id: one for one in campaigns if _waits(one, account_id)}
    queues = [ledger.queue(one, at) for one in mine.values()]
    room = ledger.room(at)
    turn = next_turn(room, queues, at)
    if turn.campaign_id is None:
        return ledger.look_again_at(turn, at)
    ready = [queue for queue in queues if ready_at(queue, room, at)[0] == at]
    free = room.free
    while ready and free > 0:
        queue = least_served(ready)
        campaign = mine[queue.campaign_id]
        count = min(free, _waits(campaign, account_id), _until_next(queue, ready))
        allowed = pacing.allowance(queue.pace, queue.claims)
        count = count if allowed is None else min(count, allowed)
        free -= count
        queue.served += count
        queue.claims += count
        _leave(campaign, account_id, count)
        campaign.progress[account_id] = (queue.claims, at)
        ledger.add(at, count, queue.campaign_id)
        day = local_date(at, room.zone)
        plan.departures.append(Departure(at, day, account_id, queue.campaign_id, count))
        if count == allowed or not _waits(campaign, account_id):
            ready.remove(queue)
    return at


def _until_next(queue: Queue, ready: list[Queue]) -> int:
    """How many the least served may take before another's turn comes."""
    others = [other.served for other in ready if other is not queue]
    return max(min(others) - queue.served, 1) if others else 2**62


def _waits(campaign: PlannedCampaign, account_id: int) -> int:
    if account_id not in campaign.accounts:
        return 0
    return campaign.waiting + campaign.bound.get(account_id, 0)


def _leave(campaign: PlannedCampaign, account_id: int, count: int) -> None:
    """Take `count` away: what is bound to the account leaves first, as in the claim."""
    bound = min(campaign.bound.get(account_id, 0), count)
    if bound:
        campaign.bound[account_id] -= bound
    campaign.waiting -= count - bound


class _Ledger:
    """One account's window over virtual time: what counts, and whom it served."""

    def __init__(self, account: PlannedAccount, now: datetime) -> None:
        self.account = account
        self.limits = account.limits
        # What is reserved settles any moment now.
        spent = [
            (one.at or now, one.recipients, one.campaign_id or NO_CAMPAIGN) for one in account.spent
        ]
        # A heap by moment: a doubt may count from later than what was sent after it.
        self.uses = sorted(spent, key=_moment)
        self.singles = [one for one in account.spent if one.single]
        self.used = sum(recipients for _, recipients, _ in self.uses)
        self.served = Counter[int]()
        for _, recipients, campaign_id in self.uses:
            self.served[campaign_id] += recipients

    def add(self, at: datetime, count: int, campaign_id: int) -> None:
        self.limits = self.limits.begun(at)
        heapq.heappush(self.uses, (at, count, campaign_id))
        self.used += count
        self.served[campaign_id] += count

    def room(self, at: datetime) -> Room:
        self._forget(at)
        limit = self.limit(at)
        return Room(
            account_id=self.account.account_id,
            zone=self.account.zone,
            limit=limit,
            free=limit - self.used,
            next_free_at=self._next_free_at(limit, at),
            connected=self.account.connected,
            halted=self.account.halted,
            resting_until=self.account.resting_until,
        )

    def _next_free_at(self, limit: int, at: datetime) -> datetime | None:
        excess = self.used + 1 - limit
        if excess <= 0:
            return at
        # Mostly the oldest use makes room; only a limit that shrank needs a look at more of them.
        grows_at = self.limits.grows_at(at)
        if self.uses and limit > 0 and excess <= self.uses[0][1]:
            ends_at = quota.counts_until(self.uses[0][0])
            return ends_at if grows_at is None else min(ends_at, grows_at)
        uses = (Use(moment, recipients) for moment, recipients, _ in self.uses)
        return self.limits.free_at(uses, at, self.limits.kept_free(self._singles_used(at)))

    def limit(self, at: datetime) -> int:
        """What campaigns may fill at `at`."""
        return self.limits.for_campaigns(at, self._singles_used(at))

    def _singles_used(self, at: datetime) -> int:
        return quota.used(map(_use, self.singles), at)

    def look_again_at(self, turn: Turn, at: datetime) -> datetime | None:
        """A limit that grows makes the gaps between bursts shorter: it may come to that sooner."""
        if turn.at is None:
            return None
        return min(turn.at, self.limits.grows_at(at) or turn.at)

    def queue(self, campaign: PlannedCampaign, at: datetime) -> Queue:
        self._forget(at)
        account_id = self.account.account_id
        claims, last_claim_at = campaign.progress.get(account_id, (0, None))
        return Queue(
            campaign_id=campaign.campaign_id,
            starts_at=campaign.starts_at,
            hours=campaign.hours,
            pace=campaign.pace,
            claims=claims,
            last_claim_at=last_claim_at,
            served=self.served[campaign.campaign_id],
            not_before=campaign.not_before.get(account_id),
        )

    def _forget(self, at: datetime) -> None:
        """Drop what counts no more at `at`."""
        while self.uses and quota.counts_until(self.uses[0][0]) <= at:
            _, recipients, campaign_id = heapq.heappop(self.uses)
            self.used -= recipients
            self.served[campaign_id] -= recipients


def _moment(use: tuple[datetime, int, int]) -> datetime:
    return use[0]


def _use(spent: Spent) -> Use:
    return Use(spent.at, spent.recipients)


def _by_day(
    ledgers: dict[int, _Ledger],
    campaigns: list[PlannedCampaign],
    start: datetime,
    end: datetime,
    plan: Forecast,
) -> None:
    """The rest by count: each day every account carries its limit, shared evenly."""
    at = start
    while at < end and any(one.left() for one in campaigns):
        for account_id, ledger in ledgers.items():
            if ledger.account.connected and not ledger.account.halted:
                _plan_day(account_id, ledger, campaigns, at, plan)
        at += DAY


def _plan_day(
    account_id: int,
    ledger: _Ledger,
    campaigns: list[PlannedCampaign],
    at: datetime,
    plan: Forecast,
) -> None:
    day = local_date(at, ledger.account.zone)
    limit = free = ledger.limit(at)
    open_today = []
    for campaign in campaigns:
        opening = opening_of(campaign.hours, day, ledger.account.zone)
        if opening and _waits(campaign, account_id) and campaign.starts_at < opening[1]:
            open_today.append((campaign, opening))
    while free > 0 and open_today:
        share = max(free // len(open_today), 1)
        for campaign, (opens, closes) in list(open_today):
            count = min(share, free, _waits(campaign, account_id))
            if count:
                _leave(campaign, account_id, count)
                ledger.limits = ledger.limits.begun(at)
                free -= count
                leaves = opens + (closes - opens) * ((limit - free) / limit)
                plan.departures.append(
                    Departure(leaves, day, account_id, campaign.campaign_id, count)
                )
            if not _waits(campaign, account_id):
                open_today.remove((campaign, (opens, closes)))
