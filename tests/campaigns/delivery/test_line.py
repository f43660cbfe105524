"""One session for many messages, replaced when Gmail ends it, and few log-ins."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts import sealed
from accounts.models import GmailAccount
from campaigns import control
from campaigns.delivery.sender import Tally, send_due
from campaigns.models import Campaign, Message, Suppression
from tests.accounts.gmail_cast import connect_by_consent
from tests.campaigns.delivery.midway import after_the_body
from tests.campaigns.delivery.test_sender import accepted, people, rested, states
from tests.campaigns.making import make_campaign, make_workspace
from tests.gmail import gmail_says
from tests.journeys.virtual_clock import VirtualClock
from tests.practice_gmail import PracticeGmail

M = Message.State
# A fault that does next to nothing, and so only counts how often Gmail was asked to let us in,
# whether it did or not.
MANY = 1_000_000
COUNTER = {"where": "auth", "hang": 0.001, "times": MANY}


def plant(gmail: PracticeGmail, *faults: dict[str, object]) -> None:
    gmail.control(faults=[COUNTER, *faults])


def logins(gmail: PracticeGmail) -> int:
    return MANY - int(gmail.control()["faults"][0]["times"])


def before_message(number: int, act: Callable[[], object]) -> Callable[[], bool]:
    """For `keep_going`: do something between two messages of a burst, once."""
    asked = iter(range(1, MANY))

    def keep_going() -> bool:
        if next(asked) == number:
            act()
        return True

    return keep_going


ENDINGS = [
    ("mail", {"drop": True}),
    ("mail", {"reply": gmail_says.IDLE}),
    ("mail", {"reply": "421 Service closing transmission channel"}),
    ("mail", {"reply": gmail_says.NOT_LOGGED_IN}),
    ("rcpt", {"drop": True}),
    ("data", {"reply": gmail_says.IDLE}),
]


@pytest.mark.parametrize(("step", "fault"), ENDINGS)
def test_it_carries_on_with_the_same_message_over_a_new_session(
    gmail: PracticeGmail,
    account: GmailAccount,
    campaign: Campaign,
    step: str,
    fault: dict[str, object],
) -> None:
    plant(gmail)
    ended = before_message(2, lambda: gmail.control(faults=[{"where": step, **fault}]))
    assert send_due(account.pk, ended) == Tally(sent=3)
    assert accepted(gmail, campaign) == people(campaign)
    account.refresh_from_db()
    assert (account.resting_until, account.rests.count()) == (None, 0)


def test_it_tries_again_at_once_when_the_session_ends_at_the_dot(
    gmail: PracticeGmail, account: GmailAccount, campaign: Campaign
) -> None:
    second = people(campaign)[1]
    plant(gmail, {"where": "dot", "to": second, "reply": gmail_says.IDLE})
    assert send_due(account.pk) == Tally(sent=3, put_back=1)
    assert sorted(accepted(gmail, campaign)) == people(campaign)
    assert logins(gmail) == 2
    account.refresh_from_db()
    assert account.resting_until is None


def test_it_leaves_the_account_alone_when_the_new_session_fails_too(
    gmail: PracticeGmail, account: GmailAccount, campaign: Campaign
) -> None:
    second = people(campaign)[1]
    plant(gmail, {"where": "rcpt", "to": second, "reply": gmail_says.IDLE, "times": 2})
    assert send_due(account.pk) == Tally(sent=1, put_back=1)
    account.refresh_from_db()
    assert account.resting_until is not None
    assert logins(gmail) == 2
    rested(account)
    assert send_due(account.pk) == Tally(sent=2)
    assert sorted(accepted(gmail, campaign)) == people(campaign)


def test_it_does_not_log_in_again_and_again_when_every_session_is_ended(
    gmail: PracticeGmail, account: GmailAccount
) -> None:
    campaign = make_campaign(account.workspace, [account], recipients=8)
    ends = [{"where": "rcpt", "to": each, "drop": True} for each in people(campaign)[1:]]
    plant(gmail, *ends)
    tally = send_due(account.pk)
    assert logins(gmail) == 3
    assert tally.sent == len(accepted(gmail, campaign)) == 3
    account.refresh_from_db()
    assert account.resting_until is not None
    for _ in range(8):
        rested(account)
        send_due(account.pk)
    assert states(campaign) == [M.SENT] * 8
    assert sorted(accepted(gmail, campaign)) == people(campaign)


@pytest.mark.django_db(transaction=True)
def test_it_logs_in_with_a_token_that_is_good_when_gmail_ends_a_session_with_its_token(
    gmail: PracticeGmail,
) -> None:
    account = connect_by_consent(gmail, make_workspace())
    campaign = make_campaign(account.workspace, [account], recipients=3)
    first_token = sealed.ACCESS_TOKEN.open(account)
    with VirtualClock(gmail, timezone.now()) as clock:

        def end_the_token() -> None:
            clock.wait_until(timezone.now() + timedelta(hours=2))
            plant(gmail, {"where": "mail", "drop": True})

        tally = send_due(account.pk, before_message(3, end_the_token))
    assert tally == Tally(sent=3)
    assert accepted(gmail, campaign) == people(campaign)
    assert logins(gmail) == 1, "the old token was not even tried"
    account.refresh_from_db()
    assert sealed.ACCESS_TOKEN.open(account) != first_token
    assert (account.state, account.rests.count()) == ("ready", 0)


def test_it_gives_the_next_message_another_session_after_one_that_was_broken_off(
    gmail: PracticeGmail,
    account: GmailAccount,
    campaign: Campaign,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In a session that waits for the rest of a message, the next one would be read as that."""
    other = make_campaign(account.workspace, [account], recipients=2)
    plant(gmail)
    after_the_body(monkeypatch, lambda: control.pause(campaign.pk))
    assert send_due(account.pk) == Tally(sent=2, put_back=1)
    assert accepted(gmail, campaign) == []
    assert accepted(gmail, other) == people(other)
    assert logins(gmail) == 2


