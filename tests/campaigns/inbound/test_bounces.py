"""What a delivery report does to an address and to a campaign, and whose reports are believed."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import GmailAccount
from campaigns.inbound.apply import Heard, Where, apply
from campaigns.inbound.classify import classify
from campaigns.models import Campaign, InboundMail, Message, Suppression
from campaigns.opting_out import How, opt_out
from gmail.failures import Verdict
from tests.campaigns.inbound.hearing import hear, kinds, letter, put, send_to
from tests.campaigns.making import make_campaign
from tests.practice_gmail import PracticeGmail

INSIDE = "Received: by 2002:a05:6000:1 with SMTP id abc; Mon, 2 Nov 2026 10:00:00 -0800\n"
HANDED_OVER = "Received: from mx.evil.example (mx.evil.example [192.0.2.9]) by mx.google.com\n"
DAEMON = "From: Mail Delivery Subsystem <mailer-daemon@googlemail.com>\n"
RESULTS = "Authentication-Results: mx.google.com; {}\n"
FULL = ("552 5.2.2", "Mailbox full")
GONE = ("550 5.1.1", "User unknown")
POLICY = ("550 5.7.1", "Message refused by local policy")
LIMIT = ("550 5.4.5", "Daily user sending limit exceeded")
BLOCK = ("550 5.0.0", "Message rejected. See answer/69585")
# Whose own words they are, there is no server that has said them.
BY_GMAIL = (LIMIT, BLOCK)

_report = iter(range(10_000))


def report(
    message: Message, said: tuple[str, str] = GONE, header: str = INSIDE + DAEMON, **fields: str
) -> bytes:
    """A delivery report about `message`, as whoever writes `header`."""
    code, words = said
    given = {
        "recipient": message.to_email,
        "id": message.message_id,
        "to": message.account.address if message.account else "",
        **fields,
    }
    lines = f"""{header}To: {given["to"]}
Subject: Delivery Status Notification (Failure)
Message-ID: <report{next(_report)}@mx.google.com>
Content-Type: multipart/report; boundary=b; report-type=delivery-status

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; googlemail.com
X-Original-Message-ID: {given["id"]}

Final-Recipient: rfc822; {given["recipient"]}
Action: failed
Status: {code.partition(" ")[2]}
X-Said-By: {"itself" if said in BY_GMAIL else "the server"}
Diagnostic-Code: smtp; {code} {words}

