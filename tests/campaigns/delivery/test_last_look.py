"""What is decided while a message lies at Gmail but for its end counts: the dot is not given."""

import pytest
from django.utils import timezone

from accounts.models import GmailAccount
from campaigns import control
from campaigns.delivery.sender import Tally, send_due
from campaigns.list_choice import choose
from campaigns.models import Campaign, Contact, Message, Suppression
from tests.campaigns.delivery.midway import after_the_body
from tests.campaigns.delivery.test_sender import accepted, ledger_states, people, states
from tests.campaigns.making import make_list
from tests.practice_gmail import PracticeGmail

M = Message.State


def test_it_gives_no_dot_after_a_pause_in_the_middle_of_a_message(
    gmail: PracticeGmail,
    account: GmailAccount,
    campaign: Campaign,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    after_the_body(monkeypatch, lambda: control.pause(campaign.pk))
    assert send_due(account.pk) == Tally(put_back=1)
    assert accepted(gmail, campaign) == []
    assert states(campaign) == [M.WAITING] * 3
    assert ledger_states(account) == ["void"]


def test_it_gives_no_dot_after_an_opt_out_in_the_middle_of_a_message(
    gmail: PracticeGmail,
    account: GmailAccount,
    campaign: Campaign,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = people(campaign)[0]
    suppress = Suppression(workspace=account.workspace, email_key=first)
    after_the_body(monkeypatch, suppress.save)
    assert send_due(account.pk) == Tally(sent=2, skipped=1)
    assert first not in accepted(gmail, campaign)
    assert states(campaign) == [M.SKIPPED, M.SENT, M.SENT]


def test_it_gives_no_dot_after_the_only_list_was_left(
    gmail: PracticeGmail,
    account: GmailAccount,
    campaign: Campaign,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = campaign.messages.order_by("id").first()
    assert first is not None
    after_the_body(monkeypatch, lambda: choose(first, [], timezone.now()))
    assert send_due(account.pk) == Tally(sent=2, skipped=1)
    assert first.to_email not in accepted(gmail, campaign)
    assert states(campaign) == [M.SKIPPED, M.SENT, M.SENT]


def test_it_does_not_begin_with_who_left_before(
    gmail: PracticeGmail, account: GmailAccount, campaign: Campaign
) -> None:
    first, second, _third = campaign.messages.order_by("id")
    other = make_list(campaign.workspace, 0)
    other.memberships.create(contact=second.contact)
    campaign.lists.add(other)
    now = timezone.now()
    choose(first, [], now)
    # On another list of the same campaign still.
    choose(second, [other.pk], now)
    assert send_due(account.pk) == Tally(sent=2, skipped=1)
    assert states(campaign) == [M.SKIPPED, M.SENT, M.SENT]


def test_it_gives_no_dot_after_its_contact_was_deleted(
    gmail: PracticeGmail,
    account: GmailAccount,
    campaign: Campaign,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = people(campaign)[0]
    after_the_body(monkeypatch, lambda: Contact.objects.filter(email_key=first).delete())
    send_due(account.pk)
    assert first not in accepted(gmail, campaign)
    assert states(campaign) == [M.SKIPPED, M.SENT, M.SENT]


def test_it_gives_no_dot_after_its_account_was_disconnected(
    gmail: PracticeGmail,
    account: GmailAccount,
    campaign: Campaign,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gone = GmailAccount.State.DISCONNECTED
    after_the_body(monkeypatch, lambda: GmailAccount.objects.update(state=gone))
    assert send_due(account.pk) == Tally(put_back=1)
    assert accepted(gmail, campaign) == []
    assert states(campaign) == [M.WAITING] * 3


def test_it_cancels_the_message_in_hand_when_the_campaign_is_cancelled(
    gmail: PracticeGmail,
    account: GmailAccount,
    campaign: Campaign,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    after_the_body(monkeypatch, lambda: control.cancel(campaign.pk))
    send_due(account.pk)
    assert states(campaign) == [M.CANCELLED] * 3
    assert accepted(gmail, campaign) == []
