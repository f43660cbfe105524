"""The promises of delivery, kept whatever happens between any two steps: on a real database.

Hypothesis draws what happens: workers that claim, hand over, fall asleep, die; a Gmail that
accepts, refuses, answers late or never; people who launch, pause, cancel, opt out and change
limits; time that passes, a database that breaks off. After every step:

1. at most once: Gmail accepted no message twice;
2. nothing disappears: every message is in one state, and its ledger row says the same;
3. never over the limit, in any 24 hours, by Gmail's own count;
4. nothing was handed over that was suppressed, paused, cancelled or halted before.

And in the end, once the faults stop, everything is delivered that can be.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    invariant,
    rule,
    run_state_machine_as_test,
)

from accounts import halts
from accounts.models import GmailAccount, Halt, LedgerRow
from campaigns import control, states
from campaigns.delivery import doubt, recovery
from campaigns.delivery.claim import ACCOUNT_LEASE, Claim, LeaseLost, take_account
from campaigns.delivery.outcomes import SESSION_LIFE
from campaigns.models import Campaign, Message
from campaigns.planning.sharing import Reason, Turn
from gmail.replies import Reply
from tests.machine import promises
from tests.machine.breaking import breaking_after, drawn_break
from tests.machine.examples import examples
from tests.machine.gmail import NO_BEFORE_THE_DOT, NO_TO_THE_DOT, Flight
from tests.machine.people import People
from tests.machine.worker import Step, Worker

M = Message.State
MOST_WORKERS = 3
MINUTES = (0.01, 0.5, 2.5, 3.9, 5, 16, 31, 180, 720, 23 * 60, 24 * 60, 24 * 60 + 0.05)

# What happens, the more often the more often it is named. One rule for all: of many rules
# Hypothesis leaves about half out of an example, and without its workers one shows nothing.
HAPPENS = (
    *("work",) * 8,
    *("work_beside",) * 2,
    *("run_into_trouble",) * 7,
    *("change_before_the_dot",) * 4,
    *("land", "recover", "pass_time", "look_into_sent") * 2,
    *("launch", "write_single", "pause", "resume", "resume", "cancel", "opt_out", "set_limit"),
    *("write_by_hand", "halt", "end_halt", "end_halt", "connect_again", "lower_what_gmail_takes"),
    *("say_that_it_arrived", "send_again", "try_again"),
)
some = st.integers(0, 11)


class Trouble(Enum):
    DIES = "dies"
    REFUSED = "Gmail says no"
    LINE = "the line breaks"
    SLOW = "the answer takes long"


# Where in the way of a message each may come.
TROUBLES = (
    *((Trouble.DIES, step) for step in (Step.CLAIMED, Step.HANDING_OVER, Step.ANSWERED)),
    *((Trouble.REFUSED, step) for step in (Step.CLAIMED, Step.HANDING_OVER)),
    *((Trouble.LINE, step) for step in (Step.CLAIMED, Step.DOT_GIVEN, Step.ANSWERED)),
    *((Trouble.SLOW, Step.HANDING_OVER),) * 3,
)
# What must have happened in the examples together, or the promises were kept by nothing at all.
MUST_HAPPEN = {
    *(trouble.value for trouble in Trouble),
    *("accepted late", "found in Sent", "sent again", "the last look said no"),
    "somebody else had it",
}


class DeliveryMachine(People):
    def __init__(self) -> None:
        super().__init__()
        self.workers: list[Worker] = []

    @rule(what=st.sampled_from(HAPPENS), which=some, much=some, more=some)
    def happens(self, what: str, which: int, much: int, more: int) -> None:
        getattr(self, what)(which, much, more)

    # --- Workers ------------------------------------------------------------------------------

    def work(self, which: int, much: int, more: int) -> None:
        """The next steps as most of them go; at the last of them the database may break off."""
        worker = self._worker(which)
        for left in reversed(range(1 + much % 7)):
            if worker in self.workers:
                self._next_step(worker, drawn_break(much, more) if left == 0 else None)

    def work_beside(self, which: int, much: int, more: int) -> None:
        """Another worker, as soon as the account is free to take."""
        if len(self.workers) < MOST_WORKERS and self._begin(which):
            self.work(-1, much, more)

    def run_into_trouble(self, which: int, much: int, more: int) -> None:
        """A worker gets as far as there, and no further."""
        worker = self._worker(which)
        trouble, step = TROUBLES[much % len(TROUBLES)]
        self._work_until(worker, step)
        if worker not in self.workers or worker.step is not step:
            return
        self.struck[trouble.value] += 1
        if trouble is Trouble.DIES:
            self.workers.remove(worker)
        elif trouble is Trouble.SLOW:
            self._give_dot_that_takes_long(worker)
        elif trouble is Trouble.REFUSED and step is Step.CLAIMED:
            reply, phase = NO_BEFORE_THE_DOT[more % len(NO_BEFORE_THE_DOT)]
            self._do(worker, lambda: worker.hear_no(reply, phase, self.now))
        elif trouble is Trouble.REFUSED:
            self._give_dot(worker, NO_TO_THE_DOT[more % len(NO_TO_THE_DOT)])
        elif step is Step.CLAIMED:
            self._do(worker, lambda: worker.lose_line(self.now))
        else:
            self._do(worker, lambda: worker.lose_answer(self.now))

    def change_before_the_dot(self, which: int, much: int, more: int) -> None:
        """Somebody decides otherwise while a message is claimed."""
        worker = self._worker(which)
        self._work_until(worker, Step.CLAIMED)
        change = ("opt_out", "pause", "cancel", "halt")[much % 4]
        getattr(self, change)(which, more, 1)
        if worker in self.workers:
            self._next_step(worker, None)

    def _work_until(self, worker: Worker, step: Step) -> None:
        """Where it comes to that: perhaps nothing may leave, or its message was taken back."""
        for _ in range(5):
            if worker in self.workers and worker.step is not step:
                self._next_step(worker, None)

    def _next_step(self, worker: Worker, breaks: int | None) -> None:
        if worker.step is Step.IDLE:
            self._claim(worker, breaks)
        elif worker.step is Step.CLAIMED:
            self._hand_over(worker, breaks)
        elif worker.step is Step.HANDING_OVER:
            self._give_dot(worker)
        elif worker.step is Step.ANSWERED:
            self._do(worker, lambda: worker.note_answer(self.now), breaks)

    def _claim(self, worker: Worker, breaks: int | None) -> None:
        claim = self._do(worker, lambda: worker.take(self.now), breaks)
        if isinstance(claim, Claim):
            self.gmail.hears_of_claim(claim, self.limits[worker.account_id])
        elif isinstance(claim, Turn):
            assert claim.at is None or claim.at >= self.now
            self._see_to(claim)

    def _see_to(self, turn: Turn) -> None:
        """What keeps everything back comes to its end, mostly at once: else little would leave."""
        number = next(self.number)
        if turn.reason is Reason.NOTHING_WAITS:
            self.resume(number, 0, 0)
            self.launch(number, number + 1, number)
        elif number % 2 and turn.reason is Reason.HALTED:
            self.end_halt(number, 0, 0)
        elif number % 2 and turn.at is not None:
            self.now = turn.at

    def _hand_over(self, worker: Worker, breaks: int | None) -> None:
        message = Message.objects.select_related("campaign").get(pk=worker.its.message_id)
        if self._do(worker, lambda: worker.hand_over(self.now), breaks):
            system = message.source == LedgerRow.Source.SYSTEM
            assert system or worker.its.to_key not in self.suppressed, "had opted out"
            assert message.campaign is None or message.campaign.state == Campaign.State.SENDING
            assert worker.account_id not in {account for account, _ in self.halted}, "halted"
        else:
            self.struck["the last look said no"] += worker in self.workers

    def _give_dot(self, worker: Worker, no: Reply | None = None) -> None:
        if self._do(worker, lambda: worker.give_dot(self.now)):
            worker.answered(no or self.gmail.takes(worker.its, worker.raw, self.now))

    def _give_dot_that_takes_long(self, worker: Worker) -> None:
        """Also of a worker that fell asleep in the few instructions after its last look."""
        session_lives_from = min(self.now, worker.deadline or self.now)
        lost_at = session_lives_from + SESSION_LIFE
        self.gmail.flights.append(Flight(worker.its, worker.raw, lost_at))
        worker.step = Step.DOT_GIVEN

    def land(self, which: int, much: int, more: int) -> None:
        """Gmail takes what was on its way, if it still can, and answers whoever still listens."""
        if not self.gmail.flights:
            return
        flights = self.gmail.flights
        flight = flights.pop(which % len(flights))
        if self.now > flight.lost_at:
            return
        reply = self.gmail.takes(flight.claim, flight.raw, self.now)
        self.struck["accepted late"] += 1
        for worker in self.workers:
            if worker.claim is flight.claim and worker.step is Step.DOT_GIVEN:
                worker.answered(reply)

    def recover(self, which: int, much: int, more: int) -> None:
        self.now += timedelta(minutes=(0, 5, 16)[which % 3])
        with breaking_after(drawn_break(much, more)):
            recovery.recover(self.now)

    def look_into_sent(self, which: int, much: int, more: int) -> None:
        for message in self._one_of(Message.objects.filter(state=M.IN_DOUBT), which):
            if self.gmail.accepted[message.pk]:
                self.struck["found in Sent"] += doubt.found(message, self.now)

    def pass_time(self, which: int, much: int, more: int) -> None:
        self.now += timedelta(minutes=MINUTES[which])

    # --- Gmail --------------------------------------------------------------------------------

    def lower_what_gmail_takes(self, which: int, much: int, more: int) -> None:
        limit = 1 + much % 4
        self.gmail.mailboxes[self._account(which)].refuses_above = limit

    # --- The promises -------------------------------------------------------------------------

    @invariant()
    def the_promises_hold(self) -> None:
        promises.hold(self.gmail, self.now)

    # --- The end ------------------------------------------------------------------------------

    def teardown(self) -> None:
        """The faults stop: everything leaves that can, and nothing is stuck."""
        if not self.limits:
            return
        self.workers.clear()
        self.gmail.flights.clear()
        self.now += timedelta(hours=1)
        recovery.recover(self.now)
        for account in GmailAccount.objects.all():
            self.gmail.mailboxes[account.pk].refuses_above = 10_000
            for cause in Halt.Cause:
                halts.end([account], cause, self.now)
            GmailAccount.objects.filter(pk=account.pk).update(state=GmailAccount.State.READY)
        for campaign in Campaign.objects.filter(state=Campaign.State.PAUSED):
            control.resume(campaign.pk)
        self._deliver_the_rest()
        assert not Message.objects.filter(state__in=states.UNDER_WAY).exists(), "stuck"
        recovery.recover(self.now)
        ended = (Campaign.State.FINISHED, Campaign.State.CANCELLED)
        assert not Campaign.objects.exclude(state__in=ended).exists(), "stuck"
        self.the_promises_hold()

    def _deliver_the_rest(self) -> None:
        for _ in range(500):
            moments = [self._burst(account) for account in self.limits]
            if not Message.objects.filter(state=M.WAITING).exists():
                return
            # Of single mail the claim says nothing: the tick asks again.
            known = [moment for moment in moments if moment] or [self.now + timedelta(hours=1)]
            assert min(known) > self.now, "it would look again at once, for ever"
            self.now = min(known)
        raise AssertionError("it does not come to an end")

    def _burst(self, account: int) -> datetime | None:
        """Everything that may leave now; returns when to look again."""
        worker = Worker(account, f"worker {next(self.number)}")
        assert take_account(account, worker.holder, self.now)
        while isinstance(turn := worker.take(self.now), Claim):
            self.gmail.hears_of_claim(turn, self.limits[account])
            if worker.hand_over(self.now) and worker.give_dot(self.now):
                worker.answered(self.gmail.takes(worker.its, worker.raw, self.now))
                worker.note_answer(self.now)
        worker.stop()
        return turn.at

    # --- Helpers ------------------------------------------------------------------------------

    def _do(self, worker: Worker, step: Callable[[], Any], breaks: int | None = None) -> Any:
        """One step; a worker that lost its message or its database ends, as `send_due` does."""
        done = None
        try:
            with breaking_after(breaks):
                done = step()
                return done
        except LeaseLost:
            self.struck["somebody else had it"] += 1
            worker.stop()
        finally:
            # It broke off, or the message was taken back.
            if done is None and worker.step is not Step.IDLE:
                self.workers.remove(worker)
        return None

    def _worker(self, which: int) -> Worker:
        """One that works; a new one takes its account where nobody does."""
        while not self.workers:
            if not self._begin(which):
                # The lease of one that died.
                self.now += ACCOUNT_LEASE
        return self.workers[which % len(self.workers)]

    def _begin(self, which: int) -> bool:
        account, holder = self._account(which), f"worker {next(self.number)}"
        taken = take_account(account, holder, self.now)
        if taken:
            self.workers.append(Worker(account, holder))
        return taken


@pytest.mark.django_db(transaction=True)
def test_it_keeps_its_promises_whatever_happens_between_two_steps() -> None:
    People.struck.clear()
    run_state_machine_as_test(DeliveryMachine, settings=examples(few=12))
    assert set(People.struck) >= MUST_HAPPEN, People.struck
