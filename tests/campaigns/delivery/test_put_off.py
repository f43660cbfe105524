"""A message that Gmail never takes and never refuses: it must not keep others from leaving."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from accounts.models import GmailAccount
from campaigns.delivery import outcomes
from campaigns.delivery.sender import Tally, send_due
from campaigns.models import Campaign, Message
from campaigns.reports import status
from tests.campaigns.delivery.test_sender import accepted, people
from tests.campaigns.making import make_campaign, make_single
from tests.gmail import gmail_says
from tests.journeys.virtual_clock import VirtualClock
from tests.practice_gmail import PracticeGmail

M = Message.State
ALWAYS = {"times": None}


@pytest.fixture
def clock(gmail: PracticeGmail) -> Iterator[VirtualClock]:
    with VirtualClock(gmail, timezone.now()) as clock:
        yield clock


def put_off(account: GmailAccount, single: bool) -> Message:
    if single:
        return make_single(account, "never@example.net")
    message = make_campaign(account.workspace, [account], recipients=1).messages.first()
    assert message is not None
    return message


def end_of_rest(account: GmailAccount) -> datetime:
    account.refresh_from_db()
    return account.resting_until or timezone.now()


@pytest.mark.parametrize("single", [False, True], ids=["of a campaign", "single"])
@pytest.mark.parametrize(
    ("step", "fault"),
    [
        ("data", {"reply": "451 4.3.0 Mail server temporarily rejected message."}),
        ("rcpt", {"drop": True}),
        ("data", {"drop": True}),
        ("dot", {"reply": gmail_says.UNUSUAL_RATE}),
        ("dot", {"reply": gmail_says.IDLE}),
    ],
    ids=lambda value: value if isinstance(value, str) else next(iter(value)),
)
def test_it_lets_everybody_else_go_first(
    gmail: PracticeGmail,
    account: GmailAccount,
    clock: VirtualClock,
    single: bool,
    step: str,
    fault: dict[str, object],
) -> None:
    never = put_off(account, single)
    others = make_campaign(account.workspace, [account], recipients=4)
    gmail.control(faults=[{"where": step, "to": never.to_email, **fault, **ALWAYS}])
    tally = send_due(account.pk)
    clock.wait_until(end_of_rest(account))
    tally.add(send_due(account.pk))
    assert (tally.sent, tally.in_doubt) == (4, 0)
    assert accepted(gmail, others) == people(others)
    never.refresh_from_db()
    account.refresh_from_db()
    assert (never.state, never.attempts) == (M.WAITING, 1)
    assert account.failures_in_a_row == 0


def test_it_lets_another_campaign_leave_beside_one_that_gmail_always_puts_off(
    gmail: PracticeGmail, account: GmailAccount, clock: VirtualClock
) -> None:
    never = make_campaign(account.workspace, [account], recipients=6)
    other = make_campaign(account.workspace, [account], recipients=3)
    fault = {"where": "dot", "reply": gmail_says.UNUSUAL_RATE, **ALWAYS}
    gmail.control(faults=[{**fault, "to": person} for person in people(never)])
    for _ in range(4):
        send_due(account.pk)
        clock.wait_until(end_of_rest(account))
    assert accepted(gmail, other) == people(other)
    assert accepted(gmail, never) == []


@pytest.mark.parametrize("single", [False, True], ids=["of a campaign", "single"])
def test_it_says_at_last_that_it_cannot_be_sent(
    gmail: PracticeGmail, account: GmailAccount, clock: VirtualClock, single: bool
) -> None:
    never = put_off(account, single)
    began = timezone.now()
    fault = {"where": "dot", "reply": gmail_says.SYSTEM_PROBLEM, "to": never.to_email}
    gmail.control(faults=[fault | ALWAYS])
    for _ in range(outcomes.MOST_ATTEMPTS - 1):
        assert send_due(account.pk) == Tally(put_back=1)
        never.refresh_from_db()
        assert never.state == M.WAITING
        clock.wait_until(never.not_before)
    assert send_due(account.pk) == Tally(refused=1)
    never.refresh_from_db()
    assert never.reply.startswith("Tried 12 times. 421 4.3.0 Temporary System Problem.")
    assert timezone.now() - began > timedelta(days=2), "no outage shall come to this"


@pytest.mark.parametrize(
    ("step", "fault"),
    [
        ("connect", {"reply": gmail_says.CLOSING}),
        ("auth", {"reply": gmail_says.TOO_MANY_LOGINS}),
        ("mail", {"drop": True}),
    ],
)
def test_it_uses_up_no_try_before_gmail_knew_of_the_message(
    gmail: PracticeGmail,
    account: GmailAccount,
    campaign: Campaign,
    clock: VirtualClock,
    step: str,
    fault: dict[str, object],
) -> None:
    for _ in range(3):
        gmail.control(faults=[{"where": step, **fault}])
        assert send_due(account.pk) == Tally(put_back=1)
        clock.wait_until(end_of_rest(account))
    waiting = campaign.messages.filter(not_before__lte=timezone.now(), attempts=0)
    assert waiting.filter(state=M.WAITING).count() == 3
    assert send_due(account.pk) == Tally(sent=3)


def test_it_says_when_the_only_one_that_waits_is_tried_again(
    gmail: PracticeGmail, account: GmailAccount, clock: VirtualClock
) -> None:
    never = put_off(account, single=False)
    assert never.campaign is not None
    gmail.control(faults=[{"where": "data", "reply": gmail_says.BUSY}])
    send_due(account.pk)
    never.refresh_from_db()
    for _ in range(2):
        now = timezone.now()
        told = status.status_of(never.campaign, now)
        local = f"{never.not_before:%H:%M}"
        assert told.why_not_now is not None
        assert told.why_not_now.startswith("Gmail asked to try again later")
        assert told.why_not_now.endswith(f"{local}.")
        assert told.next_at == told.finishes == never.not_before
        clock.wait_until(end_of_rest(account))
