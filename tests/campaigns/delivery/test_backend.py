import logging
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage as Parsed
from email.policy import default
from threading import Barrier

import pytest
from django.core.mail import EmailMessage, EmailMultiAlternatives, get_connection, send_mail
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.models import GmailAccount, Membership, User
from accounts.own_mail import ONE_AT_A_TIME
from campaigns.delivery.backend import NoAccount
from campaigns.delivery.sender import Tally, send_due
from campaigns.models import Message, Suppression
from campaigns.rendering.mime import is_valid_message_id
from tests.belongings import Belongings
from tests.campaigns.making import make_account, make_campaign, make_workspace, spend
from tests.practice_gmail import PracticeGmail

pytestmark = pytest.mark.django_db
BACKEND = "campaigns.delivery.backend.GmailBackend"
RESET = "/account/password/reset/"


def parse(message: Message) -> Parsed:
    return message_from_bytes(bytes(message.raw or b""), policy=default)


def send(mail: EmailMessage) -> Message:
    """Write it down; the newest message."""
    assert get_connection(BACKEND).send_messages([mail]) == 1
    return Message.objects.latest("id")


# --- The mail ---------------------------------------------------------------------------------


def test_it_writes_a_mail_down_for_the_account_that_will_send_it() -> None:
    account = make_account(make_workspace())
    mail = EmailMultiAlternatives("Grüße", "Hello\n.\nthere", "webmaster@localhost", ["a@b.org"])
    mail.attach_alternative("<p>Hello</p>", "text/html")
    assert get_connection(BACKEND).send_messages([mail]) == 1
    message = Message.objects.get()
    assert (message.state, message.account, message.campaign) == ("waiting", account, None)
    assert (message.source, message.to_email) == ("system", "a@b.org")
    written = message_from_bytes(bytes(message.raw or b""), policy=default)
    assert written["From"] == account.address
    assert written["Subject"] == "Grüße"
    assert written["Message-ID"] == message.message_id
    assert written.get_body(("html",)) is not None


def test_it_keeps_alternatives_attachments_and_answers() -> None:
    make_account(make_workspace(), display_name="Siop Tregaron")
    mail = EmailMultiAlternatives(
        "Plain", "Hello", None, ["a@b.org"], reply_to=["office@b.org"], headers={"X-Kept": "yes"}
    )
    mail.attach_alternative("<p>Hello</p>", "text/html")
    mail.attach("table.csv", b"a,b\n1,2\n", "text/csv")
    written = parse(send(mail))
    assert written["From"].addresses[0].display_name == "Siop Tregaron"
    assert (written["Reply-To"], written["X-Kept"]) == ("office@b.org", "yes")
    assert written["Auto-Submitted"] == "auto-generated"
    html = written.get_body(("html",))
    assert html is not None
    assert html.get_content().strip() == "<p>Hello</p>"
    [table] = written.iter_attachments()
    assert (table.get_filename(), table.get_content()) == ("table.csv", "a,b\n1,2\n")


def test_it_has_one_sender_one_message_id_and_hides_who_gets_it_blindly() -> None:
    account = make_account(make_workspace(), address="siop@llanfair\u00e9.org")
    mail = EmailMessage(
        "Minutes",
        "Hello",
        "Ana <webmaster@localhost>",
        ["Ben <ben@b.org>"],
        bcc=["hidden@b.org"],
        headers={"Message-Id": "<not-ours@b.org>", "From": "x@b.org", "Bcc": "hidden@b.org"},
    )
    send(mail)
    to = {message.to_email: message for message in Message.objects.all()}
    assert set(to) == {"ben@b.org", "hidden@b.org"}
    for message in to.values():
        raw = bytes(message.raw or b"")
        assert b"hidden" not in raw
        assert len(re.findall(rb"(?im)^(?:from|message-id):", raw)) == 2
        assert parse(message)["Message-ID"] == message.message_id
        assert is_valid_message_id(message.message_id)
        assert b"localhost" not in raw
        assert account.address.partition("@")[0].encode() in raw
    assert mail.from_email == "Ana <webmaster@localhost>", "what the caller holds stays as it is"


def test_it_writes_a_name_that_looks_like_several_addresses_as_one_sender() -> None:
    account = make_account(make_workspace(), display_name='Ana, "Shop" GmbH')
    headers = {"Return-Path": "<not-ours@b.org>"}
    written = parse(send(EmailMessage("Minutes", "Hello", None, ["a@b.org"], headers=headers)))
    [sender] = written["From"].addresses
    assert (sender.display_name, sender.addr_spec) == ('Ana, "Shop" GmbH', account.address)
    assert "Return-Path" not in written