def test_it_keeps_the_session_when_a_campaign_pauses_before_gmail_heard_of_its_message(
    gmail: PracticeGmail, account: GmailAccount, campaign: Campaign
) -> None:
    broken = make_campaign(account.workspace, [account], recipients=2)
    broken.revisions.update(html="{% for x in (1..9999999) %}{{ x }}{% endfor %}")
    plant(gmail)
    assert send_due(account.pk) == Tally(sent=3, put_back=1)
    assert logins(gmail) == 1


def test_it_keeps_the_session_after_a_message_that_was_put_off(
    gmail: PracticeGmail, account: GmailAccount, campaign: Campaign
) -> None:
    """Reset by then: the next one is not taken for a part of it."""
    first, *others = people(campaign)
    plant(gmail, {"where": "rcpt", "to": first, "reply": gmail_says.MAILBOX_BUSY})
    assert send_due(account.pk) == Tally(sent=2, put_back=1)
    assert accepted(gmail, campaign) == others
    assert logins(gmail) == 1


def test_it_does_not_even_name_the_suppressed_to_gmail(
    gmail: PracticeGmail, account: GmailAccount, campaign: Campaign
) -> None:
    """To break off a message costs its session, and so a log-in for each of them."""
    first, second, _ = people(campaign)
    named = {"where": "rcpt", "hang": 0.001}
    for address in (first, second):
        Suppression.objects.create(workspace=account.workspace, email_key=address)
    plant(gmail, {**named, "to": first}, {**named, "to": second})
    assert send_due(account.pk) == Tally(sent=1, skipped=2)
    assert logins(gmail) == 1
    unheard = {fault.get("to") for fault in gmail.control()["faults"]}
    assert {first, second} <= unheard
