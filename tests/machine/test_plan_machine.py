"""The pure core of delivery: whose turn it is and what is free, with nothing but values.

Hypothesis draws campaigns, claims and what becomes of them, limits that change and time. Gmail's
own window judges what was accepted; what the rule says of later must come true, and no sooner.
"""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from itertools import count
from zoneinfo import ZoneInfo

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from accounts import quota
from accounts.quota import Growth, Limits
from campaigns.planning.calendar import SendingHours
from campaigns.planning.pacing import Pace
from campaigns.planning.sharing import Queue, Room, Turn, next_turn
from tests.machine import gmail
from tests.machine.examples import examples
from tests.machine.gmail import Mailbox

# The day before Europe's clocks go back.
START = datetime(2026, 10, 24, 12, tzinfo=UTC)
ZONE = ZoneInfo("Europe/Berlin")
SESSION_LIFE = timedelta(minutes=30)
DAY = timedelta(days=1)

HOURS = (
    SendingHours(),
    SendingHours(start=time(9), end=time(17)),
    SendingHours(frozenset({0, 3, 6}), start=time(1), end=time(4)),
)

HOURS_PASS = (0.001, 0.02, 0.2, 0.4, 0.8, 3, 7, 12, 23, 24, 24.001, 50)

# What happens, the more often the more often it is named.
HAPPENS = (
    *("claim", "accept", "pass_time") * 4,
    *("lose_answer", "land") * 2,
    *("launch", "pause_or_resume", "refuse", "set_limit", "hear_of_the_limit"),
)
some = st.integers(0, 11)


@dataclass
class Campaign:
    queue: Queue
    waiting: int
    sending: bool = True


@dataclass(eq=False)
class Taken:
    """A claim. `at` is None until it is settled; `in_flight_until`: Gmail may accept it so long."""

    number: int
    campaign: Campaign
    limit: int
    at: datetime | None = None
    in_flight_until: datetime | None = None
    accepted: bool = False
    recipients: int = 1


@dataclass
class Account:
    limits: Limits
    taken: list[Taken] = field(default_factory=list)
    resting_until: datetime | None = None


class PlanMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.number = count(1)
        self.mailbox = Mailbox()
        self.campaigns: list[Campaign] = []

    @initialize(
        limit=st.integers(1, 12), ramp=st.none() | st.integers(1, 6), reserve=st.integers(0, 2)
    )
    def connect(self, limit: int, ramp: int | None, reserve: int) -> None:
        growth = None if ramp is None else Growth(ramp + 1, percent=20)
        self.account = Account(Limits(limit + 1, ramp=growth, reserve_by_hand=reserve))
        self.launch(1, 4)

    @rule(what=st.sampled_from(HAPPENS), which=some, much=some)
    def happens(self, what: str, which: int, much: int) -> None:
        getattr(self, what)(which, much)

    def launch(self, which: int, much: int) -> None:
        starts_at = self.now + timedelta(hours=(0, 0, 7, 30)[much % 4])
        hours, seed = HOURS[which % len(HOURS)], None if which % 2 else which
        queue = Queue(next(self.number), starts_at, hours, Pace(seed))
        if len(self.campaigns) < 3:
            self.campaigns.append(Campaign(queue, waiting=1 + 2 * much))

    def pause_or_resume(self, which: int, much: int) -> None:
        campaign = self.campaigns[which % len(self.campaigns)]
        campaign.sending = not campaign.sending

    def claim(self, which: int, much: int) -> None:
        for _ in range(1 + much % 4):
            self._claim(self._turn(self.now))

    def accept(self, which: int, much: int) -> None:
        """Gmail takes it, and says so."""
        for taken in self._one_open(which):
            self._accept(taken)

    def refuse(self, which: int, much: int) -> None:
        """Gmail certainly did not take it: it waits again, and never counted."""
        for taken in self._one_open(which):
            self.account.taken.remove(taken)
            taken.campaign.waiting += 1

    def lose_answer(self, which: int, much: int) -> None:
        """It counts from the last moment at which Gmail may take it."""
        for taken in self._one_open(which):
            taken.at = taken.in_flight_until = self.now + SESSION_LIFE

    def land(self, which: int, much: int) -> None:
        """Gmail takes what is in flight, and nobody hears of it."""
        flying = [
            taken
            for taken in self.account.taken
            if not taken.accepted and taken.in_flight_until and self.now <= taken.in_flight_until
        ]
        if flying:
            self._gmail_takes(flying[which % len(flying)])

    def set_limit(self, which: int, much: int) -> None:
        self.account.limits = replace(self.account.limits, limit=1 + which)

    def hear_of_the_limit(self, which: int, much: int) -> None:
        """Gmail says that it is reached: less is in force, and the account rests."""
        used = quota.used(self._uses(), self.now)
        taught = self.account.limits.taught(used, self.now)
        if taught is not None:
            learned = Growth(taught, percent=10, began_at=self.now)
            self.account.limits = replace(self.account.limits, learned=learned)
        self.account.resting_until = self.now + DAY

    def pass_time(self, which: int, much: int) -> None:
        self.now += timedelta(hours=HOURS_PASS[which])

    # --- What must hold -----------------------------------------------------------------------

    @invariant()
    def the_ledger_counts_what_gmail_counts(self) -> None:
        used = quota.used(self._uses(), self.now)
        assert used >= self.mailbox.counted(self.now)

    @invariant()
    def what_it_says_of_later_comes_true_and_no_sooner(self) -> None:
        """Asked again when it said, it is somebody's turn; asked on the way there, nobody's."""
        at = self.now
        for _ in range(60):
            turn = self._turn(at)
            if turn.campaign_id is not None or turn.at is None:
                return
            assert turn.at > at, "it would ask again at once, for ever"
            for part in (0.3, 0.999):
                assert self._turn(at + (turn.at - at) * part).campaign_id is None, "waits too long"
            at = turn.at
        raise AssertionError("it is nobody's turn, however often it is asked")

    @invariant()
    def it_is_the_turn_of_the_least_served(self) -> None:
        turn = self._turn(self.now)
        if turn.campaign_id is None:
            return
        alone = [one for one in self._queues(self.now) if self._turn_of([one]).campaign_id]
        least = min(alone, key=lambda one: (one.served, one.campaign_id))
        assert turn.campaign_id == least.campaign_id

    def teardown(self) -> None:
        """Everything leaves, sooner or later."""
        if not hasattr(self, "account"):
            return
        for campaign in self.campaigns:
            campaign.sending = True
        for taken in self._open():
            self._accept(taken)
        for _ in range(2_000):
            turn = self._turn(self.now)
            if turn.campaign_id is not None:
                self._claim(turn)
                self._accept(self.account.taken[-1])
            elif turn.at is not None:
                self.now = turn.at
            else:
                break
        left = sum(campaign.waiting for campaign in self.campaigns)
        assert not left or not self._ever_has_room(), "stuck"

    # --- As the claim does it -----------------------------------------------------------------

    def _turn(self, now: datetime) -> Turn:
        return next_turn(self._room(now), self._queues(now), now)

    def _turn_of(self, queues: list[Queue]) -> Turn:
        return next_turn(self._room(self.now), queues, self.now)

    def _room(self, now: datetime) -> Room:
        uses, limits = self._uses(), self.account.limits
        limit = limits.for_campaigns(now)
        return Room(
            account_id=1,
            zone=ZONE,
            limit=limit,
            free=limit - quota.used(uses, now),
            next_free_at=limits.free_at(uses, now, limits.kept_free()),
            resting_until=self.account.resting_until,
        )

    def _queues(self, now: datetime) -> list[Queue]:
        return [
            replace(campaign.queue, served=self._served(campaign, now))
            for campaign in self.campaigns
            if campaign.sending and campaign.waiting
        ]

    def _served(self, campaign: Campaign, now: datetime) -> int:
        mine = [taken for taken in self.account.taken if taken.campaign is campaign]
        return sum(taken.at is None or now < quota.counts_until(taken.at) for taken in mine)

    def _claim(self, turn: Turn) -> None:
        if turn.campaign_id is None:
            return
        campaign = next(one for one in self.campaigns if one.queue.campaign_id == turn.campaign_id)
        campaign.waiting -= 1
        campaign.queue.claims += 1
        campaign.queue.last_claim_at = self.now
        self.account.limits = self.account.limits.begun(self.now)
        limit = self.account.limits.for_campaigns(self.now)
        self.account.taken.append(Taken(next(self.number), campaign, limit))

    def _accept(self, taken: Taken) -> None:
        self._gmail_takes(taken)
        taken.at = self.now

    def _gmail_takes(self, taken: Taken) -> None:
        taken.accepted = True
        at = self.now.replace(microsecond=0)
        self.mailbox.add(gmail.Use(at, taken.number, limit=taken.limit))

    def _open(self) -> list[Taken]:
        return [taken for taken in self.account.taken if taken.at is None]

    def _one_open(self, which: int) -> list[Taken]:
        """One of them, or none where there is none."""
        opened = self._open()
        return opened[which % len(opened) :][:1] if opened else []

    def _uses(self) -> list[quota.Use]:
        return [quota.Use(taken.at) for taken in self.account.taken]

    def _ever_has_room(self) -> bool:
        limits = self.account.limits
        return limits.free_at([], self.now, limits.kept_free()) is not None


def test_it_plans_what_comes_true_and_never_passes_the_limit() -> None:
    run_state_machine_as_test(PlanMachine, settings=examples(few=40))