--b--
"""
    remote = "Remote-MTA: dns; mx.example.org"
    return lines.replace("X-Said-By: the server", remote).encode()


def came(account: GmailAccount, raw: bytes) -> Heard:
    """As if it had just been read."""
    understood = classify(raw, opts_out=False)
    assert understood is not None
    return apply(understood, Where(account, timezone.now(), None), timezone.now())


def sent(
    account: GmailAccount, recipients: int = 1, campaign: Campaign | None = None
) -> list[Message]:
    """Messages that have left, a second apart."""
    campaign = campaign or make_campaign(account.workspace, [account], recipients)
    began = timezone.now() - timedelta(minutes=10)
    messages = list(campaign.messages.order_by("id"))
    for n, message in enumerate(messages):
        message.state, message.account = Message.State.SENT, account
        message.handed_over_at = message.sent_at = began + timedelta(seconds=n)
        message.save()
    return messages


@pytest.fixture
def account(db: None) -> GmailAccount:
    from tests.campaigns.making import make_workspace

    return GmailAccount.objects.create(
        workspace=make_workspace(), address="club@gmail.com", mailbox_key="club@gmail.com",
        auth=GmailAccount.Auth.APP_PASSWORD,
    )  # fmt: skip


# --- Who is believed -------------------------------------------------------------------------

STRANGERS = {
    "from nobody in particular": HANDED_OVER + "From: mailer-daemon@evil.example\n",
    "in Gmail's name": HANDED_OVER + DAEMON,
    "in Gmail's name, found out": RESULTS.format(
        "dkim=none; spf=pass smtp.mailfrom=x@evil.example; dmarc=fail header.from=googlemail.com"
    ) + HANDED_OVER + DAEMON,
    "signed by themselves": RESULTS.format("dkim=pass header.i=@evil.example")
    + "From: postmaster@example.org\n",
    "with results of their own below": RESULTS.format("dkim=none")
    + RESULTS.format("dkim=pass header.i=@googlemail.com") + DAEMON,
}  # fmt: skip


@pytest.mark.parametrize("header", STRANGERS.values(), ids=STRANGERS.keys())
@pytest.mark.parametrize(
    ("said", "verdict"), [(GONE, Verdict.HARD), (LIMIT, Verdict.LIMIT), (BLOCK, Verdict.BLOCKED)]
)
def test_a_report_that_a_stranger_forged_changes_nothing(
    account: GmailAccount, header: str, said: tuple[str, str], verdict: Verdict
) -> None:
    [message] = sent(account)
    raw = report(message, said, header)
    understood = classify(raw, opts_out=False)
    assert understood is not None
    assert [each.verdict for each in understood.reports] == [verdict]
    heard = came(account, raw)
    assert heard == Heard()
    assert kinds(message) == []
    assert not Suppression.objects.exists()
    account.refresh_from_db()
    message.refresh_from_db()
    assert (account.resting_until, message.state) == (None, Message.State.SENT)
    # It is there to be looked at.
    assert InboundMail.objects.filter(message=message, trusted=False).count() == 1


@pytest.mark.parametrize(
    "header",
    [
        RESULTS.format("dkim=pass header.i=@googlemail.com; dmarc=pass header.from=googlemail.com")
        + HANDED_OVER + DAEMON,
        # The server that the mail was for, proven to be that of the recipient's own domain.
        RESULTS.format("spf=pass smtp.helo=mx.example.org") + "From: postmaster@mx.example.org\n",
    ],
)  # fmt: skip
def test_whoever_can_know_is_believed(account: GmailAccount, header: str) -> None:
    [message] = sent(account)
    assert came(account, report(message, GONE, header)).bounces == 1
    assert kinds(message) == ["bounced"]
    assert Suppression.objects.get().reason == Suppression.Reason.BOUNCED


@pytest.mark.parametrize("said", BY_GMAIL)
def test_a_recipients_server_does_not_speak_for_gmail(
    account: GmailAccount, said: tuple[str, str]
) -> None:
    [message] = sent(account)
    header = RESULTS.format("dkim=pass header.i=@example.org") + "From: postmaster@example.org\n"
    assert came(account, report(message, said, header)) == Heard()
    account.refresh_from_db()
    message.refresh_from_db()
    assert (account.resting_until, message.state) == (None, Message.State.SENT)


@pytest.mark.parametrize("header", [INSIDE + DAEMON, STRANGERS["in Gmail's name"]])
def test_a_report_proves_that_gmail_took_what_was_in_doubt(
    account: GmailAccount, header: str
) -> None:
    [message] = sent(account)
    rows = Message.objects.filter(pk=message.pk)
    rows.update(state=Message.State.IN_DOUBT, sent_at=None)
    came(account, report(message, GONE, header))
    message.refresh_from_db()
    is_known = header.startswith(INSIDE)
    assert message.state == (Message.State.SENT if is_known else Message.State.IN_DOUBT)


def test_only_gmail_speaks_of_other_messages_than_those_to_its_own_people(
    account: GmailAccount,
) -> None:
    """The server of one recipient names the Message-ID of a message to another."""
    [message] = sent(account)
    header = (
        RESULTS.format("dkim=pass header.i=@other.example") + "From: postmaster@other.example\n"
    )
    assert came(account, report(message, GONE, header, recipient="x@other.example")) == Heard()
    assert not Suppression.objects.exists()


def test_an_address_that_mail_was_passed_on_to_is_not_the_one_that_was_written_to(
    account: GmailAccount,
) -> None:
    [message] = sent(account)
    came(account, report(message, recipient="her-old-office@else.example"))
    assert kinds(message) == ["soft_bounced"]
    assert not Suppression.objects.exists()


def test_a_report_without_a_message_id_is_matched_by_its_recipient_and_time(
    account: GmailAccount,
) -> None:
    [message] = sent(account)
    account.keeps_message_id = False
    came(account, report(message, id="<replaced@mx.google.com>"))
    assert kinds(message) == ["bounced"]


def test_a_report_about_mail_that_a_person_wrote_is_none_of_ours(account: GmailAccount) -> None:
    """To somebody whom a campaign wrote to as well."""
    [message] = sent(account)
    came(account, report(message, id="<by-hand@mail.gmail.com>"))
    assert kinds(message) == []
    assert not InboundMail.objects.exists()


def test_what_gmail_wrote_to_somebody_else_counts_for_nothing_here(account: GmailAccount) -> None:
    """Its signature holds, whoever sends it on."""
    [message] = sent(account)
    for said in (GONE, *BY_GMAIL):
        came(account, report(message, said, to="stranger@gmail.com"))
    message.refresh_from_db()
    account.refresh_from_db()
    assert (message.state, account.resting_until) == (Message.State.SENT, None)
    assert not Suppression.objects.exists()


def test_a_report_about_nobody_we_know_is_kept_to_be_looked_at(account: GmailAccount) -> None:
    [message] = sent(account)
    Message.objects.update(handed_over_at=timezone.now() - timedelta(days=6))
    account.keeps_message_id = False
    assert came(account, report(message, id="<x@y.example>")) == Heard()
    assert InboundMail.objects.get().message is None
    assert InboundMail.objects.get().recipient == message.to_email


def test_another_workspace_hears_nothing_of_it(account: GmailAccount) -> None:
    from tests.campaigns.making import make_workspace

    [message] = sent(account)
    other = GmailAccount.objects.create(
        workspace=make_workspace(), address="x@gmail.com", mailbox_key="x@gmail.com",
        auth=GmailAccount.Auth.APP_PASSWORD,
    )  # fmt: skip
    came(other, report(message))
    assert kinds(message) == []
    assert not Suppression.objects.exists()


def test_of_several_messages_it_is_about_the_one_that_is_named_or_the_newest(
    account: GmailAccount,
) -> None:
    [first] = sent(account)
    second = again(first, account)
    account.keeps_message_id = False
    came(account, report(first, id="<replaced@mx.google.com>"))
    assert (kinds(first), kinds(second)) == ([], ["bounced"])
    answer = letter(first.to_email, account.address, In_Reply_To=second.message_id)
    answer["References"] = f"{second.message_id} {first.message_id}"
    came(account, answer.as_bytes())
    assert (kinds(first), kinds(second)) == ([], ["bounced", "replied"])


def test_what_is_suppressed_already_keeps_its_reason(account: GmailAccount) -> None:
    [first] = sent(account)
    opt_out(first, timezone.now(), How.PAGE)
    second = again(first, account)
    came(account, report(first))
    came(account, report(second))
    assert kinds(second) == ["bounced"]
    assert Suppression.objects.get().reason == Suppression.Reason.OPTED_OUT


# --- Failures in a row -----------------------------------------------------------------------


def again(message: Message, account: GmailAccount) -> Message:
    """One more campaign's message to the same address, that has left."""
    [another] = sent(account)
    Message.objects.filter(pk=another.pk).update(to_email=message.to_email)
    another.refresh_from_db()
    return another


