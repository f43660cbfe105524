from datetime import UTC, datetime, time, timedelta

import pytest
from django.utils import timezone

from accounts import halts
from accounts.models import GmailAccount, LedgerRow
from campaigns.models import Campaign, Event, Message
from campaigns.planning.sharing import Reason
from campaigns.reports import progress, status
from tests.campaigns.making import make_account, make_campaign, make_workspace, spend

pytestmark = pytest.mark.django_db
M = Message.State


@pytest.fixture
def campaign() -> Campaign:
    workspace = make_workspace()
    return make_campaign(workspace, [make_account(workspace)], recipients=4)


def account_of(campaign: Campaign) -> GmailAccount:
    return campaign.accounts.get()


def why(campaign: Campaign, now: datetime | None = None) -> str | None:
    campaign.refresh_from_db()
    return status.status_of(campaign, now or timezone.now()).why_not_now


def test_it_counts_every_message_in_exactly_one_state(campaign: Campaign) -> None:
    first, second, *_ = campaign.messages.order_by("id")
    Message.objects.filter(pk=first.pk).update(state=M.SENT, sent_at=timezone.now())
    Message.objects.filter(pk=second.pk).update(state=M.IN_DOUBT)
    counts = status.status_of(campaign, timezone.now()).counts
    assert set(counts) == set(M.values)
    assert (counts["sent"], counts["in_doubt"], counts["waiting"]) == (1, 1, 2)
    assert sum(counts.values()) == campaign.recipients


def test_it_counts_a_person_who_replied_twice_once(campaign: Campaign) -> None:
    message = campaign.messages.first()
    for _ in range(2):
        Event.objects.create(message=message, kind="replied", at=timezone.now())
    assert status.status_of(campaign, timezone.now()).events["replied"] == 1


def test_it_gives_no_reason_while_messages_leave(campaign: Campaign) -> None:
    assert why(campaign) is None


def test_it_says_that_it_rests_at_the_limit_and_until_when(campaign: Campaign) -> None:
    now = datetime(2036, 11, 24, 12, tzinfo=UTC)
    spend(account_of(campaign), 500, now - timedelta(hours=20))
    reason = why(campaign, now)
    assert reason is not None
    assert "Resting until Mon 24 Nov, 16:02" in reason
    assert "500" in reason


def test_it_says_that_gmail_stopped_an_account_below_its_own_limit(campaign: Campaign) -> None:
    now = datetime(2036, 11, 24, 12, tzinfo=UTC)
    spend(account_of(campaign), 40, now - timedelta(hours=20))
    assert "below" not in str(why(campaign, now))
    GmailAccount.objects.update(learned_limit=40, learned_at=now)
    reason = str(why(campaign, now))
    assert "40 of the 40 messages in any 24 hours are used." in reason
    assert "Gmail refused more than 40 on Monday 24 November." in reason
    assert "to 500 at" in reason


def test_it_says_what_gmail_said_while_the_account_rests(campaign: Campaign) -> None:
    now = datetime(2036, 11, 24, 12, tzinfo=UTC)
    GmailAccount.objects.update(
        resting_until=now + timedelta(minutes=4), resting_reason="421 4.7.0 Try again later"
    )
    assert "rests until Mon 24 Nov, 12:04. Gmail has a passing trouble" in str(why(campaign, now))


def test_it_says_that_the_account_needs_reconnecting(campaign: Campaign) -> None:
    GmailAccount.objects.update(state="needs_reconnecting")
    assert "needs reconnecting" in str(why(campaign))


def test_it_says_when_its_hours_begin_in_the_accounts_zone(campaign: Campaign) -> None:
    GmailAccount.objects.update(time_zone="Europe/Athens")
    Campaign.objects.update(hours_from=time(9), hours_to=time(17))
    now = datetime(2036, 11, 24, 20, tzinfo=UTC)
    assert "Outside its hours. Goes on Tue 25 Nov, 09:00" in str(why(campaign, now))


