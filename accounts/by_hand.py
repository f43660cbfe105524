r"""Mail that a person writes by hand counts too: it is read from Sent, and put into the ledger.

Gmail counts it against the same limit, whichever program it was written with, and files a copy
in Sent; of ours as well. What is read there and is not ours becomes ledger rows. Only their
moment and their number of recipients are kept, and the key under which they were read; they
count on when the person deletes the mail from Sent.

The folder is known by its flag (\Sent), and nothing in it is changed.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import explain, ledger, sent, sessions
from accounts.doctor import remedies
from accounts.models import GmailAccount, MailByHand, ReadFolder
from accounts.vault import VaultError
from gmail import filed
from gmail.errors import AuthRefused, FolderMissing, GmailError
from gmail.filed import Filed
from gmail.imap import ImapSession

# What counts, and what counted in the 24 hours before that the charts show. Also a day of margin:
# IMAP searches by days, and which day it is, is up to the server.
LOOK_BACK = timedelta(days=2)

# Sending waits for a reading, so it is broken off rather than waited for: seconds for each answer,
# and for all of them. What was read until then is kept, and the next reading goes on behind it.
WAIT_SECONDS = 20
READING_SECONDS = 60

# Of these Message-IDs, those of mail that the ledger has already because it is our own.
Ours = Callable[[set[str]], set[str]]


@dataclass(frozen=True)
class Copy:
    """A mail as it lies in Sent."""

    uid: int
    at: datetime
    recipients: int


class TakesLong(GmailError):
    """There is more in Sent than could be read in time."""


def read(account_id: int, ours: Ours, now: datetime) -> int:
    """Count what was written since Sent was read last; returns how many mails that is.

    Not to be called inside a transaction: it waits for the network. Where Sent cannot be read,
    that is noted with the reason (`sent.why_not_read`), and from then on the reserve is kept free.
    """
    account = GmailAccount.objects.get(pk=account_id)
    if not sent.may_be_read(account):
        return 0
    outcome: dict[str, object] = {
        "sent_trouble": _("Reading it broke off at an error of Daypost's own.")
    }
    try:
        counted = _read(account, ours, now)
        outcome = {"sent_trouble": "", "sent_read_at": now}
        return counted
    except (GmailError, VaultError) as error:
        outcome = {"sent_trouble": _why(error, account)}
        return 0
    finally:
        # Also after what nobody foresaw, and as of now, however long it took: else no claim would
        # ever get past a reading that is due.
        tried = GmailAccount.objects.filter(pk=account_id)
        tried.update(sent_tried_at=timezone.now(), **outcome)


def _why(error: GmailError | VaultError, account: GmailAccount) -> str:
    match error:
        case FolderMissing():
            return _("IMAP does not show Sent. %(remedy)s") % {
                "remedy": remedies.show_sent(account)
            }
        case AuthRefused():
            return _("Gmail refuses the log-in by IMAP: “%(said)s”") % {"said": error.said}
        case TakesLong():
            return _("There is so much in it that the next reading must go on.")
        case GmailError():
            return explain.trouble(error)
        case _:
            return str(error)


def _read(account: GmailAccount, ours: Ours, now: datetime) -> int:
    session = sessions.open_imap(account, now, timeout=WAIT_SECONDS)
    ends = time.monotonic() + READING_SECONDS
    counted = 0
    try:
        folder = _open_folder(session, account)
        uids = session.uids_after(folder.read_to, since=(now - LOOK_BACK).date())
        for read_to, mails in filed.in_batches(session, uids):
            is_ours = ours({each for mail in mails for each in mail.header.message_ids})
            by_hand = [mail for mail in mails if not mail.header.message_ids & is_ours]
            copies = [_copy(mail, account, now) for mail in by_hand]
            counted += _count(account, folder, copies, read_to)
            if time.monotonic() > ends:
                raise TakesLong("Reading Sent took too long.")
    finally:
        session.close()
    return counted


def _open_folder(session: ImapSession, account: GmailAccount) -> ReadFolder:
    name = session.folders().sent
    if name is None:
        raise FolderMissing(r"\Sent")
    uid_validity = session.examine(name).uid_validity
    folder, _new = ReadFolder.objects.get_or_create(
        account=account, name=name, uid_validity=uid_validity
    )
    return folder


def _copy(mail: Filed, account: GmailAccount, now: datetime) -> Copy:
    """When it left is Gmail's to say, and stands in the ledger by the clock that counts there."""
    # A moment that lies ahead would count for longer than 24 hours from now.
    at = min(mail.received + account.ahead_of_server, now)
    return Copy(mail.uid, at, mail.header.recipients)


@transaction.atomic
def _count(account: GmailAccount, folder: ReadFolder, by_hand: list[Copy], read_to: int) -> int:
    """Put into the ledger what is not there yet, and remember that everything to `read_to` was
    looked at; returns how many mails are new.

    The lock makes two readers follow each other, and a claim see all of it or nothing.
    """
    GmailAccount.objects.select_for_update().get(pk=account.pk)
    known = set(
        MailByHand.objects.filter(
            folder=folder, uid__in=[copy.uid for copy in by_hand]
        ).values_list("uid", flat=True)
    )
    unknown = [copy for copy in by_hand if copy.uid not in known]
    new = _without_moved(account, folder, unknown)
    rows = ledger.add_by_hand(account, [(copy.at, copy.recipients) for copy in new])
    MailByHand.objects.bulk_create(
        MailByHand(folder=folder, uid=copy.uid, ledger_row=row)
        for copy, row in zip(new, rows, strict=True)
    )
    ReadFolder.objects.filter(pk=folder.pk, read_to__lt=read_to).update(read_to=read_to)
    return len(new)


def _without_moved(account: GmailAccount, folder: ReadFolder, copies: list[Copy]) -> list[Copy]:
    """Those that are not counted under a UID of another folder, or of another UIDVALIDITY.

    When UIDs change, the last days are read anew. A mail is known again by its moment and its
    number of recipients, since nothing more of it is kept, and each row is used for one mail only.
    Where two mails of one second with as many recipients are mistaken for one another, the sum is
    the same. A mail that comes to differ in either is counted twice: rather too much than too
    little.
    """
    counted: dict[tuple[datetime | None, int], list[MailByHand]] = defaultdict(list)
    elsewhere = MailByHand.objects.filter(
        folder__account=account, ledger_row__at__in={copy.at for copy in copies}
    ).exclude(folder=folder)
    for mail in elsewhere.select_related("ledger_row"):
        counted[mail.ledger_row.at, mail.ledger_row.recipients].append(mail)
    new = []
    for copy in copies:
        same = counted[copy.at, copy.recipients]
        if same:
            MailByHand.objects.filter(pk=same.pop().pk).update(folder=folder, uid=copy.uid)
        else:
            new.append(copy)
    return new
