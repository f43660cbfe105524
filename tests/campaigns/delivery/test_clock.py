"""A burst whose clock is set while it sends, against a real server with Gmail's limit."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts import halts, ledger
from accounts.clock import watch
from accounts.clock.watch import Watch
from accounts.models import ClockCheck, GmailAccount, LedgerRow
from campaigns import tasks
from campaigns.delivery import claim, restored, schedule, sender
from campaigns.delivery.line import Line
from campaigns.delivery.read_sent import read_sent
from campaigns.delivery.sender import Tally, send_due
from campaigns.models import Campaign, Message
from tests.accounts.clock.machine import Machine
from tests.campaigns.making import make_campaign
from tests.mail_by_hand import write_by_hand
from tests.practice_gmail import PracticeGmail

HOURS_25 = timedelta(hours=25)
M = Message.State


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(monkeypatch)


def accepted(gmail: PracticeGmail, campaign: Campaign) -> int:
    mine = set(campaign.messages.values_list("to_email", flat=True))
    return sum(row["to"] in mine for row in gmail.ledger())


def test_an_account_without_a_token_asks_for_the_time_as_well(account: GmailAccount) -> None:
    """Its server is asked without a secret; else each boot would wait for a person."""
    assert account.auth == GmailAccount.Auth.APP_PASSWORD
    assert Watch(account).may_send()
    check = ClockCheck.objects.get()
    assert check.right_at is not None
    assert check.theirs_at is not None


@pytest.mark.parametrize("jump", [HOURS_25, -HOURS_25])
def test_a_jump_with_a_full_window_sends_nothing_and_says_why(
    gmail: PracticeGmail, account: GmailAccount, machine: Machine, jump: timedelta
) -> None:
    GmailAccount.objects.update(limit=3, reserve_by_hand=0, reserve_transactional=0)
    campaign = make_campaign(account.workspace, [account], recipients=9)
    assert send_due(account.pk) == Tally(sent=3)
    machine.set_by = jump
    Message.objects.update(not_before=datetime(2020, 1, 1, tzinfo=UTC))
    assert send_due(account.pk) == Tally()
    tasks.deliver_due()
    assert accepted(gmail, campaign) == 3
    halt = halts.of(account)
    assert halt is not None
    assert "25 hours" in halt.reason
    # Set right, it goes on by itself; and the limit is what it was.
    machine.set_by = timedelta()
    assert watch.look_around()
    assert halts.of(account) is None
    assert send_due(account.pk) == Tally()
    assert accepted(gmail, campaign) == 3
    # A person who takes a wrong clock for right does not empty the window either.
    machine.set_by = jump
    assert send_due(account.pk) == Tally()
    watch.confirm(account, machine.read().wall)
    send_due(account.pk)
    assert accepted(gmail, campaign) == 3


def test_one_that_was_in_hand_is_not_given_its_end(
    gmail: PracticeGmail,
    account: GmailAccount,
    campaign: Campaign,
    machine: Machine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Set between the claim and the last look."""
    _set_after(monkeypatch, Line, "give", machine)
    assert send_due(account.pk) == Tally(put_back=1)
    assert accepted(gmail, campaign) == 0
    assert set(campaign.messages.values_list("state", flat=True)) == {M.WAITING}
    assert LedgerRow.objects.get().state == "void"
    assert "jumped ahead" in (halts.of(account) or pytest.fail("not halted")).reason


