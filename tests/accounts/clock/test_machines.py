"""Several machines send through one account: by one clock, and not by that of one that is gone."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from accounts import halts, ledger, quota
from accounts.clock import watch
from accounts.clock.watch import GONE_AFTER, Watch
from accounts.models import ClockCheck, GmailAccount, LedgerRow
from campaigns.delivery.claim import LeaseLost, take_account
from tests.accounts.clock.machine import Machine
from tests.belongings import Belongings
from tests.campaigns.claiming import claim_next
from tests.campaigns.making import make_account, make_campaign, make_workspace, spend

HOURS_25 = timedelta(hours=25)
HOUR = timedelta(hours=1)


@pytest.fixture
def account(db: None) -> GmailAccount:
    return make_account(make_workspace())


class Two:
    """The process runs on one of them, and then on the other."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch
        self.nas = Machine(monkeypatch, "nas")
        self.laptop = Machine(monkeypatch, "laptop")

    def on(self, machine: Machine) -> Machine:
        machine.run(self._monkeypatch)
        return machine

    def pass_by(self, time: timedelta) -> None:
        for machine in (self.nas, self.laptop):
            machine.sleep(time)


@pytest.fixture
def two(monkeypatch: pytest.MonkeyPatch) -> Two:
    return Two(monkeypatch)


def used(account: GmailAccount, machine: Machine) -> int:
    now = machine.read().wall
    return quota.used(ledger.window(account, now), now)


def accept(account: GmailAccount, machine: Machine, by: timedelta) -> None:
    """A person takes a clock for right that is off."""
    machine.set_by = by
    assert not Watch(account).may_send()
    watch.confirm(account, machine.read().wall)
    assert Watch(account).may_send()


def why_halted(account: GmailAccount) -> str:
    halt = halts.of(account)
    return halt.reason if halt else ""


@pytest.mark.parametrize("off", [HOURS_25, -HOURS_25])
def test_two_never_send_by_two_clocks(account: GmailAccount, two: Two, off: timedelta) -> None:
    accept(account, two.on(two.nas), off)
    spend(account, 400, two.nas.read().wall)
    # The other one is right. What was sent an hour ago was sent an hour ago, also by its clock.
    two.pass_by(HOUR)
    assert take_account(account.pk, "nas", two.nas.read().wall)
    make_campaign(account.workspace, [account])
    two.on(two.laptop)
    assert Watch(account).may_send()
    assert used(account, two.laptop) == 400
    # Whoever is sending over there by the other clock does not claim once more.
    with pytest.raises(LeaseLost):
        claim_next(account.pk, "nas", two.nas.read().wall)
    two.on(two.nas)
    assert not Watch(account).may_send()
    assert "laptop goes by another clock" in why_halted(account)
    assert "set the clock of nas, or stop Daypost there" in why_halted(account)
    # It halts both until it is set right.
    two.on(two.laptop)
    assert watch.look_around()
    assert halts.of(account) is not None
    two.on(two.nas).set_by = timedelta()
    two.pass_by(watch.ASK_AGAIN)
    assert watch.look_around()
    assert halts.of(account) is None
    assert used(account, two.nas) == 400


def test_a_person_who_insists_takes_the_account_from_the_other_machine(
    account: GmailAccount, two: Two
) -> None:
    two.on(two.laptop)
    assert Watch(account).may_send()
    spend(account, 400, two.laptop.read().wall)
    accept(account, two.on(two.nas), -HOURS_25)
    assert used(account, two.nas) == 400
    # ... which must ask anew, and is right.
    two.on(two.laptop).answers = False
    assert not Watch(account).may_send()
    two.laptop.answers = True
    two.pass_by(watch.ASK_AGAIN)
    assert Watch(account).may_send()
    assert used(account, two.laptop) == 400