def test_it_says_why_it_was_paused(campaign: Campaign) -> None:
    Campaign.objects.update(state="paused", state_reason="Gmail refused this message: 552")
    assert why(campaign) == "Gmail refused this message: 552"
    Campaign.objects.update(state="paused", state_reason="")
    assert "Paused" in str(why(campaign))


def test_it_goes_by_the_account_that_is_free_first(campaign: Campaign) -> None:
    spend(account_of(campaign), 500)
    other = make_account(campaign.workspace)
    campaign.campaign_accounts.create(account=other)
    assert why(campaign) is None


def test_it_does_not_go_by_an_account_for_which_nothing_waits(campaign: Campaign) -> None:
    account = account_of(campaign)
    campaign.messages.update(account=account)
    GmailAccount.objects.update(state="needs_reconnecting")
    campaign.campaign_accounts.create(account=make_account(campaign.workspace))
    assert f"{account.address} needs reconnecting" in str(why(campaign))


def test_it_adds_what_was_sent_to_what_is_planned(campaign: Campaign) -> None:
    now = timezone.now()
    sent = campaign.messages.order_by("id").first()
    assert sent is not None
    Message.objects.filter(pk=sent.pk).update(
        state=M.SENT, sent_at=now - timedelta(days=2), account=account_of(campaign)
    )
    report = status.status_of(campaign, now)
    assert report.by_day == {(now - timedelta(days=2)).date(): 1, now.date(): 3}
    assert report.finishes == now
    assert report.done == 1


def test_it_counts_as_done_what_left_or_never_can(campaign: Campaign) -> None:
    now = timezone.now()
    campaign = make_campaign(campaign.workspace, [account_of(campaign)], len(M))
    for message, state in zip(campaign.messages.order_by("id"), M, strict=True):
        Message.objects.filter(pk=message.pk).update(state=state)
    [line] = progress.lines_of([campaign], campaign.workspace, now)
    assert status.status_of(campaign, now).done == line.done == 3


def test_it_shows_the_use_of_each_account(campaign: Campaign) -> None:
    account = account_of(campaign)
    GmailAccount.objects.update(limit=100, reserve_by_hand=10)
    spend(account, 30)
    [use] = status.account_uses(campaign.workspace, timezone.now())
    assert (use.limit, use.used_24h, use.free_now) == (100, 30, 60)


def test_it_says_how_much_of_what_is_used_was_written_by_hand(campaign: Campaign) -> None:
    account, now = account_of(campaign), timezone.now()
    GmailAccount.objects.update(limit=20)
    spend(account, 12)
    spend(account, 8, source=LedgerRow.Source.BY_HAND)
    said = status.status_of(campaign, now).why_not_now or ""
    assert (
        ": 20 of the 20 messages in any 24 hours are used. 8 of them were written by hand." in said
    )
    [use] = status.account_uses(campaign.workspace, now)
    assert use.used_by_hand_24h == 8


def test_it_has_nothing_free_while_an_account_rests_or_is_halted(campaign: Campaign) -> None:
    account, now = account_of(campaign), timezone.now()
    until = now + timedelta(hours=2)
    GmailAccount.objects.update(resting_until=until, resting_reason="421 4.7.0 Try again later")
    [use] = status.account_uses(campaign.workspace, now)
    assert (use.free_now, use.next_free_at, use.held_by) == (0, until, Reason.RESTING)
    halts.begin([account], halts.Cause.CLOCK, "The clock jumped.", now)
    [use] = status.account_uses(campaign.workspace, now)
    assert (use.free_now, use.next_free_at, use.held_by) == (0, None, Reason.HALTED)


def test_it_knows_when_a_full_account_may_send_more_because_its_limit_grows(
    campaign: Campaign,
) -> None:
    now = timezone.now()
    learned_at = now - timedelta(hours=20)
    GmailAccount.objects.update(learned_limit=40, learned_at=learned_at)
    spend(account_of(campaign), 40, now - timedelta(hours=1))
    [use] = status.account_uses(campaign.workspace, now)
    assert (use.limit, use.free_now, use.held_by) == (40, 0, Reason.LIMIT)
    assert use.next_free_at == learned_at + timedelta(days=1)
    assert status.status_of(campaign, now).next_at == use.next_free_at
