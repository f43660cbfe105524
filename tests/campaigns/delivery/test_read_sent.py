"""Mail written by hand, read from the practice Gmail's Sent into the ledger."""

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import count
from threading import Barrier
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from accounts import by_hand, connect, ledger, quota, sent
from accounts.models import GmailAccount, LedgerRow, MailByHand, ReadFolder
from campaigns.delivery import sender
from campaigns.delivery.read_sent import read_sent
from campaigns.delivery.sender import send_due
from campaigns.models import Message
from gmail import filed
from tests.campaigns.making import make_campaign, make_single, make_workspace
from tests.gmail_settings import point_at
from tests.mail_by_hand import write_by_hand
from tests.practice.mail_clients import imap_client
from tests.practice_gmail import PracticeGmail

SENT_NAME = "[Gmail]/Gesendet"
# One for each test, so that nobody counts another test's mail.
PEOPLE = [f"person{number}@gmail.com" for number in range(40)]
_next = count()


@pytest.fixture(scope="module")
def shared_gmail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PracticeGmail]:
    """Its Sent has a name in the person's language."""
    folder = tmp_path_factory.mktemp("practice")
    with PracticeGmail(
        folder / "gmail", accounts=PEOPLE, limit=100_000, sent_name=SENT_NAME
    ) as gmail:
        gmail.control(sent_delay=0)
        yield gmail


@pytest.fixture
def gmail(shared_gmail: PracticeGmail, settings: Any) -> PracticeGmail:
    shared_gmail.control(limit=100_000, faults=[])
    point_at(shared_gmail, settings)
    return shared_gmail


@pytest.fixture
def account(gmail: PracticeGmail, db: None) -> GmailAccount:
    address = PEOPLE[next(_next)]
    return connect.connect_by_app_password(make_workspace(), address, gmail.app_password(address))


def read(account: GmailAccount) -> int:
    counted = read_sent(account.pk, timezone.now())
    account.refresh_from_db()
    return counted


def counted(account: GmailAccount) -> list[int]:
    """Recipients of each mail by hand, in the order in which they left."""
    rows = LedgerRow.objects.filter(account=account, source=LedgerRow.Source.BY_HAND)
    return list(rows.order_by("at", "id").values_list("recipients", flat=True))


def used(account: GmailAccount) -> int:
    now = timezone.now()
    return quota.used(ledger.window(account, now), now)


def set_up(account: GmailAccount, **fields: Any) -> None:
    GmailAccount.objects.filter(pk=account.pk).update(**fields)
    account.refresh_from_db()


# --- What counts -----------------------------------------------------------------------------


def test_it_counts_every_recipient_of_a_mail_once_however_often_it_reads(
    gmail: PracticeGmail, account: GmailAccount
) -> None:
    to = [f"to{number}@example.org" for number in range(30)]
    write_by_hand(gmail, account.address, to, cc=["cc@example.org", "TO1@example.org"],
                  bcc=[f"bcc{number}@example.org" for number in range(9)])  # fmt: skip
    write_by_hand(gmail, account.address)
    assert [read(account), read(account)] == [2, 0]
    assert counted(account) == [40, 1]
    assert used(account) == 41


def test_it_counts_from_the_moment_at_which_gmail_took_it(
    gmail: PracticeGmail, account: GmailAccount
) -> None:
    write_by_hand(gmail, account.address)
    read(account)
    (row,) = LedgerRow.objects.filter(account=account)
    accepted = datetime.fromisoformat(gmail.ledger()[-1]["at"])
    assert row.at == accepted.replace(microsecond=0)
    assert row.state == LedgerRow.State.ACCEPTED


def test_it_keeps_nothing_of_a_mail_but_count_moment_and_key(
    gmail: PracticeGmail, account: GmailAccount
) -> None:
    write_by_hand(gmail, account.address, ["secret@example.org"], message_id="<secret@example.org>")
    read(account)
    mail = MailByHand.objects.select_related("folder", "ledger_row").get(folder__account=account)
    kept = {**vars(mail), **vars(mail.folder), **vars(mail.ledger_row)}
    assert "secret" not in str(kept)
    assert (mail.folder.name, mail.uid) == (SENT_NAME, mail.folder.read_to)


def test_it_counts_what_was_deleted_after_it_was_read(
    gmail: PracticeGmail, account: GmailAccount
) -> None:
    write_by_hand(gmail, account.address, ["a@example.org", "b@example.org"])
    read(account)
    with imap_client(gmail, account.address) as client:
        client.select_folder(SENT_NAME)
        client.delete_messages(client.search())
        client.expunge()
        assert client.search() == []
    assert read(account) == 0
    assert counted(account) == [2]


def test_it_does_not_count_what_is_ours(gmail: PracticeGmail, account: GmailAccount) -> None:
    set_up(account, sent_tried_at=timezone.now())
    make_campaign(account.workspace, [account], recipients=3)
    # Gmail replaces an id like this, and keeps it beside its own.
    odd, raw = "<odd.@gmail.com>", b"Message-ID: <odd.@gmail.com>\r\n\r\nHere.\r\n"
    Message.objects.filter(pk=make_single(account).pk).update(message_id=odd, raw=raw)
    assert send_due(account.pk).sent == 4
    write_by_hand(gmail, account.address)
    assert read(account) == 1
    assert used(account) == 5