def test_it_writes_one_copy_for_each_who_gets_it() -> None:
    make_account(make_workspace())
    mail = EmailMessage("Minutes", "Hello", None, ["Ben <ben@b.org>"], cc=["BEN@b.org", "a@b.org"])
    send(mail)
    assert sorted(Message.objects.values_list("to_email", flat=True)) == ["BEN@b.org", "a@b.org"]


def test_it_gets_through_to_gmail_whole_and_to_somebody_who_opted_out(
    gmail: PracticeGmail, account: GmailAccount
) -> None:
    """Who opted out of campaigns, perhaps only to try it, must still be able to log in."""
    Suppression.objects.create(workspace=account.workspace, email_key="ben@b.org")
    mail = EmailMultiAlternatives("Gr\u00fc\u00dfe", "Hello\n.\nthere", None, ["ben@b.org"])
    mail.attach_alternative("<p>" + "long " * 500 + "</p>", "text/html")
    message = send(mail)
    assert send_due(account.pk) == Tally(sent=1)
    row = next(row for row in gmail.ledger() if row["message_id"] == message.message_id)
    assert (row["to"], row["account"]) == ("ben@b.org", account.address)
    message.refresh_from_db()
    assert message.raw is None


# --- One at a time ----------------------------------------------------------------------------


def about(body: str, to: str = "ben@b.org") -> EmailMessage:
    return EmailMessage("Reset", body, None, [to], headers={ONE_AT_A_TIME: "reset"})


def test_it_lets_a_newer_mail_take_the_place_of_one_that_waits() -> None:
    make_account(make_workspace())
    first = send(about("older"))
    again = send(about("newer", "BEN@b.org"))
    assert Message.objects.count() == 1
    assert again.message_id == first.message_id == parse(again)["Message-ID"]
    assert "newer" in parse(again).get_content()
    assert ONE_AT_A_TIME not in parse(again)
    send(about("for somebody else", "ana@b.org"))
    send(EmailMessage("Reset", "about nothing in particular", None, ["ben@b.org"]))
    assert Message.objects.count() == 3


def test_it_tries_a_mail_again_now_that_was_put_off_when_it_is_asked_for_anew() -> None:
    make_account(make_workspace())
    first = send(about("older"))
    Message.objects.update(not_before=timezone.now() + timedelta(hours=8), attempts=8)
    again = send(about("newer"))
    assert first.not_before < again.not_before <= timezone.now()
    assert again.attempts == 8, "one that Gmail never takes comes to its end all the same"
    waiting_since = again.not_before
    assert send(about("newest")).not_before == waiting_since


@pytest.mark.parametrize(
    ("state", "count"), [("claimed", 1), ("handing_over", 1), ("sent", 2), ("in_doubt", 2)]
)
def test_it_writes_another_only_when_the_first_has_come_to_its_end(state: str, count: int) -> None:
    make_account(make_workspace())
    send(about("older"))
    Message.objects.update(state=state)
    send(about("newer"))
    send(about("newest"))
    assert Message.objects.count() == count


def test_it_takes_a_mail_that_waits_to_an_account_that_is_ready() -> None:
    first = make_account(make_workspace())
    send(about("older"))
    GmailAccount.objects.update(state="needs_reconnecting")
    second = make_account(first.workspace)
    message = send(about("newer"))
    assert (message.account, Message.objects.count()) == (second, 1)
    assert parse(message)["From"] == second.address


@pytest.mark.django_db(transaction=True)
def test_it_writes_one_of_what_is_asked_for_twice_at_once() -> None:
    make_account(make_workspace())
    together = Barrier(4)

    def ask() -> None:
        try:
            together.wait(10)
            get_connection(BACKEND).send_messages([about("now")])
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(ask) for _ in range(4)]:
            done.result(timeout=30)
    assert Message.objects.count() == 1


def test_it_mails_one_reset_link_however_often_it_is_asked_for(
    home: Belongings, settings: Settings
) -> None:
    settings.EMAIL_BACKEND = BACKEND
    before = Message.objects.count()
    for _ in range(3):
        Client().post(RESET, {"email": home.owner.email})
    assert Message.objects.count() == before + 1
    assert "/account/password/reset/key/" in parse(Message.objects.latest("id")).get_content()


# --- Through which account --------------------------------------------------------------------


def test_it_goes_through_an_account_that_may_send_now() -> None:
    now = timezone.now()
    resting = make_account(make_workspace(), resting_until=now + timedelta(hours=2))
    full = make_account(resting.workspace, limit=10)
    spend(full, 10, now - timedelta(hours=12))
    ready = make_account(resting.workspace)
    assert send(EmailMessage("Reset", "Here", None, ["a@b.org"])).account == ready
    GmailAccount.objects.filter(pk=ready.pk).update(state="needs_reconnecting")
    message = send(EmailMessage("Reset", "Here", None, ["a@b.org"]))
    assert (message.account, message.state) == (resting, "waiting"), "the first to go on"