def test_three_failures_in_a_row_in_different_campaigns_suppress_an_address(
    account: GmailAccount,
) -> None:
    [first] = sent(account)
    came(account, report(first, FULL))
    came(account, report(first, FULL))
    second = again(first, account)
    came(account, report(second, FULL))
    assert not Suppression.objects.exists()
    came(account, report(again(first, account), FULL))
    found = Suppression.objects.get()
    assert found.email_key == first.to_email
    assert "3 times" in found.note
    assert "Mailbox full" in found.note


def test_one_that_arrives_between_begins_the_count_anew(account: GmailAccount) -> None:
    [first] = sent(account)
    came(account, report(first, FULL))
    came(account, report(again(first, account), FULL))
    again(first, account)
    came(account, report(again(first, account), FULL))
    assert not Suppression.objects.exists()


def test_how_many_is_for_the_workspace_to_say(account: GmailAccount) -> None:
    account.workspace.soft_bounces = 1
    account.workspace.save()
    [first] = sent(account)
    came(account, report(first, FULL))
    assert Suppression.objects.count() == 1
    account.workspace.soft_bounces = 0
    account.workspace.save()
    [other] = sent(account)
    came(account, report(other, FULL))
    assert Suppression.objects.count() == 1


def test_it_believes_no_forged_report_that_lies_in_the_mailbox(
    gmail: PracticeGmail, by_imap: Any
) -> None:
    message = send_to(by_imap, "quiet-1@example.org").messages.get()
    put(gmail, by_imap, report(message, GONE, HANDED_OVER + DAEMON))
    hear(by_imap)
    assert kinds(message) == []