def test_it_counts_what_a_newer_copy_of_this_database_sent(
    gmail: PracticeGmail, account: GmailAccount
) -> None:
    campaign = make_campaign(account.workspace, [account], recipients=1)
    restored = campaign.messages.get()
    write_by_hand(gmail, account.address, [restored.to_email], message_id=restored.message_id)
    assert read(account) == 1


def test_it_reads_two_days_back_and_no_further(gmail: PracticeGmail, account: GmailAccount) -> None:
    moments = {"old": timedelta(days=4), "yesterday": timedelta(hours=23), "late": -timedelta(1)}
    with imap_client(gmail, account.address) as client:
        for name in moments:
            client.append(SENT_NAME, f"To: {name}@example.org\r\n\r\n".encode())
    index = sqlite3.connect(gmail.directory / "folders.sqlite3")
    with index:
        for number, ago in enumerate(moments.values()):
            index.execute(
                "UPDATE message SET received = ? WHERE id = (SELECT id FROM message "
                "WHERE account = ? ORDER BY id LIMIT 1 OFFSET ?)",
                (int((datetime.now(UTC) - ago).timestamp()), account.address, number),
            )
    index.close()
    assert read(account) == 2
    latest = LedgerRow.objects.filter(account=account).latest("at").at
    assert latest is not None and latest <= timezone.now()


# --- Reading again, and being disturbed ------------------------------------------------------


def test_it_carries_on_where_a_session_broke(
    gmail: PracticeGmail, account: GmailAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filed, "BATCH", 2)
    for _ in range(5):
        write_by_hand(gmail, account.address)
    cut = {"protocol": "imap", "where": "fetch", "drop": True, "times": 1}
    through = {"protocol": "imap", "where": "fetch", "hang": 0.01, "times": 1}
    gmail.control(faults=[through, cut])
    read(account)
    assert (counted(account), bool(account.sent_trouble)) == ([1, 1], True)
    assert account.sent_read_at is None
    assert read(account) == 3
    assert (counted(account), account.sent_trouble) == ([1] * 5, "")


@pytest.mark.django_db(transaction=True)
def test_it_counts_once_what_two_readers_see_at_once(
    gmail: PracticeGmail, account: GmailAccount
) -> None:
    for _ in range(3):
        write_by_hand(gmail, account.address, ["a@example.org", "b@example.org"])
    both_have_read = Barrier(2)

    def none_is_ours(message_ids: set[str]) -> set[str]:
        both_have_read.wait(30)
        return set()

    def read_it(_: int) -> int:
        try:
            return by_hand.read(account.pk, none_is_ours, timezone.now())
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(read_it, range(2))) == [0, 3]
    assert counted(account) == [2, 2, 2]


def change_uids(gmail: PracticeGmail, account: GmailAccount) -> None:
    """As when a server has lost its index: every message lies there under another UID."""
    index = sqlite3.connect(gmail.directory / "folders.sqlite3")
    mine = "(SELECT id FROM folder WHERE account = ? AND role = 'sent')"
    with index:
        index.execute(f"UPDATE place SET uid = uid + 700 WHERE folder = {mine}", (account.address,))
        index.execute(
            f"UPDATE folder SET uid_validity = uid_validity + 1, uid_next = uid_next + 700 "
            f"WHERE id = {mine}",
            (account.address,),
        )
    index.close()


def test_it_counts_nothing_twice_when_every_uid_changes(
    gmail: PracticeGmail, account: GmailAccount
) -> None:
    for to in (["a@example.org"], ["b@example.org"], ["a@example.org", "b@example.org"]):
        write_by_hand(gmail, account.address, to)
    read(account)
    change_uids(gmail, account)
    write_by_hand(gmail, account.address, ["a@example.org", "b@example.org"])
    assert [read(account), read(account)] == [1, 0]
    assert counted(account) == [1, 1, 2, 2]
    assert MailByHand.objects.filter(folder__uid_validity=newest(account), uid__gt=700).count() == 4


def newest(account: GmailAccount) -> int:
    return ReadFolder.objects.filter(account=account).latest("uid_validity").uid_validity


# --- Where it cannot be read -----------------------------------------------------------------


def kept(account: GmailAccount) -> int:
    return ledger.limits(account).kept_by_hand


def test_it_keeps_the_whole_reserve_free_while_sent_is_hidden(
    gmail: PracticeGmail, account: GmailAccount
) -> None:
    set_up(account, reserve_by_hand=50)
    gmail.control(hide={account.address: ["sent"]})
    write_by_hand(gmail, account.address)
    assert read(account) == 0
    assert kept(account) == 50
    assert "IMAP does not show Sent." in sent.why_not_read(account)
    gmail.control(hide={account.address: []})
    assert read(account) == 1
    assert (kept(account), sent.why_not_read(account)) == (10, "")


