"""Finding the copy of a mail to oneself, among other mail and without taking it from others."""

import time
from collections.abc import Callable

import pytest
from django.utils import timezone

from accounts import sessions
from accounts.models import GmailAccount
from campaigns.delivery import own_copy
from tests.practice_gmail import PracticeGmail


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> Callable[[], bool]:
    monkeypatch.setattr(own_copy, "IMAP_LOOK_SECONDS", 0.2)
    monkeypatch.setattr(own_copy, "POP_LOOK_SECONDS", 0.2)
    ends = time.monotonic() + 20
    return lambda: time.monotonic() < ends


def send_to_oneself(account: GmailAccount, *message_ids: str) -> None:
    session = sessions.open_smtp(account, timezone.now())
    for message_id in message_ids:
        session.begin(account.address, account.address)
        to_oneself = f"From: {account.address}\r\nTo: {account.address}\r\n"
        session.body(f"{to_oneself}Message-ID: {message_id}\r\n\r\nx\r\n".encode())
        session.finish()
    session.close()


def test_it_finds_the_copy_by_its_message_id_however_much_was_sent_since(
    gmail: PracticeGmail, account: GmailAccount, patient: Callable[[], bool]
) -> None:
    gmail.control(sent_delay=0)
    newer = [f"<newer.{number}@b.org>" for number in range(own_copy.NEWEST + 5)]
    send_to_oneself(account, "<older@b.org>", *newer)
    assert own_copy.find(account, newer[-1], patient)
    assert own_copy.find(account, "<older@b.org>", lambda: False)


def test_it_fetches_nothing_whole_by_pop(
    gmail: PracticeGmail, account: GmailAccount, patient: Callable[[], bool]
) -> None:
    """Gmail would hide it from whatever else fetches this mailbox by POP."""
    fetching = {"protocol": "pop", "where": "retr", "reply": "-ERR [SYS/TEMP] No.", "times": None}
    gmail.control(sent_delay=0, faults=[fetching])
    send_to_oneself(account, "<ours@b.org>")
    account.inbound = GmailAccount.Inbound.POP
    assert own_copy.find(account, "<ours@b.org>", patient)