def test_one_that_was_committed_is_not_given_its_end_either(
    gmail: PracticeGmail,
    account: GmailAccount,
    campaign: Campaign,
    machine: Machine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Set between the last look and the dot."""
    _set_after(monkeypatch, sender, "commit_handing_over", machine)
    assert send_due(account.pk) == Tally(put_back=1)
    assert accepted(gmail, campaign) == 0
    assert set(campaign.messages.values_list("state", flat=True)) == {M.WAITING}


def test_a_halt_that_another_begins_between_claim_and_dot_stops_the_dot(
    gmail: PracticeGmail,
    account: GmailAccount,
    campaign: Campaign,
    machine: Machine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    give = Line.give

    def give_and_halt(line: Line, *args: Any) -> None:
        give(line, *args)
        halts.begin([account], halts.Cause.CLOCK, "Elsewhere.", machine.truly)

    monkeypatch.setattr(Line, "give", give_and_halt)
    assert send_due(account.pk) == Tally(put_back=1)
    assert accepted(gmail, campaign) == 0


def test_mail_by_hand_is_counted_by_the_clock_of_the_account(
    gmail: PracticeGmail, account: GmailAccount
) -> None:
    """Gmail dates it by its own, which a person may have taken ours to be apart from."""
    GmailAccount.objects.update(inbound=GmailAccount.Inbound.IMAP, clock_ahead=-3600)
    gmail.control(sent_delay=0)
    write_by_hand(gmail, account.address)
    assert read_sent(account.pk, timezone.now()) >= 1
    at = LedgerRow.objects.latest("at").at
    assert at is not None
    assert abs(timezone.now() - timedelta(hours=1) - at) < timedelta(minutes=5)


def test_what_gmail_has_accepted_is_stamped_by_the_clock_that_claimed_it(
    gmail: PracticeGmail,
    account: GmailAccount,
    campaign: Campaign,
    machine: Machine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Set between dot and answer: by the new clock it would not count at all."""
    before = machine.truly
    _set_after(monkeypatch, Line, "finish", machine, -HOURS_25)
    assert send_due(account.pk) == Tally(sent=1)
    at = LedgerRow.objects.get().at
    assert at is not None
    assert before <= at <= machine.truly
    assert len(ledger.window(account, machine.truly)) == 1


def test_a_suspend_in_the_middle_of_a_burst_sends_nobody_twice(
    gmail: PracticeGmail,
    account: GmailAccount,
    campaign: Campaign,
    machine: Machine,
) -> None:
    machine.sleep(timedelta(days=3))
    assert send_due(account.pk).sent == 3
    assert halts.of(account) is None


def test_it_takes_no_account_by_a_clock_that_is_not_believed(
    account: GmailAccount,
    campaign: Campaign,
    machine: Machine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Until when it is taken would be written down a day ahead, and stay so."""
    assert schedule.send_next().sent == 3
    make_campaign(account.workspace, [account])
    monkeypatch.setattr(timezone, "now", lambda: machine.read().wall)
    for module in (claim, sender):
        monkeypatch.setattr(module, "take_account", lambda *args: pytest.fail("it was taken"))
    machine.set_by = HOURS_25
    assert schedule.send_next() == Tally()
    assert halts.of(account) is not None


def test_it_does_nothing_by_a_clock_that_is_not_believed(
    account: GmailAccount,
    campaign: Campaign,
    machine: Machine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Claims of other workers would all have run out by one that is a day ahead."""
    assert send_due(account.pk, keep_going=lambda: False) == Tally()
    one = campaign.messages.first()
    assert one is not None
    (row,) = ledger.reserve(account, one.source, campaign.pk, 1, machine.truly)
    Message.objects.filter(pk=one.pk).update(
        state=M.CLAIMED, account=account, ledger_row=row, claim_holder="another",
        claim_until=machine.truly + timedelta(minutes=5),
    )  # fmt: skip
    monkeypatch.setattr(timezone, "now", lambda: machine.read().wall)
    machine.set_by = HOURS_25
    tasks.deliver_due()
    one.refresh_from_db()
    assert one.state == M.CLAIMED
    machine.set_by = timedelta()
    tasks.deliver_due()
    assert account.pk in schedule.due_accounts(machine.truly)


def _set_after(
    monkeypatch: pytest.MonkeyPatch,
    where: Any,
    name: str,
    machine: Machine,
    by: timedelta = HOURS_25,
) -> None:
    """Once `name` has done its work, the wall clock is set."""
    does: Callable[..., Any] = getattr(where, name)

    def then_set(*args: Any) -> Any:
        done = does(*args)
        machine.set_by = by
        return done

    monkeypatch.setattr(where, name, then_set)


def test_it_reads_no_sent_after_a_restore_by_a_clock_that_is_not_believed(
    account: GmailAccount,
    campaign: Campaign,
    machine: Machine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The quarter of an hour for which it waits would be over at once."""
    GmailAccount.objects.update(inbound=GmailAccount.Inbound.IMAP)
    assert send_due(account.pk, keep_going=lambda: False) == Tally()
    halts.begin([account], halts.Cause.RESTORED, "An older copy.", machine.truly)
    monkeypatch.setattr(timezone, "now", lambda: machine.read().wall)
    woken: list[object] = []
    monkeypatch.setattr(
        tasks.look_for_what_left, "apply_async", lambda *given, **how: woken.append(given)
    )
    machine.set_by = HOURS_25
    tasks.resume_restored()
    assert woken == []
    machine.set_by = timedelta()
    machine.sleep(restored.PATIENCE)
    tasks.resume_restored()
    assert woken == [((account.pk,),)]


def test_a_frozen_clock_is_found_out_by_the_answer_to_the_next_message(
    gmail: PracticeGmail, account: GmailAccount, campaign: Campaign, machine: Machine
) -> None:
    assert send_due(account.pk, keep_going=lambda: False) == Tally()
    machine.sleep(watch.ASK_AGAIN)
    gmail.control(clock_offset=HOURS_25.total_seconds())
    machine.server_ahead = HOURS_25
    assert send_due(account.pk).sent == 1
    halt = halts.of(account)
    assert halt is not None
    assert "25 hours behind" in halt.reason