def test_it_says_what_imap_said_when_it_is_switched_off(
    gmail: PracticeGmail, account: GmailAccount
) -> None:
    set_up(account, reserve_by_hand=3)
    gmail.control(imap={account.address: False})
    assert read(account) == 0
    assert kept(account) == 3
    assert "Gmail refuses the log-in by IMAP" in account.sent_trouble
    assert account.state == GmailAccount.State.READY


@pytest.mark.parametrize("inbound", ["pop", "none"])
def test_it_does_not_try_where_imap_is_not_chosen(
    gmail: PracticeGmail, account: GmailAccount, inbound: str
) -> None:
    set_up(account, inbound=inbound, reserve_by_hand=50)
    write_by_hand(gmail, account.address)
    assert read(account) == 0
    assert (kept(account), account.sent_tried_at) == (50, None)
    assert not sent.is_due(account, timezone.now())
    assert "by IMAP instead." in sent.why_not_read(account)


def test_it_notes_an_error_of_its_own_and_is_not_due_again_at_once(
    account: GmailAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(by_hand, "_open_folder", fail)
    with pytest.raises(ZeroDivisionError):
        read_sent(account.pk, timezone.now())
    account.refresh_from_db()
    assert account.sent_trouble
    assert not sent.is_due(account, timezone.now())


def test_it_breaks_off_a_reading_that_takes_long_and_goes_on_behind_it(
    gmail: PracticeGmail, account: GmailAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filed, "BATCH", 1)
    monkeypatch.setattr(by_hand, "READING_SECONDS", -1)
    for _ in range(2):
        write_by_hand(gmail, account.address)
    read(account)
    assert "so much in it" in account.sent_trouble
    read(account)
    monkeypatch.setattr(by_hand, "READING_SECONDS", 60)
    read(account)
    assert (counted(account), account.sent_trouble) == ([1, 1], "")


# --- Before something is sent ----------------------------------------------------------------


@pytest.mark.parametrize(("single", "by_hand", "left"), [(False, 8, 2), (True, 10, 0)])
def test_it_reads_before_it_sends_and_leaves_room_for_what_was_written(
    gmail: PracticeGmail, account: GmailAccount, single: bool, by_hand: int, left: int
) -> None:
    set_up(account, limit=10)
    make_single(account) if single else make_campaign(account.workspace, [account], recipients=5)
    write_by_hand(gmail, account.address, [f"{number}@example.org" for number in range(by_hand)])
    assert send_due(account.pk).sent == left
    assert gmail.refused()[-1:] == [] or gmail.refused()[-1]["account"] != account.address


def test_it_sends_up_to_the_whole_reserve_where_it_cannot_read(
    gmail: PracticeGmail, account: GmailAccount
) -> None:
    set_up(account, limit=10, reserve_by_hand=6)
    make_campaign(account.workspace, [account], recipients=12)
    gmail.control(imap={account.address: False})
    assert send_due(account.pk).sent == 4
    gmail.control(imap={account.address: True})
    set_up(account, sent_tried_at=timezone.now() - timedelta(minutes=6))
    assert send_due(account.pk).sent == 4  # of the reserve, two are left for the last minutes


def test_it_reads_again_while_sending_goes_on(
    gmail: PracticeGmail, account: GmailAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "HANDFUL", 1)
    make_campaign(account.workspace, [account], recipients=3)
    before = logins(gmail, account)

    after: list[int] = []

    def minutes_pass() -> bool:
        sent_so_far = Message.objects.filter(account=account, state="sent").count()
        if sent_so_far not in after:
            after.append(sent_so_far)
            set_up(account, sent_tried_at=timezone.now() - timedelta(minutes=5))
        return True

    assert send_due(account.pk, keep_going=minutes_pass).sent == 3
    assert logins(gmail, account) - before == 3
    make_campaign(account.workspace, [account], recipients=3)
    set_up(account, sent_tried_at=timezone.now())
    assert send_due(account.pk).sent == 3
    assert logins(gmail, account) - before == 3


def logins(gmail: PracticeGmail, account: GmailAccount) -> int:
    rows = gmail.control()["accounts"]
    return int(next(row for row in rows if row["email"] == account.address)["logins"]["imap"])


def test_it_learns_no_limit_from_what_was_written_by_hand(
    gmail: PracticeGmail, account: GmailAccount
) -> None:
    set_up(account, limit=20, sent_tried_at=timezone.now())
    make_campaign(account.workspace, [account], recipients=5)
    write_by_hand(gmail, account.address, [f"{number}@example.org" for number in range(8)])
    gmail.control(limit=10)
    assert send_due(account.pk).sent == 2
    account.refresh_from_db()
    assert account.learned_limit == 10


@pytest.mark.django_db(transaction=True)
def test_it_reads_outside_of_any_transaction(
    gmail: PracticeGmail, account: GmailAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = []
    opened = by_hand.sessions.open_imap

    def open_imap(*given: Any, **named: Any) -> Any:
        inside.append(connection.in_atomic_block)
        return opened(*given, **named)

    monkeypatch.setattr(by_hand.sessions, "open_imap", open_imap)
    make_campaign(account.workspace, [account], recipients=1)
    assert send_due(account.pk).sent == 1
    assert inside == [False]
