"""The mail to oneself, through the practice Gmail: what becomes of it, and what it settles."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts import connect, ledger, quota
from accounts.doctor import check_ups
from accounts.doctor.check import LABELS, Check, Name, State
from accounts.models import GmailAccount, LedgerRow
from campaigns.delivery import copies, own_copy, self_test
from campaigns.delivery.claim import take_account
from campaigns.models import Message
from tests.campaigns.making import make_campaign, make_workspace, spend
from tests.gmail_settings import point_at
from tests.practice_gmail import PracticeGmail

ANA = "ana@gmail.com"
ALIAS = "shop@example.com"
ASKED_AT = datetime.fromisoformat("2026-11-25T12:00:00+00:00")
M = Message.State


@pytest.fixture(scope="module")
def shared_gmail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PracticeGmail]:
    """Its Sent has a name in the person's language."""
    folder = tmp_path_factory.mktemp("practice")
    with PracticeGmail(
        folder / "gmail", accounts=[ANA], limit=100_000, sent_name="[Gmail]/Gesendet"
    ) as gmail:
        yield gmail


@pytest.fixture
def gmail(shared_gmail: PracticeGmail, settings: Any) -> PracticeGmail:
    shared_gmail.control(
        clock_offset=0, limit=100_000, faults=[], sent_delay=0, aliases={ANA: []}, hide={ANA: []}
    )
    point_at(shared_gmail, settings)
    return shared_gmail


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_copy, "IMAP_LOOK_SECONDS", 0.2)
    monkeypatch.setattr(own_copy, "IMAP_PAUSES", (0.1, 0.1, 0.1))
    monkeypatch.setattr(own_copy, "POP_LOOK_SECONDS", 0.2)
    monkeypatch.setattr(self_test, "POLL_SECONDS", 0.1)


@pytest.fixture
def account(gmail: PracticeGmail, db: None) -> GmailAccount:
    account = connect.connect_by_app_password(make_workspace(), ANA, gmail.app_password(ANA))
    account.self_test = True
    # What other tests sent would count as written by hand.
    account.sent_tried_at = timezone.now()
    account.save()
    return account


def run(
    account: GmailAccount, found: tuple[Check, ...] = (), asked_at: datetime = ASKED_AT
) -> Check:
    check = self_test.self_test(account.pk, asked_at, found)
    assert check is not None
    account.refresh_from_db()
    return check


def mails_of(account: GmailAccount) -> list[Message]:
    return list(Message.objects.filter(account=account, source=LedgerRow.Source.TEST))


def test_it_finds_its_mail_again_some_seconds_later(
    gmail: PracticeGmail, account: GmailAccount
) -> None:
    gmail.control(sent_delay=1)
    check = run(account)
    assert (check.ok, check.needed, check.remedy) == (True, True, "")
    assert "by its Message-ID" in check.detail
    assert (account.keeps_message_id, account.keeps_from) == (True, None)
    (message,) = mails_of(account)
    assert (message.state, message.to_email) == (M.SENT, ANA)
    row = LedgerRow.objects.get(account=account)
    assert (row.source, row.state) == (LedgerRow.Source.TEST, LedgerRow.State.ACCEPTED)
    now = timezone.now()
    assert quota.used(ledger.window(account, now), now) == 1
    assert quota.used(ledger.totals(account, now), now) == 1


def test_it_finds_its_mail_again_by_pop(account: GmailAccount) -> None:
    GmailAccount.objects.update(inbound="pop")
    assert "by its Message-ID" in run(account).detail
    assert account.keeps_message_id


def test_it_stops_at_sent_where_nothing_is_read(account: GmailAccount) -> None:
    GmailAccount.objects.update(inbound="none")
    check = run(account)
    assert check.ok
    assert "not read" in check.detail
    assert account.keeps_message_id is None


