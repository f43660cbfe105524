"""How mailboxes are read: what is looked at, how far, and what a reading that breaks off leaves."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.db.models import F
from django.utils import timezone

from accounts.models import GmailAccount, ReadFolder
from campaigns import lasting_keys, opting_out, tokens
from campaigns.delivery import leaving
from campaigns.inbound import apply as applying
from campaigns.inbound import fetch
from campaigns.models import InboundMail, KeyMark, Message
from campaigns.tokens import Purpose
from gmail.errors import Temporary
from gmail.imap import ImapSession
from gmail.pop import PopSession
from tests.campaigns.inbound.hearing import hear, kinds, letter, put, send_to
from tests.campaigns.inbound.test_hearing import suppressed
from tests.campaigns.making import make_account
from tests.practice_gmail import PracticeGmail


def test_a_reading_that_breaks_off_goes_on_where_it_stopped(
    account: GmailAccount, monkeypatch: Any
) -> None:
    monkeypatch.setattr(fetch, "BATCH", 1)
    monkeypatch.setattr(fetch, "READING_SECONDS", -1)
    campaign = send_to(account, "reply-20@example.org", "reply-21@example.org")
    assert hear(account).messages == 1
    while hear(account).messages:
        pass
    assert [kinds(one) for one in campaign.messages.all()] == [["replied"]] * 2


@pytest.mark.parametrize(
    ("person", "module", "step", "kind"),
    [
        ("stop-20@example.org", opting_out, "opt_out", "opted_out"),
        ("nobody-20@example.org", applying, "note_bounce", "bounced"),
    ],
)
def test_a_database_that_is_away_for_a_moment_loses_nothing(
    account: GmailAccount, monkeypatch: Any, person: str, module: Any, step: str, kind: str
) -> None:
    message = send_to(account, person).messages.get()
    real = getattr(module, step)

    def fail(*args: Any, **kwargs: Any) -> Any:
        monkeypatch.setattr(module, step, real)
        raise OperationalError("database is locked")

    monkeypatch.setattr(module, step, fail)
    with pytest.raises(OperationalError):
        fetch.read(account.pk, timezone.now())
    assert not InboundMail.objects.exists()
    hear(account)
    assert kinds(message) == [kind]


@pytest.mark.parametrize("place", ["To", "Delivered-To", "Subject"])
def test_it_hears_an_opt_out_wherever_its_token_stands(
    gmail: PracticeGmail, account: GmailAccount, place: str
) -> None:
    """Also from another address of the person's than the one that was written to."""
    message = send_to(account, "quiet-21@example.org").messages.get()
    marked = leaving.opt_out_address(account.address, message.pk)
    token = tokens.make(Purpose.OPT_OUT_BY_MAIL, message.pk).upper()
    mail = letter("other@else.example", marked if place == "To" else account.address)
    mail["Subject"] = f"unsubscribe {token}" if place == "Subject" else "no more"
    if place == "Delivered-To":
        mail["Delivered-To"] = marked
    put(gmail, account, mail)
    hear(account)
    assert kinds(message) == ["opted_out"]
    assert set(suppressed(account)) == {message.to_email}


def test_an_opt_out_of_nobody_knows_whom_is_kept_to_be_looked_at(
    gmail: PracticeGmail, account: GmailAccount
) -> None:
    send_to(account, "quiet-22@example.org")
    put(gmail, account, letter("other@else.example", account.address, Subject="unsubscribe"))
    hear(account)
    mail = InboundMail.objects.get()
    assert (mail.kind, mail.message, mail.sender) == ("opt_out", None, "other@else.example")


def test_whoever_asks_in_anothers_name_is_taken_for_an_answer(
    gmail: PracticeGmail, account: GmailAccount
) -> None:
    message = send_to(account, "quiet-23@example.org").messages.get()
    stop = letter("else@evil.example", account.address, "STOP", In_Reply_To=message.message_id)
    put(gmail, account, stop)
    denied = letter(message.to_email, account.address, "STOP", In_Reply_To=message.message_id)
    denied["Authentication-Results"] = "mx.google.com; dmarc=fail header.from=example.org"
    put(gmail, account, denied)
    hear(account)
    assert kinds(message) == ["replied", "replied"]
    put(gmail, account, letter(message.to_email, account.address, "STOP",
                               In_Reply_To=message.message_id))  # fmt: skip
    hear(account)
    assert kinds(message) == ["replied", "replied", "opted_out"]


def test_a_folder_whose_numbers_were_given_anew_is_read_anew(
    gmail: PracticeGmail, by_imap: GmailAccount
) -> None:
    message = send_to(by_imap, "quiet-24@example.org").messages.get()
    hear(by_imap)
    ReadFolder.objects.update(uid_validity=F("uid_validity") - 1, read_to=10**6)
    answer = letter("q@example.org", by_imap.address, In_Reply_To=message.message_id)
    put(gmail, by_imap, answer)
    hear(by_imap)
    assert kinds(message) == ["replied"]


