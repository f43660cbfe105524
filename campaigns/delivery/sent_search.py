"""Asks Gmail by IMAP for what is in doubt: one session for all of an account's.

Folders are known by their flags: Sent, then All Mail and Trash, where a copy lies that its person
moved. Whatever is found was accepted, so looking too often, or twice at once, is harmless; the
lease only spares Gmail.
"""

from collections.abc import Iterable
from contextlib import closing
from datetime import datetime, timedelta

from django.utils import timezone

from accounts import explain, sessions
from accounts.leases import is_free
from accounts.models import GmailAccount
from accounts.vault import VaultError
from campaigns.delivery import copies, doubt
from campaigns.models import Message
from gmail.errors import FolderMissing, GmailError
from gmail.imap import ImapSession

# Longer than so many searches take; whoever died meanwhile blocks the others no longer.
LEASE = timedelta(minutes=10)
MOST_AT_ONCE = 200
# Where Gmail replaces our Message-IDs no search finds one: so many of a folder's newest are read.
NEWEST = 500

# By their Message-IDs.
Doubts = dict[str, Message]


class _NotConnected(Exception):
    """Nobody may log in before its person has connected the account again."""


def due_accounts(now: datetime | None = None) -> list[int]:
    """Accounts with something in doubt that is to be looked for, at `now` or at all."""
    doubted = Message.objects.filter(doubt.is_looked_for(now), account__isnull=False)
    accounts = GmailAccount.objects.filter(pk__in=doubted.values("account"))
    return list(accounts.order_by("id").values_list("pk", flat=True))


def search(account_id: int, *, only_due: bool = True) -> int:
    """Look for what is in doubt, and settle what is found; returns how many were.

    Nothing while somebody else is at it. Not to be called inside a transaction.
    """
    now = timezone.now()
    lease = _take(account_id, now)
    if lease is None:
        return 0
    try:
        return _search(GmailAccount.objects.get(pk=account_id), now, only_due)
    finally:
        leased = GmailAccount.objects.filter(pk=account_id, sent_search_until=lease)
        leased.update(sent_search_until=None)


def _take(account_id: int, now: datetime) -> datetime | None:
    until = now + LEASE
    free = is_free("sent_search_until", now, LEASE)
    accounts = GmailAccount.objects.filter(free, pk=account_id)
    return until if accounts.update(sent_search_until=until) else None


def _search(account: GmailAccount, now: datetime, only_due: bool) -> int:
    """`now` is before the first look: what was filed since may not have been seen by it."""
    doubts = _doubts(account, now if only_due else None)
    if not doubts:
        return 0
    if account.inbound != GmailAccount.Inbound.IMAP:
        for message in doubts.values():
            doubt.hold(message, Message.Held.NOT_READ, now, again_at=now)
        return 0
    asked_for = len(doubts)
    try:
        _take_out_found(account, doubts, now)
    except (_NotConnected, GmailError, VaultError) as error:
        for message in doubts.values():
            doubt.not_readable(message, str(error), now)
    else:
        for message in doubts.values():
            doubt.not_found(message, now)
    return asked_for - len(doubts)


def _doubts(account: GmailAccount, now: datetime | None) -> Doubts:
    rows = Message.objects.filter(doubt.is_looked_for(now), account=account)
    ordered = rows.select_related("ledger_row").defer("raw").order_by("look_again_at", "id")
    return {message.message_id: message for message in ordered[:MOST_AT_ONCE]}


def _take_out_found(account: GmailAccount, doubts: Doubts, now: datetime) -> None:
    """Settle those that Gmail has a copy of, and take them out of `doubts`."""
    if account.state != GmailAccount.State.READY:
        raise _NotConnected(account.state_reason or explain.connect_again())
    newest = NEWEST if account.keeps_message_id is False else 0
    with closing(sessions.open_imap(account, now)) as session:
        for folder in _folders(session):
            if not doubts:
                break
            for message_id in copies.among(session, folder, list(doubts), newest):
                doubt.found(doubts.pop(message_id), timezone.now())


def _folders(session: ImapSession) -> Iterable[str]:
    """Where a copy may lie, the likeliest first. Absence says nothing where both are hidden."""
    folders = session.folders()
    if folders.sent is None and folders.all_mail is None:
        raise FolderMissing(r"\Sent")
    return [name for name in (folders.sent, folders.all_mail, folders.trash) if name]
