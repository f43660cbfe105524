"""Several messages of one claim: as if each had been claimed alone, and given back untouched."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import GmailAccount, LedgerRow
from campaigns import control
from campaigns.delivery import outcomes, recovery
from campaigns.delivery.claim import CLAIM, HANDFUL, HANDFUL_LASTS, Claim, claim_next, take_account
from campaigns.delivery.compose import Composer
from campaigns.delivery.line import Line
from campaigns.delivery.sender import Tally, send_due
from campaigns.models import Campaign, CampaignAccount, Message, Suppression
from tests.accounts.clock.machine import Machine
from tests.campaigns.making import make_account, make_campaign, make_single, make_workspace
from tests.practice_gmail import PracticeGmail

M = Message.State


def claim_some(account: GmailAccount, most: int = HANDFUL) -> list[Claim]:
    assert take_account(account.pk, "me", timezone.now()) or account.burst_holder in ("", "me")
    claims = claim_next(account.pk, "me", timezone.now(), most)
    assert isinstance(claims, list)
    return claims


def states(campaign: Campaign) -> list[str]:
    return list(campaign.messages.order_by("id").values_list("state", flat=True))


# --- Claiming --------------------------------------------------------------------------------


@pytest.mark.django_db
def test_it_takes_those_that_wait_longest_each_with_a_use_of_its_own() -> None:
    account = make_account(make_workspace())
    campaign = make_campaign(account.workspace, [account], recipients=7)
    claims = claim_some(account)
    assert [claim.message_id for claim in claims] == list(
        campaign.messages.order_by("id").values_list("pk", flat=True)[:HANDFUL]
    )
    rows = LedgerRow.objects.order_by("id").values_list("message", "recipients", "state")
    assert list(rows) == [(claim.message_id, 1, "reserved") for claim in claims]
    assert [claim.ledger_row_id for claim in claims] == [
        Message.objects.get(pk=claim.message_id).ledger_row_id for claim in claims
    ]
    assert CampaignAccount.objects.get().claims == HANDFUL


@pytest.mark.django_db
@pytest.mark.parametrize("limit", [1, 3])
def test_it_takes_no_more_than_is_free(limit: int) -> None:
    account = make_account(make_workspace(), limit=limit)
    make_campaign(account.workspace, [account], recipients=7)
    assert len(claim_some(account)) == limit
    assert not isinstance(claim_next(account.pk, "me", timezone.now(), HANDFUL), list)


@pytest.mark.django_db
def test_it_takes_one_alone_after_a_trouble() -> None:
    account = make_account(make_workspace(), failures_in_a_row=1)
    make_campaign(account.workspace, [account], recipients=7)
    assert len(claim_some(account)) == 1


@pytest.mark.django_db
def test_it_takes_single_mail_alone_and_first() -> None:
    account = make_account(make_workspace())
    make_campaign(account.workspace, [account], recipients=7)
    single = make_single(account)
    assert [claim.message_id for claim in claim_some(account)] == [single.pk]


@pytest.mark.django_db
def test_it_knows_who_had_opted_out() -> None:
    account = make_account(make_workspace())
    campaign = make_campaign(account.workspace, [account], recipients=3)
    second = campaign.messages.order_by("id")[1]
    Suppression.objects.create(workspace=account.workspace, email_key=second.to_email.lower())
    assert [claim.suppressed for claim in claim_some(account)] == [False, True, False]


# --- Giving back -----------------------------------------------------------------------------


@pytest.mark.django_db
def test_what_was_not_begun_is_as_it_was() -> None:
    account = make_account(make_workspace())
    campaign = make_campaign(account.workspace, [account], recipients=5)
    before = list(Message.objects.order_by("id").values())
    outcomes.give_back(claim_some(account))
    assert list(Message.objects.order_by("id").values()) == before
    assert LedgerRow.objects.count() == 0
    assert CampaignAccount.objects.get(campaign=campaign).claims == 0


@pytest.mark.django_db
def test_what_was_bound_stays_bound() -> None:
    account = make_account(make_workspace())
    campaign = make_campaign(account.workspace, [account], recipients=2)
    Message.objects.filter(pk=campaign.messages.order_by("id")[0].pk).update(account=account)
    outcomes.give_back(claim_some(account))
    bound = campaign.messages.order_by("id").values_list("account", flat=True)
    assert list(bound) == [account.pk, None]


@pytest.mark.django_db
def test_what_was_taken_back_meanwhile_is_left_alone() -> None:
    account = make_account(make_workspace())
    campaign = make_campaign(account.workspace, [account], recipients=2)
    claims = claim_some(account)
    recovery.recover(timezone.now() + CLAIM + timedelta(seconds=1))
    outcomes.give_back(claims)
    assert states(campaign) == [M.WAITING] * 2
    assert list(LedgerRow.objects.values_list("state", flat=True)) == ["void"] * 2


@pytest.mark.django_db
def test_what_was_cancelled_meanwhile_does_not_wait_again() -> None:
    account = make_account(make_workspace())
    campaign = make_campaign(account.workspace, [account], recipients=3)
    claims = claim_some(account, most=2)
    control.cancel(campaign.pk)
    outcomes.give_back(claims)
    assert states(campaign) == [M.CANCELLED] * 3
    assert LedgerRow.objects.count() == 0


# --- Sending ---------------------------------------------------------------------------------


def logins(gmail: PracticeGmail, account: GmailAccount) -> int:
    rows = gmail.control()["accounts"]
    return int(next(row for row in rows if row["email"] == account.address)["logins"]["smtp"])


def after_each_message(monkeypatch: pytest.MonkeyPatch, act: Any) -> None:
    original = Line.finish

    def finish(line: Line) -> Any:
        reply = original(line)
        act()
        return reply

    monkeypatch.setattr(Line, "finish", finish)


def test_the_rest_waits_when_the_first_was_refused(
    gmail: PracticeGmail, account: GmailAccount, campaign: Campaign
) -> None:
    gmail.control(faults=[{"where": "data", "reply": "421 4.7.0 Try again later", "times": 1}])
    assert send_due(account.pk) == Tally(put_back=1)
    assert states(campaign) == [M.WAITING] * 3
    bound = campaign.messages.order_by("id").values_list("account", flat=True)
    assert list(bound) == [account.pk, None, None]
    assert list(LedgerRow.objects.values_list("state", flat=True)) == ["void"]


def test_a_refusal_for_the_limit_teaches_what_was_sent_not_what_was_in_hand(
    gmail: PracticeGmail, account: GmailAccount
) -> None:
    GmailAccount.objects.update(limit=100)
    make_campaign(account.workspace, [account], recipients=20)
    gmail.control(limit=len(gmail.ledger()) + 12)
    assert send_due(account.pk).sent == 12
    account.refresh_from_db()
    assert account.learned_limit == 12


def test_a_pause_stops_what_is_in_hand(
    gmail: PracticeGmail,
    account: GmailAccount,
    campaign: Campaign,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    after_each_message(monkeypatch, lambda: control.pause(campaign.pk))
    assert send_due(account.pk) == Tally(sent=1, put_back=1)
    assert states(campaign) == [M.SENT, M.WAITING, M.WAITING]


def test_one_who_had_opted_out_is_passed_over_in_the_same_session(
    gmail: PracticeGmail, account: GmailAccount, campaign: Campaign
) -> None:
    second = campaign.messages.order_by("id")[1]
    Suppression.objects.create(workspace=account.workspace, email_key=second.to_email.lower())
    before = logins(gmail, account)
    assert send_due(account.pk) == Tally(sent=2, skipped=1)
    assert logins(gmail, account) == before + 1


def test_it_is_asked_anew_what_may_leave_once_a_claim_has_become_old(
    gmail: PracticeGmail,
    account: GmailAccount,
    campaign: Campaign,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The campaign's hours may have ended meanwhile, or its person have lowered the limit."""
    machine = Machine(monkeypatch)

    def lower_the_limit() -> None:
        GmailAccount.objects.update(limit=1)
        machine.sleep(HANDFUL_LASTS)

    after_each_message(monkeypatch, lower_the_limit)
    assert send_due(account.pk) == Tally(sent=1)
    assert states(campaign) == [M.SENT, M.WAITING, M.WAITING]
    assert LedgerRow.objects.count() == 1


def test_it_gives_back_what_is_in_hand_when_something_unforeseen_ends_the_burst(
    gmail: PracticeGmail,
    account: GmailAccount,
    campaign: Campaign,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object) -> bytes:
        raise ZeroDivisionError

    monkeypatch.setattr(Composer, "compose", fail)
    with pytest.raises(ZeroDivisionError):
        send_due(account.pk)
    assert states(campaign) == [M.CLAIMED, M.WAITING, M.WAITING]


def test_it_gives_back_what_is_in_hand_when_its_turn_ends(
    gmail: PracticeGmail, account: GmailAccount, campaign: Campaign
) -> None:
    turns = iter([True, False])
    assert send_due(account.pk, keep_going=lambda: next(turns)) == Tally(sent=1)
    assert states(campaign) == [M.SENT, M.WAITING, M.WAITING]
    assert list(LedgerRow.objects.values_list("state", flat=True)) == ["accepted"]