def test_where_all_mail_is_hidden_it_reads_the_inbox_and_never_trash(
    gmail: PracticeGmail, by_imap: GmailAccount
) -> None:
    gmail.control(hide={by_imap.address: ["all"]})
    message = send_to(by_imap, "reply-25@example.org").messages.get()
    thrown_away = letter("x@example.org", by_imap.address, In_Reply_To=message.message_id)
    put(gmail, by_imap, thrown_away, "[Gmail]/Trash")
    hear(by_imap)
    assert kinds(message) == ["replied"]
    gmail.control(hide={by_imap.address: []})


def test_by_pop_nothing_is_fetched_that_gmail_would_hide_then(
    account: GmailAccount, monkeypatch: Any
) -> None:
    def refuse(*args: Any) -> Any:
        raise AssertionError("RETR hides a mail from other programs.")

    monkeypatch.setattr(PopSession, "retrieve", refuse)
    message = send_to(account, "reply-26@example.org").messages.get()
    hear(account)
    assert kinds(message) == ["replied"]


def test_what_anybody_of_the_workspace_writes_is_no_answer(
    gmail: PracticeGmail, account: GmailAccount
) -> None:
    message = send_to(account, "quiet-27@example.org").messages.get()
    GmailAccount.objects.filter(pk=account.pk).update(from_address="shop@example.com")
    make_account(account.workspace, address="colleague@gmail.com")
    for who in ("shop@example.com", "colleague@gmail.com"):
        put(gmail, account, letter(who, account.address, In_Reply_To=message.message_id))
    hear(account)
    assert kinds(message) == []


def test_the_first_reading_begins_two_days_before_the_first_message(
    by_imap: GmailAccount, monkeypatch: Any
) -> None:
    asked: list[Any] = []
    real = ImapSession.uids_after

    def uids_after(self: ImapSession, uid: int, since: Any = None) -> Any:
        asked.append((uid, since))
        return real(self, uid, since)

    monkeypatch.setattr(ImapSession, "uids_after", uids_after)
    first = send_to(by_imap, "quiet-28@example.org").messages.get()
    assert first.handed_over_at
    hear(by_imap)
    since = (first.handed_over_at - timedelta(days=2)).date()
    assert asked
    assert set(asked) == {(0, since)}
    send_to(by_imap, "quiet-29@example.org")
    asked.clear()
    hear(by_imap)
    # From then on by numbers alone.
    assert [when for uid, when in asked if uid] == [None]


def test_a_mail_that_the_server_will_not_show_holds_up_no_other(
    by_imap: GmailAccount, monkeypatch: Any
) -> None:
    """Gmail says NO to a FETCH of many when it cannot show one of them."""
    campaign = send_to(by_imap, "reply-29@example.org", "reply-30@example.org")
    shown, whole = ImapSession.dated, ImapSession.message
    hidden: list[int] = []

    def dated(self: ImapSession, uids: Any, *args: Any) -> Any:
        hidden[:] = hidden or [max(uids)]
        if hidden[0] in uids:
            raise Temporary("Some messages could not be FETCHed")
        return shown(self, uids, *args)

    monkeypatch.setattr(ImapSession, "dated", dated)
    hear(by_imap)
    assert sorted(kinds(one) for one in campaign.messages.all()) == [[], ["replied"]]

    def message(self: ImapSession, uid: int, at_most: int) -> bytes:
        if uid == hidden[0]:
            raise Temporary("Some messages could not be FETCHed")
        return whole(self, uid, at_most)

    monkeypatch.setattr(ImapSession, "dated", shown)
    monkeypatch.setattr(ImapSession, "message", message)
    ReadFolder.objects.all().delete()
    assert hear(by_imap).messages
    assert by_imap.inbound_trouble == ""


def test_under_another_key_nothing_is_heard(account: GmailAccount, settings: Any) -> None:
    """Who opted out would be noted where nobody looks, or not be known by the token."""
    message = send_to(account, "stop-31@example.org").messages.get()
    for name in lasting_keys.NAMES:
        mark = {"mark": lasting_keys.mark(name)}
        KeyMark.objects.update_or_create(name=name, defaults=mark)
    right, settings.SUPPRESSION_KEY = settings.SUPPRESSION_KEY, "another"
    assert fetch.read(account.pk, timezone.now()) is None
    assert not InboundMail.objects.exists()
    settings.SUPPRESSION_KEY = right
    hear(account)
    assert kinds(message) == ["opted_out"]
    assert Message.objects.get(pk=message.pk).events.count() == 1
