"""Moments that a clock wrote while it was wrong do not stay ahead once it has come right."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from accounts import halts, standing
from accounts.clock import watch
from accounts.clock.watch import Watch
from accounts.doctor import check_ups
from accounts.models import CheckUp, GmailAccount, Rest
from campaigns.delivery import recovery, restored, schedule, sent_search
from campaigns.delivery.claim import Claim, take_account
from campaigns.delivery.handing_over import commit_handing_over
from campaigns.models import CampaignAccount, Message
from tests.accounts.clock.machine import Machine
from tests.campaigns.claiming import claim_next
from tests.campaigns.making import make_account, make_campaign, make_single, make_workspace

HOURS_25 = timedelta(hours=25)
HOUR = timedelta(hours=1)
M = Message.State
pytestmark = pytest.mark.django_db


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    machine = Machine(monkeypatch)
    monkeypatch.setattr(timezone, "now", lambda: machine.read().wall)
    return machine


@pytest.fixture
def account(machine: Machine) -> GmailAccount:
    return make_account(make_workspace())


def is_about(moment: datetime | None, then: datetime) -> bool:
    return moment is not None and abs(moment - then) < timedelta(minutes=1)


def come_right(machine: Machine) -> None:
    machine.set_by = timedelta()
    machine.sleep(watch.ASK_AGAIN)
    assert watch.look_around()


@pytest.fixture(params=["found right before", "new", "started anew"])
def wrong_and_unbelieved(
    request: pytest.FixtureRequest, machine: Machine, account: GmailAccount
) -> None:
    """It is a day and an hour ahead, and that is known."""
    if request.param != "new":
        assert Watch(account).may_send()
    if request.param == "started anew":
        machine.start_anew()
    machine.set_by = HOURS_25
    assert not Watch(account).may_send()


@pytest.mark.usefixtures("wrong_and_unbelieved")
def test_what_is_launched_while_the_clock_is_ahead_leaves_when_it_has_come_right(
    machine: Machine, account: GmailAccount
) -> None:
    campaign = make_campaign(account.workspace, [account], launched_at=timezone.now())
    single, put_off = make_single(account), campaign.messages.first()
    assert put_off is not None
    an_hour_on = machine.truly + HOUR
    Message.objects.filter(pk=put_off.pk).update(account=account, attempts=1, not_before=an_hour_on)
    come_right(machine)
    campaign.refresh_from_db()
    assert campaign.starts_at <= timezone.now()
    for message in Message.objects.exclude(pk=put_off.pk):
        assert message.not_before <= timezone.now()
    put_off.refresh_from_db()
    assert put_off.not_before == an_hour_on, "Gmail has put it off: it waits all the same"
    single.refresh_from_db()
    assert take_account(account.pk, "me", timezone.now())
    first = claim_next(account.pk, "me", timezone.now())
    assert isinstance(first, Claim)
    assert first.message == single
    assert isinstance(claim_next(account.pk, "me", timezone.now()), Claim)


@pytest.mark.usefixtures("wrong_and_unbelieved")
def test_a_doubt_is_looked_for_when_the_clock_has_come_right(
    machine: Machine, account: GmailAccount
) -> None:
    message = make_single(account)
    now = timezone.now()
    Message.objects.filter(pk=message.pk).update(
        state=M.IN_DOUBT, doubt_since=now, look_again_at=now + timedelta(minutes=5)
    )
    come_right(machine)
    message.refresh_from_db()
    assert is_about(message.doubt_since, machine.truly)
    assert is_about(message.look_again_at, machine.truly)


def test_what_is_waited_for_by_a_clock_that_was_confirmed_comes_right_with_it(
    machine: Machine, account: GmailAccount
) -> None:
    assert Watch(account).may_send()
    machine.set_by = HOURS_25
    assert not Watch(account).may_send()
    watch.confirm(account, timezone.now())
    assert Watch(account).may_send()
    # All of this by a clock that a person has said to be right.
    campaign = make_campaign(account.workspace, [account], recipients=4)
    waiting, claimed, doubted, sent = campaign.messages.order_by("pk")
    now = timezone.now()
    standing.back_off(account.pk, "421 4.7.0 Later", now)
    of = Message.objects.filter
    of(pk=waiting.pk).update(account=account, attempts=3, not_before=now + HOUR)
    of(pk=claimed.pk).update(state=M.CLAIMED, account=account, claim_until=now + HOUR)
    of(pk=doubted.pk).update(
        state=M.IN_DOUBT, account=account, doubt_since=now, look_again_at=now + HOUR
    )
    of(pk=sent.pk).update(state=M.SENT, account=account, handed_over_at=now, sent_at=now)
    CampaignAccount.objects.update(last_claim_at=now)
    GmailAccount.objects.update(
        learned_at=now, ramp_began_at=now, sent_read_at=now, access_token_expires_at=now + HOUR
    )
    come_right(machine)
    now = timezone.now()
    for message in (waiting, claimed, doubted, sent, account):
        message.refresh_from_db()
    assert is_about(waiting.not_before, now + HOUR)
    assert is_about(claimed.claim_until, now + HOUR)
    assert is_about(doubted.look_again_at, now + HOUR)
    assert is_about(doubted.doubt_since, now)
    assert is_about(sent.sent_at, now)
    assert is_about(sent.handed_over_at, now)
    assert is_about(CampaignAccount.objects.get().last_claim_at, now)
    assert is_about(account.resting_until, now + standing.FIRST_BACK_OFF)
    assert is_about(Rest.objects.get().until, now + standing.FIRST_BACK_OFF)
    assert is_about(account.access_token_expires_at, now + HOUR)
    for moment in (account.learned_at, account.ramp_began_at, account.sent_read_at):
        assert is_about(moment, now)


# --- Leases ----------------------------------------------------------------------------------


def test_no_lease_lasts_until_tomorrow(machine: Machine, account: GmailAccount) -> None:
    """Of a worker that died, by a clock that nobody had yet found to be wrong."""
    make_campaign(account.workspace, [account])
    now = timezone.now()
    ahead = now + HOURS_25
    check_ups.ask(account, now)
    CheckUp.objects.update(held_until=ahead)
    GmailAccount.objects.update(
        burst_holder="dead", burst_until=ahead, next_turn_at=ahead, sent_search_until=ahead
    )
    assert schedule.line(now).get() == account
    assert take_account(account.pk, "me", now)
    assert not take_account(account.pk, "another", now)
    assert sent_search._take(account.pk, now)
    assert not sent_search._take(account.pk, now)
    assert check_ups.due(now) == [account.pk]


def test_what_a_dead_worker_claimed_is_taken_back_however_far_ahead_it_reaches(
    machine: Machine, account: GmailAccount
) -> None:
    make_campaign(account.workspace, [account])
    now = timezone.now()
    assert take_account(account.pk, "me", now)
    before, after = (claim_next(account.pk, "me", now) for _ in range(2))
    assert isinstance(before, Claim)
    assert isinstance(after, Claim)
    assert commit_handing_over(after, b"bytes", now)
    Message.objects.exclude(state=M.WAITING).update(claim_until=now + HOURS_25)
    assert recovery.recover(now) == (1, 1)
    # Whoever wakes up with it does not get past the dot.
    assert not commit_handing_over(before, b"bytes", now)
    doubted = Message.objects.select_related("ledger_row").get(pk=after.message_id)
    assert doubted.state == M.IN_DOUBT
    assert doubted.doubt_since == now
    assert doubted.ledger_row is not None
    assert is_about(doubted.ledger_row.at, now + timedelta(minutes=30))


def test_a_restored_account_is_looked_at_though_its_halt_began_tomorrow(
    machine: Machine, account: GmailAccount
) -> None:
    GmailAccount.objects.update(inbound=GmailAccount.Inbound.IMAP)
    now = timezone.now()
    halts.begin([account], halts.Cause.RESTORED, "An older copy.", now + HOURS_25)
    assert restored.due(now) == []
    later = now + restored.PATIENCE
    assert restored.due(later - timedelta(seconds=1)) == []
    assert restored.due(later) == [account.pk]
    account.halts.update(looked_at=now + HOURS_25)
    assert restored.due(later) == [account.pk]
    account.halts.update(looked_at=later)
    assert restored.due(later) == []