def test_it_notices_that_the_message_id_was_replaced(
    account: GmailAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Gmail replaces one that ends in a dot; Daypost itself would never write it."""
    original = self_test._letter

    def spoilt(row: GmailAccount, sender: str, message_id: str, now: datetime) -> bytes:
        return original(row, sender, message_id, now).replace(
            message_id.encode(), message_id.replace(">", ".>").encode()
        )

    def as_sent(header: bytes, wanted: Any) -> Any:
        copy = read(header, {one.replace(">", ".>") for one in wanted})
        return copy and replace(copy, message_id=copy.message_id.replace(".>", ">"))

    read = copies.read
    monkeypatch.setattr(self_test, "_letter", spoilt)
    monkeypatch.setattr(copies, "read", as_sent)
    check = run(account)
    assert check.ok
    assert "replaces our Message-ID" in check.detail
    assert account.keeps_message_id is False


@pytest.mark.parametrize("verified", [True, False])
def test_it_settles_whether_gmail_keeps_an_alias(
    gmail: PracticeGmail, account: GmailAccount, verified: bool
) -> None:
    gmail.control(aliases={ANA: [ALIAS] if verified else []})
    GmailAccount.objects.update(from_address=ALIAS)
    check = run(account)
    assert check.ok is verified
    assert account.keeps_from is verified
    if not verified:
        assert f"{ANA} in place of {ALIAS}" in check.detail
        assert "Send mail as" in check.remedy


def test_it_settles_nothing_about_an_alias_chosen_meanwhile(
    gmail: PracticeGmail, account: GmailAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    GmailAccount.objects.update(from_address=ALIAS)
    find = own_copy.find

    def find_while_it_is_changed(*arguments: Any) -> Any:
        GmailAccount.objects.update(from_address="desk@example.com")
        return find(*arguments)

    monkeypatch.setattr(own_copy, "find", find_while_it_is_changed)
    run(account)
    assert (account.keeps_message_id, account.keeps_from) == (True, None)


def test_it_settles_nothing_about_an_alias_that_another_mail_was_written_by(
    gmail: PracticeGmail, account: GmailAccount
) -> None:
    """The worker died after it had sent; then the person chose another alias."""
    gmail.control(aliases={ANA: ["a@example.com", "b@example.com"]})
    GmailAccount.objects.update(from_address="a@example.com")
    run(account)
    GmailAccount.objects.update(from_address="b@example.com", keeps_from=None)
    assert run(account).ok
    assert account.keeps_from is None


def test_it_settles_an_alias_although_another_worker_sent_the_mail(
    gmail: PracticeGmail, account: GmailAccount
) -> None:
    GmailAccount.objects.update(from_address=ALIAS)
    run(account)
    GmailAccount.objects.update(keeps_from=None)
    assert f"{ANA} in place of {ALIAS}" in run(account).detail
    assert len(mails_of(account)) == 1
    assert account.keeps_from is False


# --- When nobody knows whether it left -------------------------------------------------------


def test_it_is_not_well_as_long_as_nobody_knows(
    gmail: PracticeGmail, account: GmailAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(self_test, "PATIENCE", timedelta(seconds=1))
    gmail.control(faults=[{"where": "dot", "drop": True}])
    check = run(account)
    assert check.is_red
    assert "nobody knows whether it took the mail. Its copy did not appear" in check.detail
    assert check.remedy
    assert [message.state for message in mails_of(account)] == [M.IN_DOUBT]


def test_it_is_not_well_in_doubt_where_nothing_is_read(
    gmail: PracticeGmail, account: GmailAccount
) -> None:
    GmailAccount.objects.update(inbound="none")
    gmail.control(faults=[{"where": "dot", "drop": True}])
    check = run(account)
    assert check.is_red
    assert "nobody knows" in check.detail


@pytest.mark.parametrize("inbound", ["imap", "pop"])
def test_it_settles_a_doubt_by_the_copy(
    gmail: PracticeGmail, account: GmailAccount, inbound: str
) -> None:
    GmailAccount.objects.update(inbound=inbound)
    gmail.control(faults=[{"where": "accepted", "drop": True}])
    assert run(account).ok
    (message,) = mails_of(account)
    assert (message.state, message.raw, message.reply) == (M.SENT, None, "")
    assert message.sent_at is not None
    row = LedgerRow.objects.get(account=account)
    assert (row.state, row in ledger.counting()) == (LedgerRow.State.ACCEPTED, True)
    assert row.at is not None


def test_it_says_that_no_copy_appeared(
    gmail: PracticeGmail, account: GmailAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    gmail.control(sent_delay=60)
    monkeypatch.setattr(self_test, "PATIENCE", timedelta(seconds=1))
    check = run(account)
    assert not check.ok
    assert "did not appear" in check.detail
    assert account.keeps_message_id is None


def test_it_looks_again_for_what_was_cut_off_by_pop(
    gmail: PracticeGmail, account: GmailAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(self_test, "PATIENCE", timedelta(seconds=10))
    GmailAccount.objects.update(inbound="pop")
    gmail.control(faults=[{"protocol": "pop", "where": "top", "drop": True}])
    assert run(account).ok


@pytest.mark.parametrize("protocol", ["imap", "pop"])
def test_it_says_that_the_mailbox_could_not_be_read(
    gmail: PracticeGmail, account: GmailAccount, monkeypatch: pytest.MonkeyPatch, protocol: str
) -> None:
    """And does not log in for ever where Gmail ends each session."""
    monkeypatch.setattr(self_test, "PATIENCE", timedelta(seconds=1 if protocol == "pop" else 60))
    GmailAccount.objects.update(inbound=protocol)
    before = log_ins(gmail, protocol)
    where = "select" if protocol == "imap" else "top"
    gmail.control(faults=[{"protocol": protocol, "where": where, "drop": True, "times": None}])
    check = run(account)
    assert not check.ok
    assert "Gmail took it. The mailbox could not be read" in check.detail
    if protocol == "imap":
        assert log_ins(gmail, protocol) - before == 1 + len(own_copy.IMAP_PAUSES)


def log_ins(gmail: PracticeGmail, protocol: str) -> int:
    return int(gmail.control()["accounts"][0]["logins"][protocol])


def test_it_says_that_sent_is_hidden(gmail: PracticeGmail, account: GmailAccount) -> None:
    gmail.control(hide={ANA: ["sent"]})
    check = run(account)
    assert not check.ok
    assert r"\Sent" in check.detail


# --- When it does not leave ------------------------------------------------------------------


def test_it_sends_nothing_where_it_is_switched_off(account: GmailAccount) -> None:
    GmailAccount.objects.update(self_test=False)
    check = run(account)
    assert (check.ok, check.needed) == (True, False)
    assert mails_of(account) == []


def test_it_says_that_nothing_is_sent_until_the_account_is_connected_again(
    account: GmailAccount,
) -> None:
    GmailAccount.objects.update(
        state="needs_reconnecting", state_reason="Gmail wants a browser.", self_test=False
    )
    check = run(account)
    assert check.is_red
    assert (check.remedy, check.connect_again) == ("Gmail wants a browser.", True)
    assert mails_of(account) == []


@pytest.mark.parametrize("name", [Name.SMTP_SSL, Name.IMAP, Name.SENT_FOLDER])
def test_it_sends_nothing_when_what_it_needs_is_red(account: GmailAccount, name: Name) -> None:
    check = run(account, (Check(name, False, True, "It is off.", "Switch it on."),))
    assert (check.ok, check.state, check.waits_for) == (False, State.WAITS, name)
    assert f"“{LABELS[name]}”" in check.detail
    assert check.remedy == "Switch it on."
    assert mails_of(account) == []


def test_it_sends_although_what_is_not_needed_fails(account: GmailAccount) -> None:
    assert run(account, (Check(Name.POP, False, False, "It is off."),)).ok
    assert len(mails_of(account)) == 1


@pytest.mark.parametrize("full", [True, False])
def test_it_sends_nothing_at_the_limit_or_while_it_rests(account: GmailAccount, full: bool) -> None:
    if full:
        spend(account, account.limit)
    else:
        GmailAccount.objects.update(resting_until=timezone.now() + timedelta(minutes=5))
    check = run(account)
    assert (check.ok, check.needed) == (False, False)
    assert mails_of(account) == []


def test_it_takes_back_what_gmail_put_off(gmail: PracticeGmail, account: GmailAccount) -> None:
    gmail.control(faults=[{"where": "mail", "reply": "421 4.7.0 Try again later"}])
    check = run(account)
    assert check.is_red
    assert "421 4.7.0 Try again later" in check.detail
    assert [message.state for message in mails_of(account)] == [M.CANCELLED]


def test_it_says_what_gmail_refused(gmail: PracticeGmail, account: GmailAccount) -> None:
    gmail.control(faults=[{"where": "dot", "reply": "552 5.7.0 Blocked content"}])
    check = run(account)
    assert check.is_red
    assert "552 5.7.0 Blocked content" in check.detail


def test_it_gives_up_while_somebody_else_has_the_account(
    account: GmailAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(self_test, "LEAVES_WITHIN", timedelta(seconds=1))
    assert take_account(account.pk, "somebody", timezone.now())
    check = run(account)
    assert not check.ok
    assert "busy" in check.detail
    assert [message.state for message in mails_of(account)] == [M.CANCELLED]


@pytest.mark.parametrize("state", [M.CLAIMED, M.HANDING_OVER])
def test_it_says_that_it_still_may_leave(
    account: GmailAccount, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    monkeypatch.setattr(self_test, "LEAVES_WITHIN", timedelta(seconds=0))
    waiting = self_test._write(account, ASKED_AT, timezone.now())
    Message.objects.filter(pk=waiting.pk).update(state=state, reply="421 Try again later")
    check = run(account)
    assert not check.ok
    assert "still may" in check.detail
    assert [message.state for message in mails_of(account)] == [state]


def test_it_comes_to_its_end_before_another_worker_takes_the_check_up_over() -> None:
    assert check_ups.LEASE > self_test.LEAVES_WITHIN + self_test.PATIENCE


# --- Once ------------------------------------------------------------------------------------


def test_it_sends_one_mail_for_one_question(account: GmailAccount) -> None:
    assert run(account).ok
    assert run(account).ok
    assert len(mails_of(account)) == 1
    assert run(account, asked_at=ASKED_AT + timedelta(minutes=5)).ok
    assert len(mails_of(account)) == 2


def test_it_joins_the_mail_that_is_on_its_way(account: GmailAccount) -> None:
    waiting = self_test._write(account, ASKED_AT, timezone.now())
    assert run(account, asked_at=ASKED_AT + timedelta(minutes=5)).ok
    assert [message.pk for message in mails_of(account)] == [waiting.pk]


def test_it_sends_no_campaign_along_with_it(account: GmailAccount) -> None:
    campaign = make_campaign(account.workspace, [account], recipients=2)
    assert run(account).ok
    assert set(campaign.messages.values_list("state", flat=True)) == {M.WAITING}


def test_it_leaves_its_mail_to_the_next_worker_when_it_is_to_stop(account: GmailAccount) -> None:
    assert self_test.self_test(account.pk, ASKED_AT, (), keep_going=lambda: False) is None
    (message,) = mails_of(account)
    assert message.state == M.WAITING
    assert run(account).ok
    assert [one.pk for one in mails_of(account)] == [message.pk]