def test_it_prefers_gmail_to_the_practice_gmail() -> None:
    """What is sent there stays on this machine."""
    practice = make_account(make_workspace())
    resting = timezone.now() + timedelta(hours=2)
    real = make_account(practice.workspace, practice=False, resting_until=resting)
    assert send(EmailMessage("Reset", "Here", None, ["a@b.org"])).account == real


def test_it_waits_while_its_account_rests_and_leaves_from_what_campaigns_may_not_use(
    gmail: PracticeGmail, account: GmailAccount
) -> None:
    now = timezone.now()
    GmailAccount.objects.update(limit=10, reserve_transactional=2)
    account.refresh_from_db()
    spend(account, 8, now - timedelta(hours=1))
    campaign = make_campaign(account.workspace, [account])
    GmailAccount.objects.update(resting_until=now + timedelta(hours=1))
    for number in range(3):
        send(EmailMessage("Notice", "Here", None, [f"a{number}@b.org"]))
    assert send_due(account.pk) == Tally()
    GmailAccount.objects.update(resting_until=None)
    assert send_due(account.pk) == Tally(sent=2), "never over the limit"
    assert campaign.messages.filter(state="waiting").count() == 3
    assert Message.objects.filter(campaign=None, state="waiting").count() == 1


def test_it_chooses_the_workspace_of_the_addressee() -> None:
    make_account(make_workspace())
    theirs = make_account(make_workspace())
    user = User.objects.create_user("Ben@example.org")
    Membership.objects.create(user=user, workspace=theirs.workspace)
    send_mail("Reset", "Here", None, ["ben@EXAMPLE.org"], connection=get_connection(BACKEND))
    assert Message.objects.get().account == theirs


def test_it_chooses_the_workspace_that_the_addressee_joined_first() -> None:
    """Not the oldest: its owner could add anybody, and read the link that resets a password."""
    older = make_account(make_workspace())
    home = make_account(make_workspace())
    user = User.objects.create_user("ben@example.org")
    Membership.objects.create(user=user, workspace=home.workspace)
    Membership.objects.create(user=user, workspace=older.workspace)
    send_mail("Reset", "Here", None, ["ben@example.org"], connection=get_connection(BACKEND))
    assert Message.objects.get().account == home


def test_it_writes_through_nobody_elses_account() -> None:
    make_account(make_workspace())
    resting = make_account(make_workspace(), state="disconnected")
    later = make_account(make_workspace())
    user = User.objects.create_user("ben@example.org")
    for account in (resting, later):
        Membership.objects.create(user=user, workspace=account.workspace)
    with pytest.raises(NoAccount):
        send_mail("Reset", "Here", None, ["ben@example.org"], connection=get_connection(BACKEND))
    assert not Message.objects.exists()


def test_it_writes_to_whom_no_workspace_knows_through_the_first() -> None:
    first = make_account(make_workspace())
    make_account(make_workspace())
    send_mail("Reset", "Here", None, ["ben@example.org"], connection=get_connection(BACKEND))
    assert Message.objects.get().account == first


def test_it_says_loudly_when_nothing_is_connected() -> None:
    make_account(make_workspace(), state="needs_reconnecting")
    with pytest.raises(NoAccount):
        send_mail("Reset", "Here", None, ["a@b.org"], connection=get_connection(BACKEND))
    quiet = get_connection(BACKEND, fail_silently=True)
    assert send_mail("Reset", "Here", None, ["a@b.org"], connection=quiet) == 0
    assert not Message.objects.exists()


# --- Nothing to send through ------------------------------------------------------------------


@pytest.mark.parametrize("debug", [False, True])
def test_it_logs_no_link_when_nothing_is_connected(
    home: Belongings, settings: Settings, caplog: pytest.LogCaptureFixture, debug: bool
) -> None:
    settings.EMAIL_BACKEND = BACKEND
    settings.DEBUG = debug
    GmailAccount.objects.update(state="disconnected")
    before = Message.objects.count()
    caplog.set_level(logging.DEBUG)
    with caplog.at_level(logging.DEBUG, "django"):
        answer = Client().post(RESET, {"email": home.owner.email}, follow=True)
    assert "password_reset_link" in answer.text
    assert "connect a Gmail account" in caplog.text
    assert "reset/key/" not in caplog.text + answer.text
    assert Message.objects.count() == before


def test_it_shows_no_link_on_an_error_page_either(
    home: Belongings, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.EMAIL_BACKEND = BACKEND
    settings.DEBUG = True

    def fail(*arguments: object, **fields: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Message.objects, "create", fail)
    client = Client(raise_request_exception=False)
    answer = client.post(RESET, {"email": home.owner.email})
    assert answer.status_code == 500
    assert "ZeroDivisionError" in answer.text
    assert not re.search(r"reset/key/[0-9A-Za-z]+-", answer.text)
