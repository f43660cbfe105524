"""Finds the copy that Gmail keeps of a mail to oneself: in Sent by IMAP, or in the inbox by POP."""

from __future__ import annotations

import time
from collections.abc import Callable
from email.parser import BytesHeaderParser

from django.utils import timezone

from accounts import sessions
from accounts.models import GmailAccount
from campaigns.delivery import copies
from campaigns.delivery.copies import Copy
from gmail.errors import FolderMissing, SessionEnded
from gmail.imap import ImapSession

# So many of the newest are looked through for one whose Message-ID was replaced.
NEWEST = 20
IMAP_LOOK_SECONDS = 2
# Seconds before each further log-in when Gmail ends the session. After the last it is given up.
IMAP_PAUSES = (2, 4, 8)
# POP shows what was there at the log-in (RFC 1939 section 8): each look is a log-in.
POP_LOOK_SECONDS = 10


def find(account: GmailAccount, message_id: str, patient: Callable[[], bool]) -> Copy | None:
    """The copy of the mail that left as `message_id`; None when it was not there in time.

    `patient` is asked before each further look. Not to be called inside a transaction. Raises what
    `sessions` raises for opening one, Temporary, SessionEnded when Gmail ends one after the other,
    or FolderMissing where Sent is hidden from IMAP.
    """
    if account.inbound == GmailAccount.Inbound.POP:
        return _by_pop(account, message_id, patient)
    return _by_imap(account, message_id, patient)


def written_by(header: bytes) -> str:
    """The address in the From of a mail of ours."""
    return copies.address(BytesHeaderParser().parsebytes(header)["From"])


def _by_imap(account: GmailAccount, message_id: str, patient: Callable[[], bool]) -> Copy | None:
    pauses = iter(IMAP_PAUSES)
    while True:
        session = sessions.open_imap(account, timezone.now())
        try:
            return _wait_for_sent(session, message_id, patient)
        except SessionEnded:
            pause = next(pauses, None)
            if pause is None or not patient():
                raise
        finally:
            session.close()
        time.sleep(pause)


def _wait_for_sent(
    session: ImapSession, message_id: str, patient: Callable[[], bool]
) -> Copy | None:
    while True:
        copy = _look_into_sent(session, message_id)
        if copy is not None or not patient():
            return copy
        time.sleep(IMAP_LOOK_SECONDS)


def _look_into_sent(session: ImapSession, message_id: str) -> Copy | None:
    sent = session.folders().sent
    if sent is None:
        raise FolderMissing(r"\Sent")
    return copies.among(session, sent, [message_id], NEWEST).get(message_id)


def _by_pop(account: GmailAccount, message_id: str, patient: Callable[[], bool]) -> Copy | None:
    seen: set[str] = set()
    while True:
        try:
            copy = _look_into_inbox(account, message_id, seen)
            if copy is not None or not patient():
                return copy
        except SessionEnded:
            if not patient():
                raise
        time.sleep(POP_LOOK_SECONDS)


def _look_into_inbox(account: GmailAccount, message_id: str, seen: set[str]) -> Copy | None:
    """By TOP alone: what RETR reads, Gmail shows to no later POP session."""
    session = sessions.open_pop(account, timezone.now())
    try:
        newest = list(session.uidls().items())[-NEWEST:]
        for uidl, number in reversed(newest):
            if uidl not in seen:
                copy = copies.read(session.top(number), {message_id})
                seen.add(uidl)
                if copy is not None:
                    return copy
    finally:
        session.close()
    return None
