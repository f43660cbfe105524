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
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from accounts import halts
from accounts.models import GmailAccount, Halt, LedgerRow
from campaigns import control, states
from campaigns.delivery import doubt, recovery
from campaigns.delivery.claim import Claim, LeaseLost, take_account
from campaigns.delivery.outcomes import SESSION_LIFE
from campaigns.models import Campaign, Message
from campaigns.planning.sharing import Turn
from gmail.replies import Phase, Reply
from tests.machine import promises
from tests.machine.breaking import breaking_after
from tests.machine.examples import examples
from tests.machine.gmail import NO_BEFORE_THE_DOT, NO_TO_THE_DOT, Flight
from tests.machine.people import People, breaks, some
from tests.machine.worker import Step, Worker

M = Message.State
MOST_WORKERS = 3


class DeliveryMachine(People):
    def __init__(self) -> None:
        super().__init__()
        self.workers: list[Worker] = []

    # --- Workers ------------------------------------------------------------------------------

    @precondition(lambda self: len(self.workers) < MOST_WORKERS)
    @rule(which=some)
    def begin_work(self, which: int) -> None:
        holder = f"worker {next(self.number)}"
        if take_account(self._account(which), holder, self.now):
            self.workers.append(Worker(self._account(which), holder))

    @precondition(lambda self: self.workers)
    @rule(which=some, steps=st.integers(1, 6))
    def go_on(self, which: int, steps: int) -> None:
        """The next steps, as most of them go."""
        for _ in range(steps):
            for worker in self.workers[which % len(self.workers) :][:1]:
                self._next_step(worker)
            if not self.workers:
                return

    def _next_step(self, worker: Worker) -> None:
        mine = self._at(worker.step).index(worker)
        if worker.step is Step.IDLE:
            self.claim(mine, None)
        elif worker.step is Step.CLAIMED:
            self.hand_over(mine, None)
        elif worker.step is Step.HANDING_OVER:
            self.give_dot(mine, None)
        elif worker.step is Step.ANSWERED:
            self.note_answer(mine, None)

    @precondition(lambda self: self._at(Step.IDLE))
    @rule(which=some, breaks=breaks)
    def claim(self, which: int, breaks: int | None) -> None:
        worker = self._worker(which, Step.IDLE)
        claim = self._do(worker, lambda: worker.take(self.now), breaks)
        if isinstance(claim, Claim):
            self.gmail.hears_of_claim(claim, self.limits[worker.account_id])
        elif isinstance(claim, Turn):
            assert claim.at is None or claim.at >= self.now

    @precondition(lambda self: self._at(Step.CLAIMED))
    @rule(which=some, no=st.sampled_from(NO_BEFORE_THE_DOT), breaks=breaks)
    def refuse_before_dot(self, which: int, no: tuple[Reply, Phase], breaks: int | None) -> None:
        worker = self._worker(which, Step.CLAIMED)
        self._do(worker, lambda: worker.hear_no(*no, self.now), breaks)

    @precondition(lambda self: self._at(Step.CLAIMED))
    @rule(which=some, breaks=breaks)
    def lose_line(self, which: int, breaks: int | None) -> None:
        worker = self._worker(which, Step.CLAIMED)
        self._do(worker, lambda: worker.lose_line(self.now), breaks)

    @precondition(lambda self: self._at(Step.CLAIMED))
    @rule(which=some, breaks=breaks)
    def hand_over(self, which: int, breaks: int | None) -> None:
        worker = self._worker(which, Step.CLAIMED)
        message = Message.objects.select_related("campaign").get(pk=worker.its.message_id)
        if self._do(worker, lambda: worker.hand_over(self.now), breaks):
            system = message.source == LedgerRow.Source.SYSTEM
            assert system or worker.its.to_key not in self.suppressed
            assert message.campaign is None or message.campaign.state == Campaign.State.SENDING
            assert worker.account_id not in {account for account, _ in self.halted}

    @precondition(lambda self: self._at(Step.HANDING_OVER))
    @rule(which=some, no=st.none() | st.none() | st.sampled_from(NO_TO_THE_DOT))
    def give_dot(self, which: int, no: Reply | None) -> None:
        worker = self._worker(which, Step.HANDING_OVER)
        if self._do(worker, lambda: worker.give_dot(self.now)):
            worker.answered(no or self.gmail.takes(worker.its, worker.raw, self.now))

    @precondition(lambda self: self._at(Step.HANDING_OVER))
    @rule(which=some)
    def give_dot_that_takes_long(self, which: int) -> None:
        """Also of a worker that fell asleep in the few instructions after its last look."""
        worker = self._worker(which, Step.HANDING_OVER)
        session_lives_from = min(self.now, worker.deadline or self.now)
        lost_at = session_lives_from + SESSION_LIFE
        self.gmail.flights.append(Flight(worker.its, worker.raw, lost_at))
        worker.step = Step.DOT_GIVEN

    @precondition(lambda self: self.gmail.flights)
    @rule(which=some)
    def land(self, which: int) -> None:
        flights = self.gmail.flights
        flight = flights.pop(which % len(flights))
        if self.now > flight.lost_at:
            return
        reply = self.gmail.takes(flight.claim, flight.raw, self.now)
        for worker in self._at(Step.DOT_GIVEN):
            if worker.claim is flight.claim:
                worker.answered(reply)

    @precondition(lambda self: self._at(Step.ANSWERED))
    @rule(which=some, breaks=breaks)
    def note_answer(self, which: int, breaks: int | None) -> None:
        worker = self._worker(which, Step.ANSWERED)
        self._do(worker, lambda: worker.note_answer(self.now), breaks)

    @precondition(lambda self: self._at(Step.DOT_GIVEN, Step.ANSWERED))
    @rule(which=some, breaks=breaks)
    def lose_answer(self, which: int, breaks: int | None) -> None:
        worker = self._worker(which, Step.DOT_GIVEN, Step.ANSWERED)
        self._do(worker, lambda: worker.lose_answer(self.now), breaks)

    @precondition(lambda self: self.workers)
    @rule(which=some)
    def die(self, which: int) -> None:
        self.workers.pop(which % len(self.workers))

    @rule(minutes=st.sampled_from([0, 5, 16]), breaks=breaks)
    def recover(self, minutes: int, breaks: int | None) -> None:
        self.now += timedelta(minutes=minutes)
        with breaking_after(breaks):
            recovery.recover(self.now)

    @rule(which=some)
    def look_into_sent(self, which: int) -> None:
        for message in self._one_of(Message.objects.filter(state=M.IN_DOUBT), which):
            if self.gmail.accepted[message.pk]:
                doubt.found(message, self.now)

    @rule(
        minutes=st.sampled_from([0.01, 0.5, 2.5, 5, 16, 31, 180, 23 * 60, 24 * 60, 24 * 60 + 0.05])
    )
    def pass_time(self, minutes: float) -> None:
        self.now += timedelta(minutes=minutes)

    # --- Gmail --------------------------------------------------------------------------------

    @rule(which=some, limit=st.integers(1, 4))
    def lower_what_gmail_takes(self, which: int, limit: int) -> None:
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
            worker.stop()
        finally:
            # It broke off, or the message was taken back.
            if done is None and worker.step is not Step.IDLE:
                self.workers.remove(worker)
        return None

    def _at(self, *steps: Step) -> list[Worker]:
        return [worker for worker in self.workers if worker.step in steps]

    def _worker(self, which: int, *steps: Step) -> Worker:
        ready = self._at(*steps)
        return ready[which % len(ready)]


@pytest.mark.django_db(transaction=True)
def test_it_keeps_its_promises_whatever_happens_between_two_steps() -> None:
    run_state_machine_as_test(DeliveryMachine, settings=examples(few=15))
