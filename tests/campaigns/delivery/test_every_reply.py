"""Every reply of Gmail's, given by a practice Gmail, through the whole app.

For each: what becomes of the message, its use of the limit, the account and the campaign; what
the campaign's page and the account's page say about it; and that in the end everybody who can be
written to was written to exactly once.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import connect, quota
from accounts.models import GmailAccount, LedgerRow, Membership, User
from campaigns import control
from campaigns.delivery import schedule
from campaigns.delivery.sender import Tally
from campaigns.models import Campaign, Message
from tests.campaigns.making import spend
from tests.cast import client_of
from tests.gmail import gmail_says
from tests.journeys.virtual_clock import VirtualClock
from tests.practice_gmail import PracticeGmail

M = Message.State
KNOWS_RECIPIENT = ("rcpt", "data", "body", "dot")


@dataclass(frozen=True)
class Case:
    """Gmail says `reply` to the first message at `step`. The rest is what is to follow.

    `rests` is for how long; `campaign_says`, `account_says` and `message_says` are words on the
    pages of these.
    """

    reply: str
    step: str
    message: str = M.WAITING
    sent_at_once: int = 0
    campaign: str = "sending"
    account: str = "ready"
    rests: timedelta | None = None
    campaign_says: tuple[str, ...] = ()
    account_says: tuple[str, ...] = ()
    message_says: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.reply[:3]} {self.reply[4:10].strip()} at {self.step}"

    def at(self, first: str, *others: str) -> "list[Case]":
        """The same at several steps; what the pages say of it is the same, and read once."""
        unread = replace(self, campaign_says=(), account_says=(), message_says=())
        return [replace(self, step=first), *(replace(unread, step=step) for step in others)]


FOUR_HOURS = timedelta(hours=4)
MINUTE = timedelta(minutes=1)

AT_LIMIT = Case(
    gmail_says.LIMIT,
    "dot",
    rests=FOUR_HOURS + quota.MARGIN,
    campaign_says=("Resting until", "40 of the 40 messages in any 24 hours are used"),
    account_says=("Resting until", "its limit for 24 hours is reached", "Gmail said: 550 5.4.5"),
)
PASSING = Case(
    gmail_says.TRY_LATER,
    "dot",
    rests=MINUTE,
    campaign_says=("rests until", "a passing trouble of its own", "nothing for you to do"),
    account_says=("Resting until", "a passing trouble of its own", "Gmail said: 4"),
)
TOO_FAST = replace(
    PASSING,
    reply=gmail_says.UNUSUAL_RATE,
    campaign_says=("rests until", "too fast", "spread your campaigns or set a lower limit"),
    account_says=("Resting until", "too fast", "unusual rate", "When it did not send"),
)
TOO_MANY_LOGINS = replace(
    PASSING,
    reply=gmail_says.TOO_MANY_LOGINS,
    step="auth",
    campaign_says=("rests until", "too many log-ins", "another program"),
    account_says=("too many log-ins", "Gmail said: 454 4.7.0 Too many login attempts"),
)
LOCKED_OUT = Case(
    gmail_says.BAD_CREDENTIALS,
    "auth",
    account="needs_reconnecting",
    campaign_says=("needs reconnecting; nothing is lost", "make a new app password"),
    account_says=("Needs reconnecting", "make a new app password", "Connect again"),
)
NO_SUCH_PERSON = Case(
    gmail_says.NO_SUCH_ACCOUNT,
    "rcpt",
    message=M.REFUSED,
    sent_at_once=2,
    message_says=("refused this message for good", "Look at the address"),
)
PERSON_LATER = Case(
    gmail_says.MAILBOX_BUSY,
    "rcpt",
    sent_at_once=2,
    campaign_says=("Gmail asked to try again later",),
    message_says=("Gmail put this message off once", "tried again by itself", "4.2."),
)
CONTENT = Case(
    gmail_says.UNSAFE,
    "dot",
    campaign="paused",
    campaign_says=("to be dangerous", "take that out of the template", "552 5.7.0"),
)
TOO_LARGE = replace(
    CONTENT,
    reply=gmail_says.TOO_LARGE,
    campaign_says=("larger than Gmail takes", "make the template smaller", "552 5."),
)
NOT_UNDERSTOOD = Case(
    gmail_says.STARTTLS_FIRST,
    "mail",
    campaign="paused",
    rests=MINUTE,
    campaign_says=("does not understand", "530 5.7.0 Must issue", "Resume to try once more"),
    account_says=("does not know", "look for a notice", "530 5.7.0 Must issue"),
)
BROKEN_OFF = Case(
    gmail_says.IDLE,
    "mail",
    rests=MINUTE,
    campaign_says=("rests until", "broke off", "tries again by itself"),
    account_says=("Resting until", "broke off", "look at the network"),
)
UNKNOWN_4XX = "499 4.9.9 Something nobody has seen yet."
UNKNOWN_5XX = "599 Something nobody has seen yet."

BEFORE_RECIPIENT = ("connect", "auth", "mail")
CASES = [
    *AT_LIMIT.at("mail", "data", "dot"),
    *replace(AT_LIMIT, reply=gmail_says.OLDER_LIMIT).at("data", "dot"),
    *PASSING.at(*BEFORE_RECIPIENT, *KNOWS_RECIPIENT),
    *replace(PASSING, reply=gmail_says.SYSTEM_PROBLEM).at("data", "dot"),
    *replace(PASSING, reply=gmail_says.BUSY).at("mail", "dot"),
    *replace(PASSING, reply=gmail_says.CANNOT_AUTHENTICATE).at("auth"),
    *replace(PASSING, reply=UNKNOWN_4XX).at(*BEFORE_RECIPIENT, *KNOWS_RECIPIENT),
    *TOO_FAST.at("data", "dot"),
    *replace(TOO_FAST, reply=gmail_says.REFUSED_RATE).at("dot"),
    TOO_MANY_LOGINS,
    LOCKED_OUT,
    replace(
        LOCKED_OUT,
        reply=gmail_says.NEEDS_APP_PASSWORD,
        campaign_says=("needs reconnecting", "takes no ordinary password", "apppasswords"),
        account_says=("takes no ordinary password", "apppasswords", "Connect again"),
    ),
    replace(
        LOCKED_OUT,
        reply=gmail_says.NEEDS_BROWSER,
        campaign_says=("needs reconnecting", "log in with a browser first"),
        account_says=("Open mail.google.com, log in", "Connect again"),
    ),
    replace(LOCKED_OUT, reply=UNKNOWN_5XX),
    *NO_SUCH_PERSON.at("rcpt", "dot"),
    *replace(NO_SUCH_PERSON, reply=gmail_says.NO_SUCH_DOMAIN).at("rcpt"),
    *replace(NO_SUCH_PERSON, reply=gmail_says.NO_ADDRESS).at("rcpt"),
    *replace(NO_SUCH_PERSON, reply=UNKNOWN_5XX).at("rcpt"),
    PERSON_LATER,
    replace(PERSON_LATER, reply=gmail_says.MAILBOX_FULL),
    *CONTENT.at("data", "dot"),
    *TOO_LARGE.at("data", "body", "dot"),
    *replace(TOO_LARGE, reply=gmail_says.TOO_LARGE_PARTS).at("mail", "dot"),
    *replace(
        CONTENT,
        reply=UNKNOWN_5XX,
        campaign_says=("refused the content", "correct or suppress the contact", "599"),
    ).at("data", "body", "dot"),
    NOT_UNDERSTOOD,
    replace(
        NOT_UNDERSTOOD,
        reply=UNKNOWN_5XX,
        campaign_says=("does not understand", "599 Something nobody has seen yet", "Resume"),
        account_says=("does not know", "599 Something"),
    ),
    replace(
        PASSING,
        reply=UNKNOWN_5XX,
        step="connect",
        campaign_says=("rests until", "does not know"),
        account_says=("does not know", "599 Something"),
    ),
    *BROKEN_OFF.at("mail", "rcpt", "data", "body", "dot"),
    replace(BROKEN_OFF, reply=gmail_says.NOT_LOGGED_IN),
]


@pytest.fixture
def clock(gmail: PracticeGmail) -> Iterator[VirtualClock]:
    with VirtualClock(gmail, timezone.now()) as clock:
        yield clock


@pytest.fixture
def client(account: GmailAccount) -> Client:
    owner = User.objects.create_user("owner@example.org")
    Membership.objects.create(user=owner, workspace=account.workspace, role="owner")
    return client_of(owner)


def deliver() -> Tally:
    """What the periodic task does."""
    tally = Tally()
    for account_id in schedule.due_accounts(timezone.now()):
        tally.add(schedule.send_account(account_id))
    return tally


def accepted(gmail: PracticeGmail, campaign: Campaign) -> Counter[str]:
    people = set(campaign.messages.values_list("to_email", flat=True))
    return Counter(row["to"] for row in gmail.ledger() if row["to"] in people)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_it_does_what_a_reply_calls_for_and_says_so(
    case: Case,
    gmail: PracticeGmail,
    account: GmailAccount,
    campaign: Campaign,
    clock: VirtualClock,
    client: Client,
) -> None:
    spend(account, 40, timezone.now() - timedelta(hours=20))
    first = campaign.messages.order_by("id")[0]
    only = {"to": first.to_email} if case.step in KNOWS_RECIPIENT else {}
    gmail.control(faults=[{"where": case.step, "reply": case.reply, **only}])

    began = timezone.now()
    assert deliver().sent == case.sent_at_once

    _check_states(case, first, account, campaign, began)
    _check_page(client, "campaigns_campaign_page", campaign.pk, case.campaign_says)
    _check_page(client, "accounts_gmailaccount_change", account.pk, case.account_says)
    _check_page(client, "campaigns_message_change", first.pk, case.message_says)

    _go_on(case, gmail, account, campaign, clock)
    left_out = {first.to_email} if case.message == M.REFUSED else set()
    everybody = set(campaign.messages.values_list("to_email", flat=True)) - left_out
    assert accepted(gmail, campaign) == Counter(everybody)
    campaign.refresh_from_db()
    account.refresh_from_db()
    assert campaign.state == "finished"
    assert (account.state, account.failures_in_a_row) == ("ready", 0)


def _check_states(
    case: Case, first: Message, account: GmailAccount, campaign: Campaign, began: datetime
) -> None:
    for row in (first, account, campaign):
        row.refresh_from_db()
    assert first.state == case.message
    assert LedgerRow.objects.get(pk=first.ledger_row_id).state == "void"
    assert account.state == case.account
    finished = case.message == M.REFUSED
    assert campaign.state == ("finished" if finished else case.campaign)
    if case.rests is None:
        assert account.resting_until is None
    else:
        assert account.resting_until is not None
        rest = account.resting_until - began
        assert case.rests <= rest + MINUTE / 2 <= case.rests + MINUTE
        assert account.rests.count() == 1


def _check_page(client: Client, name: str, pk: int, says: tuple[str, ...]) -> None:
    if says:
        answer = client.get(reverse(f"admin:{name}", args=[pk]))
        page = " ".join(answer.text.split()).replace("&#x27;", "'")
        assert [words for words in says if words not in page] == []


def _go_on(
    case: Case,
    gmail: PracticeGmail,
    account: GmailAccount,
    campaign: Campaign,
    clock: VirtualClock,
) -> None:
    """Do the one next step that the page names, if it is not to wait, and wait."""
    if case.account == "needs_reconnecting":
        password = gmail.app_password(account.address)
        connect.connect_by_app_password(account.workspace, account.address, password)
    if case.campaign == "paused":
        assert deliver() == Tally()
        control.resume(campaign.pk)
    if account.resting_until is not None:
        _wait_until(account.resting_until, clock)
        deliver()
    put_off = campaign.messages.filter(state=M.WAITING).order_by("not_before").first()
    if put_off is not None:
        _wait_until(put_off.not_before, clock)
        deliver()


def _wait_until(moment: datetime, clock: VirtualClock) -> None:
    if moment > timezone.now():
        assert deliver() == Tally()
        clock.wait_until(moment)
