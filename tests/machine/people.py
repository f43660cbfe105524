"""What people do while Daypost sends, and time: the half of the machine that holds no message."""

from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime, time, timedelta
from itertools import count
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize

from accounts import halts, standing
from accounts.models import GmailAccount, Halt, LedgerRow, Workspace
from campaigns import control, decisions, launch
from campaigns.models import Campaign, Contact, ContactList, Message, Suppression, Template
from tests.campaigns.making import make_account, make_list, make_single, make_workspace
from tests.machine.breaking import breaking_after, drawn_break
from tests.machine.gmail import Gmail

M = Message.State
START = datetime(2026, 10, 24, 12, tzinfo=UTC)
PEOPLE = 4
MOST_CAMPAIGNS = 3


class People(RuleBasedStateMachine):
    """The world before any worker does anything, and what people do in it.

    `struck` counts, over all examples, what tells whether they put anything to the test.
    """

    struck: ClassVar[Counter[str]] = Counter()

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
        self.suppressed: set[str] = set()
        self.halted: set[tuple[int, str]] = set()

    @initialize(limits=st.lists(st.integers(2, 9), min_size=1, max_size=2))
    def begin(self, limits: list[int]) -> None:
        for limit in limits:
            account = make_account(self.workspace, limit=limit)
            self.limits[account.pk] = limit
        self.launch(1, 1, 1)

    # --- People -------------------------------------------------------------------------------

    def launch(self, which: int, much: int, more: int) -> None:
        first, spread, from_nine = which % 3 == 0, much % 3 == 0, more % 3 == 0
        at_work = (Campaign.State.SENDING, Campaign.State.PAUSED)
        if Campaign.objects.filter(state__in=at_work).count() >= MOST_CAMPAIGNS:
            return
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

    def write_single(self, which: int, much: int, more: int) -> None:
        if Message.objects.filter(campaign=None, state=Message.State.WAITING).count() >= 2:
            return
        message = make_single(GmailAccount.objects.get(pk=self._account(which)))
        Message.objects.filter(pk=message.pk).update(not_before=self.now)

    def pause(self, which: int, much: int, more: int) -> None:
        for campaign in self._campaigns(which, Campaign.State.SENDING):
            control.pause(campaign.pk)

    def resume(self, which: int, much: int, more: int) -> None:
        for campaign in self._campaigns(which, Campaign.State.PAUSED):
            control.resume(campaign.pk)

    def cancel(self, which: int, much: int, more: int) -> None:
        for campaign in self._campaigns(which, Campaign.State.SENDING, Campaign.State.PAUSED):
            with breaking_after(drawn_break(much, more)):
                control.cancel(campaign.pk)

    def opt_out(self, which: int, much: int, more: int) -> None:
        """Somebody whose mail is about to leave, if there is any."""
        leaving = Contact.objects.filter(messages__state=M.CLAIMED)
        contact = (self._one_of(leaving, which) or self._one_of(Contact.objects.all(), which))[0]
        key = contact.email_key
        Suppression.objects.get_or_create(workspace=self.workspace, email_key=key)
        self.suppressed.add(key)

    def set_limit(self, which: int, much: int, more: int) -> None:
        limit = 1 + much % 6
        account = self._account(which)
        self.limits[account] = limit
        GmailAccount.objects.filter(pk=account).update(limit=limit)

    def write_by_hand(self, which: int, much: int, more: int) -> None:
        recipients = 1 + much % 3
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

    def halt(self, which: int, much: int, more: int) -> None:
        cause = list(Halt.Cause)[much % len(Halt.Cause)]
        account = GmailAccount.objects.get(pk=self._account(which))
        halts.begin([account], cause, "drawn", self.now)
        self.halted.add((account.pk, cause))

    def end_halt(self, which: int, much: int, more: int) -> None:
        if not (self.halted):
            return
        account, cause = sorted(self.halted)[which % len(self.halted)]
        halts.end(GmailAccount.objects.filter(pk=account), Halt.Cause(cause), self.now)
        self.halted.remove((account, cause))

    def connect_again(self, which: int, much: int, more: int) -> None:
        account = self._account(which)
        GmailAccount.objects.filter(pk=account).update(state=GmailAccount.State.READY)
        standing.connected(account, self.now)

    def say_that_it_arrived(self, which: int, much: int, more: int) -> None:
        for message in self._one_of(Message.objects.filter(state=M.IN_DOUBT), which):
            if self.gmail.accepted[message.pk]:
                decisions.it_arrived(message, None, self.now)

    def send_again(self, which: int, much: int, more: int) -> None:
        """Also once the old session is over, before which it is not possible."""
        self.now += timedelta(minutes=(0, 31)[more % 2])
        for message in self._one_of(Message.objects.filter(state=M.IN_DOUBT), which):
            with suppress(decisions.NotPossible):
                decisions.send_again(message, None, self.now)
                self.struck["sent again"] += 1
                assert not self.gmail.may_still_take(message.pk, self.now), "too early"

    def try_again(self, which: int, much: int, more: int) -> None:
        for message in self._one_of(Message.objects.filter(state=M.REFUSED), which):
            with suppress(decisions.NotPossible):
                decisions.try_again(message, None, self.now)

    # --- Helpers ------------------------------------------------------------------------------

    def _account(self, which: int) -> int:
        return list(self.limits)[which % len(self.limits)]

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
