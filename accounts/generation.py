"""Notices that the database is an older copy, before anything leaves a second time.

A number grows with every message that is about to be given its end. It stands in the database and,
written after that commit and before the end is given, in a file of the data folder. So the file is
never ahead of the database, unless the database was replaced by a copy from before: then some of
what waits in it may have left already, and every account is halted.

See `docs/decisions/an-older-copy-is-noticed.md`.
"""

import fcntl
import os
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Max, Min
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts import halts
from accounts.models import Generation, GmailAccount, Halt, LedgerRow

_ONLY = 1
_NEXT = "UPDATE accounts_generation SET number = number + 1 WHERE id = %s RETURNING number"
_OWNER_ONLY = 0o600
# As many digits as the largest number has, so that a new number covers the old one whole.
_DIGITS = 19


def next_number() -> int:
    """The number of the message that is about to be given its end.

    To be called in the transaction that commits this, last: it holds the row until the end of it,
    so that whatever has a smaller number is committed before.
    """
    with connection.cursor() as cursor:
        # In one statement, which Django cannot write: everything that leaves passes here.
        cursor.execute(_NEXT, [_ONLY])
        row = cursor.fetchone()
    if row is None:
        Generation.objects.get_or_create(pk=_ONLY)
        return next_number()
    return int(row[0])


def remember(number: int) -> None:
    """Write down, beside the database, that the message of this number is given its end now.

    Raises OSError: then the end must not be given. It is not synced to the disk, as the database
    is: a power cut may take back the last seconds of it.
    """
    descriptor = os.open(_path(), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _OWNER_ONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if number > _number_in(os.pread(descriptor, 2 * _DIGITS, 0)):
            os.pwrite(descriptor, b"%0*d\n" % (_DIGITS, number), 0)
    finally:
        os.close(descriptor)


def look(now: datetime) -> bool:
    """Halt every account when the database is behind what this machine has handed over."""
    # In this order: the file is never ahead of what is committed at the same moment or later.
    beside = _beside()
    if beside <= _of_database():
        return False
    return _behind(beside, now)


@transaction.atomic
def restored(copied_at: datetime, now: datetime) -> None:
    """The database has just been made of a backup of the moment `copied_at`: halt everything.

    Whatever the numbers say: what was sent since then need not have left from this machine.
    """
    row = _locked()
    # Made by a clock that was ahead, a backup does not know its moment: its newest trace does.
    since = copied_at if copied_at <= now else min(_newest_trace() or now, now)
    _halt(max(row.number, _beside()), since, _restored_words(copied_at), now)


def copied_at() -> datetime | None:
    """A moment before everything that an older copy, which this database is, cannot know."""
    return Generation.objects.filter(pk=_ONLY).values_list("copied_at", flat=True).first()


@transaction.atomic
def _behind(beside: int, now: datetime) -> bool:
    row = _locked()
    if beside <= row.number:
        return False  # another worker noticed it first
    copied_at = _newest_trace() or now
    # With the file's number the two agree from here on, and what leaves once the halts have ended
    # is numbered above everything that ever left.
    _halt(beside, copied_at, _behind_words(copied_at), now)
    return True


def _halt(number: int, copied_at: datetime, reason: str, now: datetime) -> None:
    known = Generation.objects.values_list("copied_at", flat=True).get(pk=_ONLY)
    restored = Halt.Cause.RESTORED
    if known is not None and Halt.objects.filter(cause=restored, ended_at=None).exists():
        # An older copy still: of the one before it is not known either what has left since.
        copied_at = min(known, copied_at)
        # Begun anew: what was found out before this copy says nothing of what has left since.
        halts.end(GmailAccount.objects.all(), restored, now)
    halts.begin(GmailAccount.objects.all(), restored, reason, now)
    Generation.objects.filter(pk=_ONLY).update(number=number, copied_at=copied_at)


def _locked() -> Generation:
    Generation.objects.get_or_create(pk=_ONLY)
    return Generation.objects.select_for_update().get(pk=_ONLY)


def _newest_trace() -> datetime | None:
    """The last that the database knows of. Whatever left since it was copied, left after that."""
    claimed = LedgerRow.objects.aggregate(Max("reserved_at"))["reserved_at__max"]
    connected = GmailAccount.objects.aggregate(Min("connected_at"))["connected_at__min"]
    newest: datetime | None = claimed or connected
    return newest


def _behind_words(copied_at: datetime) -> str:
    since = _("The database is an older copy, from after %(moment)s.") % {
        "moment": _in_words(copied_at)
    }
    # How many is nobody's business: workspaces share the number.
    left = _("Messages have left that it does not know of.")
    return f"{since} {left} {_way_on()}"


def _restored_words(copied_at: datetime) -> str:
    since = _("The database was restored from a backup of %(moment)s.") % {
        "moment": _in_words(copied_at)
    }
    return f"{since} {_('What left since then may be waiting in it again.')} {_way_on()}"


def _way_on() -> str:
    return _(
        "Daypost looks for it in Sent, and goes on when it is known, or when you let this account "
        "go on yourself."
    )


def _in_words(moment: datetime) -> str:
    local = timezone.localtime(moment)
    return f"{date_format(local, 'j F Y, H:i')} ({local.tzname()})"


def _of_database() -> int:
    return Generation.objects.filter(pk=_ONLY).values_list("number", flat=True).first() or 0


def _beside() -> int:
    """The highest number that this machine gave to a message; 0 where nothing is written down."""
    try:
        return _number_in(_path().read_bytes())
    except FileNotFoundError:
        return 0


def _number_in(written: bytes) -> int:
    """0 also for what is no number, as where the file was lost: nothing can be told by it."""
    return int(written) if written.strip().isdigit() else 0


def _path() -> Path:
    return Path(settings.DATA_DIR) / "generation"
