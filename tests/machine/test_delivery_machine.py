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
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from accounts import halts, standing
from accounts.models import GmailAccount, Halt, LedgerRow, Workspace
from campaigns import control, launch, states
from campaigns.delivery import doubt, recovery
from campaigns.delivery.claim import Claim, LeaseLost, take_account
from campaigns.delivery.outcomes import SESSION_LIFE
from campaigns.models import Campaign, Contact, ContactList, Message, Suppression, Template
from campaigns.planning.sharing import Turn
from gmail.replies import Phase, Reply
from tests.campaigns.making import make_account, make_list, make_single, make_workspace
from tests.machine import promises
from tests.machine.breaking import breaking_after
from tests.machine.examples import examples
from tests.machine.gmail import NO_BEFORE_THE_DOT, NO_TO_THE_DOT, Gmail
from tests.machine.worker import Step, Worker

M = Message.State
START = datetime(2026, 10, 24, 12, tzinfo=UTC)
PEOPLE = 4
MOST_CAMPAIGNS = 3
MOST_WORKERS = 3

some = st.integers(0, 11)
# How many statements the database still takes before it breaks off.
breaks = st.none() | st.none() | st.integers(0, 12)


@dataclass(frozen=True)
class Flight:
    """A dot that is on its way: Gmail may take it until `lost_at`, whoever still listens."""

    worker: Worker
    claim: Claim
    lost_at: datetime


class DeliveryMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        _forget_everything()
        self.now = START
        self.number = count(1)
        self.workspace = make_workspace()
        self.people = make_list(self.workspace, PEOPLE)
        self.template = Template.objects.create(
            workspace=self.workspace, name="News", subject="News", html="<p>News</p>"
        )
        self.limits: dict[int, int] = {}
        self.gmail = Gmail()
        self.workers: list[Worker] = []
        self.flights: list[Flight] = []
        self.suppressed: set[str] = set()
        self.halted: set[tuple[int, str]] = set()

    @initialize(limits=st.lists(st.integers(1, 6), min_size=1, max_size=2))
    def connect(self, limits: list[int]) -> None:
        for limit in limits:
            account = make_account(self.workspace, limit=limit)
            self.limits[account.pk] = limit

    # --- People -------------------------------------------------------------------------------

    @precondition(lambda self: Campaign.objects.count() < MOST_CAMPAIGNS)
    @rule(first=st.booleans(), spread=st.booleans(), from_nine=st.booleans())
    def launch(self, first: bool, spread: bool, from_nine: bool) -> None:
        campaign = Campaign.objects.create(
            workspace=self.workspace,
            name=f"Campaign {next(self.number)}",
            template=self.template,
            pace=Campaign.Pace.SPREAD if spread else Campaign.Pace.ASAP,
            hours_from=time(9) if from_nine else None,
            seed=1,
        )
        campaign.lists.add(self.people)
        campaign.accounts.set(list(self.limits)[: 1 if first else None])
        try:
            launch.launch(campaign.pk, self.now)
        except launch.NotReady:
            campaign.delete()

    @precondition(lambda self: len(Message.objects.filter(campaign=None)) < 2)
    @rule(which=some)
    def write_single(self, which: int) -> None:
        message = make_single(GmailAccount.objects.get(pk=self._account(which)))
        Message.objects.filter(pk=message.pk).update(not_before=self.now)

    @rule(which=some)
    def pause(self, which: int) -> None:
        for campaign in self._campaigns(which, Campaign.State.SENDING):
            control.pause(campaign.pk)

    @rule(which=some)
    def resume(self, which: int) -> None:
        for campaign in self._campaigns(which, Campaign.State.PAUSED):
            control.resume(campaign.pk)

    @rule(which=some, breaks=breaks)
    def cancel(self, which: int, breaks: int | None) -> None:
        for campaign in self._campaigns(which, Campaign.State.SENDING, Campaign.State.PAUSED):
            with breaking_after(breaks):
                control.cancel(campaign.pk)

    @rule(who=some)
    def opt_out(self, who: int) -> None:
        key = Contact.objects.order_by("id")[who % PEOPLE].email_key
        Suppression.objects.get_or_create(workspace=self.workspace, email_key=key)
        self.suppressed.add(key)

    @rule(which=some, limit=st.integers(1, 6))
    def set_limit(self, which: int, limit: int) -> None:
        account = self._account(which)
        self.limits[account] = limit
        GmailAccount.objects.filter(pk=account).update(limit=limit)

    @rule(which=some, recipients=st.integers(1, 3))
    def write_by_hand(self, which: int, recipients: int) -> None:
        account = self._account(which)
        LedgerRow.objects.create(
            account_id=account,
            source=LedgerRow.Source.BY_HAND,
            recipients=recipients,
            state=LedgerRow.State.ACCEPTED,
            reserved_at=self.now,
            at=self.now,
        )
        self.gmail.takes_by_hand(account, recipients, self.now)

    @rule(which=some, cause=st.sampled_from(Halt.Cause))
    def halt(self, which: int, cause: Halt.Cause) -> None:
        account = GmailAccount.objects.get(pk=self._account(which))
        halts.begin([account], cause, "drawn", self.now)
        self.halted.add((account.pk, cause))

    @precondition(lambda self: self.halted)
    @rule(which=some)
    def end_halt(self, which: int) -> None:
        account, cause = sorted(self.halted)[which % len(self.halted)]
        halts.end(GmailAccount.objects.filter(pk=account), Halt.Cause(cause), self.now)
        self.halted.remove((account, cause))

    @rule(which=some)
    def connect_again(self, which: int) -> None:
        account = self._account(which)
        GmailAccount.objects.filter(pk=account).update(state=GmailAccount.State.READY)
        standing.connected(account, self.now)

    # --- Workers ------------------------------------------------------------------------------

    @precondition(lambda self: len(self.workers) < MOST_WORKERS)
    @rule(which=some)
    def begin_work(self, which: int) -> None:
        holder = f"worker {next(self.number)}"
        if take_account(self._account(which), holder, self.now):
            self.workers.append(Worker(self._account(which), holder))

    @precondition(lambda self: self.workers)
    @rule(which=some)
    def go_on(self, which: int) -> None:
        """The next step, as most of them go."""
        step = self.workers[which % len(self.workers)].step
        if step is Step.IDLE:
            self.claim(which, None)
        elif step is Step.CLAIMED:
            self.hand_over(which, None)
        elif step is Step.HANDING_OVER:
            self.give_dot(which, None)
        elif step is Step.ANSWERED:
            self.note_answer(which, None)

    @precondition(lambda self: self._at(Step.IDLE))
    @rule(which=some, breaks=breaks)
    def claim(self, which: int, breaks: int | None) -> None:
        worker = self._worker(which, Step.IDLE)
        claim = self._do(worker, lambda: worker.take(self.now), breaks)
        if isinstance(claim, Claim):
            self.gmail.hears_of_claim(claim.holder, self.limits[worker.account_id])
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
            worker.answered(no or self._gmail_takes(worker.its))

    @precondition(lambda self: self._at(Step.HANDING_OVER))
    @rule(which=some)
    def give_dot_that_takes_long(self, which: int) -> None:
        """Also of a worker that fell asleep in the few instructions after its last look."""
        worker = self._worker(which, Step.HANDING_OVER)
        session_lives_from = min(self.now, worker.deadline or self.now)
        lost_at = session_lives_from + SESSION_LIFE
        self.flights.append(Flight(worker, worker.its, lost_at))
        worker.step = Step.DOT_GIVEN

    @precondition(lambda self: self.flights)
    @rule(which=some)
    def land(self, which: int) -> None:
        flight = self.flights.pop(which % len(self.flights))
        if self.now > flight.lost_at:
            return
        reply = self._gmail_takes(flight.claim)
        worker = flight.worker
        if worker.claim is flight.claim and worker.step is Step.DOT_GIVEN:
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

    @rule(breaks=breaks)
    def recover(self, breaks: int | None) -> None:
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
        self.flights.clear()
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
            self.gmail.hears_of_claim(turn.holder, self.limits[account])
            if worker.hand_over(self.now) and worker.give_dot(self.now):
                worker.answered(self._gmail_takes(worker.its))
                worker.note_answer(self.now)
        worker.stop()
        return turn.at

    # --- Helpers ------------------------------------------------------------------------------

    def _gmail_takes(self, claim: Claim) -> Reply:
        return self.gmail.takes(claim.account_id, claim.message_id, claim.holder, self.now)

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

    def _account(self, which: int) -> int:
        return list(self.limits)[which % len(self.limits)]

    def _at(self, *steps: Step) -> list[Worker]:
        return [worker for worker in self.workers if worker.step in steps]

    def _worker(self, which: int, *steps: Step) -> Worker:
        ready = self._at(*steps)
        return ready[which % len(ready)]

    def _campaigns(self, which: int, *states: str) -> list[Campaign]:
        return self._one_of(Campaign.objects.filter(state__in=states), which)

    def _one_of(self, rows: Any, which: int) -> list[Any]:
        """One of `rows`, or none where there is none."""
        found = list(rows.order_by("id"))
        return [found[which % len(found)]] if found else []


def _forget_everything() -> None:
    """Each example begins with empty tables."""
    for model in (Message, Campaign, LedgerRow, GmailAccount, Contact, ContactList, Workspace):
        model.objects.all().delete()


@pytest.mark.django_db(transaction=True)
def test_it_keeps_its_promises_whatever_happens_between_two_steps() -> None:
    run_state_machine_as_test(DeliveryMachine, settings=examples(few=15))
