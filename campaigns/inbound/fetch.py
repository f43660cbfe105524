"""Reads what came into an account's mailbox since it was read last, and hears what concerns us.

Read only: folders are EXAMINEd and messages PEEKed at, or shown by TOP, so nothing turns read,
moves or goes. Of every mail only a few lines of its header are looked at; what may concern us is
read as far as `ENOUGH`, and of what does a row is kept.

How far a reading has come is written down after each batch, and a mail that is read twice changes
nothing the second time: so it may be killed anywhere, and the next one goes on.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import OperationalError
from django.db.models import Min, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import explain, sessions
from accounts.leases import is_free
from accounts.models import GmailAccount, ReadFolder, SeenMail
from accounts.vault import VaultError
from campaigns import lasting_keys
from campaigns.delivery import leaving
from campaigns.inbound import matching
from campaigns.inbound.apply import Heard, Where, apply, apply_again
from campaigns.inbound.classify import classify
from campaigns.models import Message
from gmail.errors import GmailError, Temporary
from gmail.imap import Dated, ImapSession
from gmail.inbound_header import FIELDS, InboundHeader
from gmail.pop import PopSession

_log = logging.getLogger(__name__)

# Who holds it longer than a reading may take has died.
LEASE = timedelta(minutes=10)
# A reading ends by itself after so many seconds; the next one goes on.
READING_SECONDS = 240
# For each answer of the server.
WAIT_SECONDS = 30

BATCH = 200
# Octets of a mail, or lines of its body: reports and answers say what they say long before.
ENOUGH = 300_000
ENOUGH_OF_A_HEADER = 32_768
ENOUGH_LINES = 3_000

# IMAP searches by days, and which day it is, is up to the server; a report may also be older than
# the moment it was filed.
MARGIN = timedelta(days=2)


@dataclass(frozen=True)
class Candidate:
    """A mail in the mailbox that may concern us, and where it lies."""

    where: Where
    raw: bytes


def read(account_id: int, now: datetime) -> Heard | None:
    """Hear what came since; None when somebody else is at it, or there is nothing to read.

    Not to be called inside a transaction: it waits for the network. Where the mailbox cannot be
    read, that is noted with the reason (`GmailAccount.inbound_trouble`).
    """
    if not lasting_keys.fit():
        # Who opts out would be noted where nobody looks.
        return None
    lease = _take(account_id, now)
    if lease is None:
        return None
    account = GmailAccount.objects.get(pk=account_id)
    outcome: dict[str, object] = {
        "inbound_trouble": _("Reading it broke off at an error of Daypost's own.")
    }
    try:
        heard = _read(account, now)
        outcome = {"inbound_trouble": "", "inbound_read_at": now}
        return heard
    except (GmailError, VaultError) as error:
        outcome = {"inbound_trouble": _why(error)}
        return None
    finally:
        mine = GmailAccount.objects.filter(pk=account_id, inbound_until=lease)
        mine.update(inbound_until=None, inbound_tried_at=timezone.now(), **outcome)


def _why(error: GmailError | VaultError) -> str:
    return explain.trouble(error) if isinstance(error, GmailError) else str(error)


def _take(account_id: int, now: datetime) -> datetime | None:
    until = now + LEASE
    free = GmailAccount.objects.filter(is_free("inbound_until", now, LEASE), pk=account_id)
    return until if free.update(inbound_until=until) else None


def _read(account: GmailAccount, now: datetime) -> Heard:
    if not _left(account).exists():
        return Heard()
    apply_again(account.pk, now)
    ends = time.monotonic() + READING_SECONDS
    if account.inbound == GmailAccount.Inbound.POP:
        return _by_pop(account, now, ends)
    return _by_imap(account, now, ends)


def _left(account: GmailAccount) -> QuerySet[Message]:
    """What has left through the account: nothing can come back before."""
    return Message.objects.filter(account=account, handed_over_at__isnull=False)


# --- By IMAP ---------------------------------------------------------------------------------


def _by_imap(account: GmailAccount, now: datetime, ends: float) -> Heard:
    heard = Heard()
    with closing(sessions.open_imap(account, now, timeout=WAIT_SECONDS)) as session:
        for name in _folders(session):
            selected = session.examine(name)
            folder, _new = ReadFolder.objects.get_or_create(
                account=account, name=name, uid_validity=selected.uid_validity
            )
            if selected.uid_next and folder.read_to + 1 >= selected.uid_next:
                continue
            since = None if folder.read_to else _since(account, folder)
            uids = session.uids_after(folder.read_to, since)
            for start in range(0, len(uids), BATCH):
                some = uids[start : start + BATCH]
                heard.add(_hear(_candidates_by_imap(session, account, some, now), now))
                heard.messages += len(some)
                ReadFolder.objects.filter(pk=folder.pk, read_to__lt=some[-1]).update(
                    read_to=some[-1]
                )
                if time.monotonic() > ends:
                    return heard
    return heard


def _since(account: GmailAccount, folder: ReadFolder) -> date | None:
    """From which day on a folder matters that was not read before; None where that is not known.

    One whose numbers were given anew was read already, up to the last reading.
    """
    renumbered = account.read_folders.filter(name=folder.name).exclude(pk=folder.pk).exists()
    since = account.inbound_read_at if renumbered else None
    since = since or _left(account).aggregate(first=Min("handed_over_at"))["first"]
    return (since - MARGIN).date() if since else None


def _folders(session: ImapSession) -> list[str]:
    """All Mail, where filters and archives cannot hide anything, and Spam; by their flags.

    Trash is left out: what its person threw away before it was read is theirs to throw away.
    """
    folders = session.folders()
    return [name for name in (folders.all_mail or folders.inbox, folders.junk) if name]


def _candidates_by_imap(
    session: ImapSession, account: GmailAccount, uids: Sequence[int], now: datetime
) -> Iterator[Candidate]:
    dated = _dated(session, uids)
    headers = {uid: InboundHeader.read(one.header) for uid, one in dated.items()}
    for uid, named in _ours(account, headers).items():
        received = min(dated[uid].received + account.ahead_of_server, now)
        try:
            raw = session.message(uid, ENOUGH)
        except Temporary as error:
            _log.warning("Mail %d to %s is not shown: %s", uid, account.address, error.said)
            continue
        if raw:
            yield Candidate(Where(account, received, named), raw)


def _dated(session: ImapSession, uids: Sequence[int]) -> dict[int, Dated]:
    """Their headers; where the server will not show some of them, those of the others."""
    try:
        return session.dated(uids, FIELDS, ENOUGH_OF_A_HEADER)
    except Temporary as error:
        if len(uids) == 1:
            _log.warning("The header of mail %d is not shown: %s", uids[0], error.said)
            return {}
        middle = len(uids) // 2
        return _dated(session, uids[:middle]) | _dated(session, uids[middle:])


# --- By POP ----------------------------------------------------------------------------------


def _by_pop(account: GmailAccount, now: datetime, ends: float) -> Heard:
    """By TOP alone: what RETR reads, Gmail shows to no later session."""
    heard = Heard()
    with closing(sessions.open_pop(account, now)) as session:
        listed = session.uidls()
        seen = set(account.seen_mail.values_list("uidl", flat=True))
        new = [uidl for uidl in listed if uidl not in seen]
        for start in range(0, len(new), BATCH):
            some = new[start : start + BATCH]
            numbers = [listed[uidl] for uidl in some]
            heard.add(_hear(_candidates_by_pop(session, account, numbers, now), now))
            heard.messages += len(some)
            SeenMail.objects.bulk_create(
                [SeenMail(account=account, uidl=uidl) for uidl in some], ignore_conflicts=True
            )
            if time.monotonic() > ends:
                return heard
        _forget(account, seen - set(listed))
    return heard


def _candidates_by_pop(
    session: PopSession, account: GmailAccount, numbers: Sequence[int], now: datetime
) -> Iterator[Candidate]:
    headers = {number: InboundHeader.read(_top(session, number)) for number in numbers}
    for number, named in _ours(account, headers).items():
        raw = _top(session, number, ENOUGH_LINES)[:ENOUGH]
        if raw:
            # POP does not say when a mail came; what its Date says is anybody's word.
            yield Candidate(Where(account, now, named), raw)


def _top(session: PopSession, number: int, lines: int = 0) -> bytes:
    """The beginning of a mail; empty where the server will not show it."""
    try:
        return session.top(number, lines)
    except Temporary as error:
        _log.warning("A mail is not shown by POP: %s", error.said)
        return b""


def _forget(account: GmailAccount, gone: set[str]) -> None:
    """What the server lists no more. Gmail lists 30 days."""
    names = sorted(gone)
    for start in range(0, len(names), BATCH):
        account.seen_mail.filter(uidl__in=names[start : start + BATCH]).delete()


# --- Either way ------------------------------------------------------------------------------


def _hear(candidates: Iterator[Candidate], now: datetime) -> Heard:
    heard = Heard()
    for one in candidates:
        try:
            heard.add(_apply(one, now))
        except OperationalError:
            # The database is away: no other mail would fare better, and this one comes again.
            raise
        except Exception:  # noqa: BLE001 - a mail that nobody foresaw must not hold up all others
            _log.exception("A mail to %s could not be understood.", one.where.account.address)
    return heard


def _apply(one: Candidate, now: datetime) -> Heard:
    came = classify(one.raw, opts_out=one.where.named is not None)
    return Heard() if came is None else apply(came, one.where, now)


def _ours(account: GmailAccount, headers: dict[int, InboundHeader]) -> dict[int, Message | None]:
    """Those that may concern us, with the message that a token names; nothing of our own."""
    own = _own_addresses(account)
    answered = {each for header in headers.values() for each in header.answers}
    known = matching.known_ids(account, answered) if answered else set()
    ours: dict[int, Message | None] = {}
    for key, header in headers.items():
        number = leaving.message_in_mail(header.plus_addresses, header.subject)
        named = matching.by_number(account, number)
        concerns = header.may_report or known.intersection(header.answers) or _asks(header)
        if named or (concerns and header.sender not in own):
            ours[key] = named
    return ours


def _own_addresses(account: GmailAccount) -> set[str]:
    """Those of the workspace: what is from them, somebody who works in it wrote."""
    here = GmailAccount.objects.filter(workspace=account.workspace_id)
    addresses = here.values_list("address", "from_address")
    return {one.lower() for both in addresses for one in both if one}


def _asks(header: InboundHeader) -> bool:
    """As the mail that left before there were tokens asks its recipients to."""
    return header.subject.lower() == "unsubscribe"
