"""What a clock that moves does to accounts: halted with the reason, and let go again."""

from datetime import timedelta

import pytest

from accounts import halts, ledger, quota
from accounts.clock import rules, watch
from accounts.clock.watch import Answers, Watch
from accounts.models import ClockCheck, GmailAccount, Halt, LedgerRow
from tests.accounts.clock.machine import Machine
from tests.campaigns.making import make_account, make_workspace, spend

HOURS_25 = timedelta(hours=25)
DAYS_3 = timedelta(days=3)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(monkeypatch)


@pytest.fixture
def account(db: None) -> GmailAccount:
    return make_account(make_workspace())


def found_right(account: GmailAccount) -> Watch:
    burst = Watch(account)
    assert burst.may_send()
    return burst


def why_halted(account: GmailAccount) -> str:
    halt = halts.of(account)
    return halt.reason if halt else ""


def used(account: GmailAccount, machine: Machine) -> int:
    now = machine.read().wall
    return quota.used(ledger.window(account, now), now)


def test_it_asks_the_server_once_in_a_boot_and_then_looks_in_memory(
    machine: Machine, account: GmailAccount, django_assert_num_queries: object
) -> None:
    burst = found_right(account)
    with django_assert_num_queries(0):  # type: ignore[operator]
        assert all(burst.may_send() for _ in range(5))
        assert not burst.has_moved
    found_right(account)
    assert watch.look_around()
    assert machine.asked == 1
    check = ClockCheck.objects.get()
    assert (check.host, check.trouble) == ("laptop", "")
    assert check.theirs_at is not None


@pytest.mark.parametrize(
    ("jump", "words"), [(HOURS_25, "ahead by 25 hours"), (-HOURS_25, "back by 25 hours")]
)
def test_a_jump_halts_at_once_and_its_end_lets_go(
    machine: Machine, account: GmailAccount, jump: timedelta, words: str
) -> None:
    burst = found_right(account)
    machine.set_by = jump
    assert burst.has_moved
    assert not burst.may_send()
    assert f"The clock of laptop jumped {words}." in why_halted(account)
    assert not watch.look_around()
    machine.set_by = timedelta()
    assert watch.look_around()
    assert halts.of(account) is None
    assert found_right(account)


def test_it_is_found_without_anything_to_send(machine: Machine, account: GmailAccount) -> None:
    found_right(account)
    assert watch.look_around()
    machine.set_by = HOURS_25
    assert not watch.look_around()
    assert "25 hours" in why_halted(account)


def test_suspend_is_no_fault(machine: Machine, account: GmailAccount) -> None:
    burst = found_right(account)
    machine.sleep(DAYS_3)
    assert not burst.has_moved
    assert burst.may_send()
    assert machine.asked == 2, "so long after, the server is asked once more"
    machine.sleep(DAYS_3)
    machine.answers = False
    assert burst.may_send(), "by what the boot counts"
    assert watch.look_around()
    assert Halt.objects.count() == 0


def test_a_machine_that_was_frozen_and_set_right_goes_on(
    machine: Machine, account: GmailAccount
) -> None:
    burst = found_right(account)
    # Its own clocks stood still for three days; now it is told the time.
    machine.sleep(DAYS_3)
    machine._started += DAYS_3
    assert burst.has_moved
    assert burst.may_send()
    assert Halt.objects.count() == 0


def test_a_machine_that_was_frozen_and_not_set_right_is_found_out_within_the_hour(
    machine: Machine, account: GmailAccount
) -> None:
    burst = found_right(account)
    machine.server_ahead = DAYS_3
    assert burst.may_send()
    machine.sleep(timedelta(minutes=61))
    assert not burst.may_send()
    assert "3 days behind the practice Gmail" in why_halted(account)


def test_a_new_boot_waits_for_the_server(machine: Machine, account: GmailAccount) -> None:
    found_right(account)
    machine.start_anew()
    machine.answers = False
    assert not Watch(account).may_send()
    assert "could not be asked" in why_halted(account)
    machine.sleep(watch.ASK_AGAIN)
    machine.answers = True
    assert watch.look_around()
    assert halts.of(account) is None
    assert ClockCheck.objects.count() == 1, "the boot before is over"


def test_a_clock_that_the_ledger_contradicts_needs_two_answers_of_the_server(
    machine: Machine, account: GmailAccount
) -> None:
    spend(account, 1, machine.read().wall + HOURS_25)
    assert not Watch(account).may_send()
    assert "25 hours behind the newest mail that was sent" in why_halted(account)
    machine.sleep(rules.APART)
    assert watch.look_around()
    assert halts.of(account) is None


def test_nothing_is_done_by_the_clock_of_a_new_boot_before_somebody_has_asked(
    machine: Machine, account: GmailAccount
) -> None:
    assert watch.look_around()
    assert machine.asked == 1
    machine.start_anew()
    machine.set_by = HOURS_25
    Halt.objects.all().delete()
    assert not watch.look_around()
    assert "25 hours" in why_halted(account)
    machine.set_by = timedelta()
    machine.sleep(watch.ASK_AGAIN)
    assert watch.look_around()


def test_an_account_whose_server_says_nothing_holds_up_no_other(
    machine: Machine, account: GmailAccount
) -> None:
    machine.answers = False
    assert not watch.look_around()
    machine.answers = True
    make_account(account.workspace, practice=False)
    assert watch.look_around()