@pytest.mark.parametrize("off", [HOURS_25, -HOURS_25])
@pytest.mark.parametrize("answers", [True, False])
def test_what_counts_moves_once_though_two_machines_were_set(
    account: GmailAccount, two: Two, off: timedelta, answers: bool
) -> None:
    machines = (two.nas, two.laptop)
    for machine in machines:
        two.on(machine)
        assert Watch(account).may_send()
    spend(account, 400, two.nas.read().wall)
    for machine in machines:
        two.on(machine).answers = answers
        machine.set_by = off
        assert not Watch(account).may_send()
    watch.confirm(account, two.nas.read().wall)
    for machine in machines:
        two.on(machine)
        assert Watch(account).may_send()
    assert used(account, two.nas) == 400
    two.pass_by(timedelta(hours=23))
    assert used(account, two.nas) == 400
    two.pass_by(HOUR + timedelta(minutes=3))
    assert used(account, two.nas) == 0


def test_by_a_persons_word_alone_only_one_machine_sends(account: GmailAccount, two: Two) -> None:
    for machine in (two.nas, two.laptop):
        two.on(machine).answers = False
        assert not Watch(account).may_send()
        watch.confirm(account, machine.read().wall)
        assert Watch(account).may_send()
    two.on(two.nas)
    assert not Watch(account).may_send()
    assert "could not be asked" in why_halted(account)


def test_what_is_settled_by_a_clock_of_before_counts_from_when_it_was_reserved(
    account: GmailAccount, two: Two
) -> None:
    """In hand on one machine, while the account comes to count by another's clock."""
    machine = two.on(two.nas)
    accept(account, machine, -HOURS_25)
    now = machine.read().wall
    (row,) = ledger.reserve(account, LedgerRow.Source.CAMPAIGN, None, 1, now)
    two.on(two.laptop)
    assert Watch(account).may_send()
    ledger.accept(row.pk, now)
    assert used(account, two.laptop) == 1


# --- A machine that is gone -------------------------------------------------------------------


def test_a_machine_that_is_gone_holds_nothing_up_after_a_day(
    owner_client: Client, home: Belongings, two: Two
) -> None:
    account = make_account(home.workspace, address="siop@gmail.com")
    two.on(two.nas).set_by = -HOURS_25
    assert not Watch(account).may_send()
    two.on(two.laptop)
    assert Watch(account).may_send()
    assert halts.of(account) is not None
    two.pass_by(GONE_AFTER - timedelta(minutes=1))
    assert watch.look_around()
    assert halts.of(account) is not None
    two.pass_by(timedelta(minutes=1))
    assert watch.look_around()
    assert halts.of(account) is None
    shown = owner_client.get(reverse("admin:gmail_clock", args=[account.pk])).content.decode()
    assert "The clock of nas is 25 hours behind" in shown
    assert "It has not looked at its clock for more than a day" in shown
    assert "go on</button>" not in shown
    # Should it come back, it sends nothing, and says so again.
    two.on(two.nas)
    assert not Watch(account).may_send()
    assert halts.of(account) is not None


@pytest.mark.parametrize("off", [HOURS_25, -HOURS_25])
def test_a_machine_that_is_there_goes_on_holding_it_up(
    account: GmailAccount, two: Two, off: timedelta
) -> None:
    two.on(two.nas).set_by = off
    for _look in range(4):
        for machine in (two.nas, two.laptop):
            two.on(machine)
            Watch(account).may_send()
            watch.look_around()
            assert halts.of(account) is not None
        two.pass_by(9 * HOUR)


def test_a_clock_that_is_ahead_does_not_say_when_it_was_seen_last(
    account: GmailAccount, two: Two
) -> None:
    two.on(two.nas).set_by = HOURS_25
    assert not Watch(account).may_send()
    ClockCheck.objects.update(unseen_since=two.nas.read().wall)
    two.on(two.laptop)
    assert Watch(account).may_send()
    two.pass_by(GONE_AFTER)
    assert watch.look_around()
    assert halts.of(account) is None
