"""What a halt does: nothing leaves, single mails neither, and everybody is told why."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import halts
from accounts.halts import Cause
from accounts.models import GmailAccount, Halt
from campaigns.delivery import schedule
from campaigns.delivery.forecasting import forecast_workspace
from campaigns.delivery.handing_over import commit_handing_over
from campaigns.planning.sharing import Reason, Turn
from campaigns.reports import status
from tests.belongings import Belongings
from tests.campaigns.claiming import claim_next
from tests.campaigns.delivery.test_claim import account_in_hand, claim_one
from tests.campaigns.making import make_account, make_campaign, make_single

WHY = "The clock jumped ahead by 25 hours."


def halt(*accounts: GmailAccount, cause: Cause = Cause.CLOCK) -> None:
    halts.begin(accounts, cause, WHY, timezone.now())


@pytest.mark.django_db
def test_it_lets_nothing_leave_until_it_ends() -> None:
    account = account_in_hand()
    campaign = make_campaign(account.workspace, [account])
    make_single(account)
    halt(account)
    now = timezone.now()
    turn = claim_next(account.pk, "me", now)
    assert turn == Turn(None, None, Reason.HALTED)
    GmailAccount.objects.update(burst_until=None)
    assert schedule.due_accounts(now) == []
    assert forecast_workspace(campaign.workspace, now).unplanned == {campaign.pk: 3}
    said = status.status_of(campaign, now).why_not_now
    assert said == f"{account.address} is halted; nothing is lost. {WHY}"

    assert halts.end([account], Cause.CLOCK, now) == 1
    assert schedule.due_accounts(now) == [account.pk]
    assert forecast_workspace(campaign.workspace, now).unplanned == {}
    claim_one(account)


@pytest.mark.django_db
def test_it_plans_no_day_far_ahead_either() -> None:
    account = account_in_hand()
    campaign = make_campaign(account.workspace, [account])
    halt(account)
    now = timezone.now()
    assert forecast_workspace(campaign.workspace, now).departures == []


@pytest.mark.django_db
def test_it_stops_a_message_that_was_claimed_before() -> None:
    account = account_in_hand()
    make_campaign(account.workspace, [account])
    claim = claim_one(account)
    halt(account)
    assert not commit_handing_over(claim, b"raw", timezone.now())
    halts.end([account], Cause.CLOCK, timezone.now())
    assert commit_handing_over(claim, b"raw", timezone.now())


@pytest.mark.django_db
def test_it_is_of_one_account_and_one_cause() -> None:
    account = account_in_hand()
    other = make_account(account.workspace)
    halt(account)
    halt(account, other, cause=Cause.RESTORED)
    halt(account)  # nothing new
    assert Halt.objects.count() == 3
    assert halts.end([account], Cause.CLOCK, timezone.now()) == 1
    assert {halt.cause for halt in halts.by_account([account, other]).values()} == {"restored"}
    halts.end([account], Cause.RESTORED, timezone.now())
    assert halts.of(account) is None
    assert halts.of(other) is not None


@pytest.mark.django_db
def test_it_may_begin_again() -> None:
    account = account_in_hand()
    halt(account)
    halts.end([account], Cause.CLOCK, timezone.now())
    halt(account)
    assert account.halts.filter(ended_at=None).count() == 1
    assert account.halts.count() == 2


def test_the_pages_say_why(owner_client: Client, home: Belongings) -> None:
    account = make_account(home.workspace, address="siop@gmail.com")
    make_campaign(home.workspace, [account])
    halt(account)
    change = reverse("admin:accounts_gmailaccount_change", args=[account.pk])
    page = owner_client.get(change).content.decode()
    assert "Halted" in page
    assert WHY in page
    needs = owner_client.get("/").context["needs"]
    assert ("Nothing leaves through siop@gmail.com.", WHY) in [
        (need.what, need.detail) for need in needs
    ]
    halts.end([account], Cause.CLOCK, timezone.now() + timedelta(seconds=1))
    assert WHY not in owner_client.get(change).content.decode()