def test_a_dead_battery_that_boots_a_day_ahead_sends_nothing(
    machine: Machine, account: GmailAccount
) -> None:
    found_right(account)
    machine.start_anew()
    machine.set_by = HOURS_25
    assert not Watch(account).may_send()
    assert "25 hours ahead of the practice Gmail" in why_halted(account)
    machine.sleep(watch.ASK_AGAIN)
    machine.set_by = timedelta()
    assert watch.look_around()
    assert Watch(account).may_send()


def test_what_gmail_says_on_accepting_is_a_hint(machine: Machine, account: GmailAccount) -> None:
    burst = found_right(account)
    machine.sleep(watch.ASK_AGAIN)
    now = int(machine.truly.timestamp())
    burst.heard(f"250 2.0.0 OK {now} abc - gsmtp")
    burst.heard("250 2.0.0 Ok: queued as ABC")
    assert machine.asked == 1
    # The process slept before it read the answer: the server is asked, and agrees.
    burst.heard(f"250 2.0.0 OK {now - 600} abc - gsmtp")
    assert machine.asked == 2
    assert burst.may_send()
    machine.sleep(watch.ASK_AGAIN)
    machine.server_ahead = HOURS_25
    burst.heard(f"250 2.0.0 OK {now + 25 * 3600} abc - gsmtp")
    assert not burst.may_send()
    assert "25 hours behind" in why_halted(account)


def test_each_machine_of_one_database_has_its_own(
    machine: Machine, account: GmailAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    found_right(account)
    other = Machine(monkeypatch, "nas")
    other.set_by = HOURS_25
    assert not Watch(account).may_send()
    assert "The clock of nas is 25 hours ahead" in why_halted(account)
    # The first finds nothing wrong with its own, and leaves the halt to the other.
    machine.run(monkeypatch)
    assert watch.look_around()
    assert halts.of(account) is not None
    other.run(monkeypatch)
    other.set_by = timedelta()
    other.sleep(watch.ASK_AGAIN)
    assert watch.look_around()
    assert halts.of(account) is None


# --- A person ends it ----------------------------------------------------------------------------


@pytest.mark.parametrize("jump", [HOURS_25, -HOURS_25])
def test_a_person_ends_it_and_what_was_sent_counts_as_long_as_before(
    machine: Machine, account: GmailAccount, jump: timedelta
) -> None:
    found_right(account)
    spend(account, 500, machine.read().wall - timedelta(hours=1))
    machine.set_by = jump
    assert not Watch(account).may_send()
    watch.confirm(account, machine.read().wall)
    assert halts.of(account) is None
    assert Watch(account).may_send()
    assert used(account, machine) == 500
    machine.sleep(timedelta(hours=23) - timedelta(minutes=1))
    assert used(account, machine) == 500
    machine.sleep(timedelta(minutes=4))
    assert used(account, machine) == 0
    # It was wrong after all: set right, it goes on by itself, and still counts what it should.
    spend(account, 400, machine.read().wall)
    machine.set_by = timedelta()
    assert Watch(account).may_send()
    assert used(account, machine) == 400
    assert halts.of(account) is None


def test_a_person_confirms_what_was_seen_and_not_another_jump(
    machine: Machine, account: GmailAccount
) -> None:
    found_right(account)
    machine.set_by = timedelta(hours=1)
    assert not Watch(account).may_send()
    watch.confirm(account, machine.read().wall)
    machine.set_by = HOURS_25
    assert not Watch(account).may_send()
    assert "25 hours" in why_halted(account)


def test_a_person_accepts_a_server_that_is_an_hour_off(
    machine: Machine, account: GmailAccount
) -> None:
    machine.server_ahead = timedelta(hours=1)
    assert not Watch(account).may_send()
    watch.confirm(account, machine.read().wall)
    found_right(account)
    machine.sleep(timedelta(hours=2))
    found_right(account)
    # Also after the machine was started anew, and once the server is right again.
    machine.start_anew()
    found_right(account)
    machine.server_ahead = timedelta()
    machine.sleep(timedelta(hours=2))
    found_right(account)


def test_it_stamps_what_was_claimed_by_the_clock_that_claimed_it(
    machine: Machine, account: GmailAccount
) -> None:
    burst = found_right(account)
    machine.set_by = -HOURS_25
    assert abs(burst.now() - machine.truly) < timedelta(seconds=1)
    machine.set_by = timedelta(seconds=5)
    assert burst.now() >= machine.truly - timedelta(seconds=1) + timedelta(seconds=5)


def test_it_never_moves_a_row_that_was_stamped_rightly(
    machine: Machine, account: GmailAccount
) -> None:
    found_right(account)
    spend(account, 1, machine.read().wall)
    before = LedgerRow.objects.get().at
    machine.sleep(DAYS_3)
    machine._started += DAYS_3
    found_right(account)
    assert LedgerRow.objects.get().at == before


def test_one_round_asks_each_server_once(machine: Machine, account: GmailAccount) -> None:
    others = [make_account(account.workspace) for _ in range(3)]
    for each in (account, *others):
        found_right(each)
    machine.asked = 0
    machine.set_by = HOURS_25
    watch.look_around()
    assert machine.asked == 1
    assert Halt.objects.filter(ended_at=None).count() == 4
    answers = Answers()
    assert answers.of(account) is answers.of(others[0])
