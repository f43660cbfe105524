"""What is old goes: never what still counts, never bytes of a message whose fate is not known.

In batches, each a transaction of its own, so that nobody waits for it and killing it is harmless:
the next run goes on.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db.models import Exists, Max, Model, OuterRef, Q, QuerySet

from accounts.models import Halt, LedgerRow, Rest
from campaigns.contacts import uploads
from campaigns.models import ContactImport, Message

M = Message.State

A_BATCH = 500
FATE_KNOWN = (M.SENT, M.REFUSED, M.SKIPPED, M.CANCELLED)
OVER = (ContactImport.State.FINISHED, ContactImport.State.FAILED, ContactImport.State.CANCELLED)


@dataclass
class Gone:
    """How much of each went."""

    ledger_rows: int = 0
    bytes_of_messages: int = 0
    import_files: int = 0
    rests: int = 0
    halts: int = 0


def tidy(now: datetime) -> Gone:
    """Let everything go that is older than the settings say (`docs/settings.md`)."""
    return Gone(
        ledger_rows=_forget_uses(_before(_last_use(now), settings.KEEP_LEDGER_DAYS)),
        bytes_of_messages=_forget_bytes(_before(now, settings.KEEP_FILES_DAYS)),
        import_files=_remove_files(_before(now, settings.KEEP_FILES_DAYS)),
        rests=_delete(_rests(_before(now, settings.KEEP_HISTORY_DAYS))),
        halts=_delete(_halts(_before(now, settings.KEEP_HISTORY_DAYS))),
    )


def _last_use(now: datetime) -> datetime:
    """The ledger is aged by itself: a clock that is ahead must not empty it."""
    newest: datetime | None = LedgerRow.objects.aggregate(Max("reserved_at"))["reserved_at__max"]
    return min(newest or now, now)


def _before(now: datetime, days: int) -> datetime:
    return now - timedelta(days=days)


def _ledger(cutoff: datetime) -> QuerySet[LedgerRow]:
    """Rows that count no more. What is reserved counts until it is settled, however old.

    The newest of each account stays: it is a witness of the time, and of the last that was sent.
    """
    settled = Q(state=LedgerRow.State.VOID, reserved_at__lt=cutoff) | Q(
        state__in=(LedgerRow.State.ACCEPTED, LedgerRow.State.UNKNOWN), at__lt=cutoff
    )
    in_use = Message.objects.filter(ledger_row=OuterRef("pk")).exclude(state__in=FATE_KNOWN)
    newest = LedgerRow.objects.values("account").annotate(newest=Max("pk")).values("newest")
    return LedgerRow.objects.filter(settled, ~Exists(in_use)).exclude(pk__in=newest)


def _rests(cutoff: datetime) -> QuerySet[Rest]:
    """Those that are over. One that lasts until a person does something has no end yet."""
    return Rest.objects.filter(Q(ended_at__lt=cutoff) | Q(ended_at=None, until__lt=cutoff))


def _halts(cutoff: datetime) -> QuerySet[Halt]:
    return Halt.objects.filter(ended_at__lt=cutoff)


def _forget_bytes(cutoff: datetime) -> int:
    """A safety net, but for refused mail of a program, which "Try again" needs for a while."""
    kept = Message.objects.filter(raw__isnull=False)
    done = kept.filter(Q(state__in=FATE_KNOWN) & (~Q(state=M.REFUSED) | Q(created_at__lt=cutoff)))
    count = 0
    while batch := list(done.order_by("pk").values_list("pk", flat=True)[:A_BATCH]):
        # Asked again: a person may have let one wait again since.
        count += done.filter(pk__in=batch).update(raw=None)
    return count


def _forget_uses(cutoff: datetime) -> int:
    rows, count = _ledger(cutoff), 0
    while batch := list(rows.order_by("pk").values_list("pk", flat=True)[:A_BATCH]):
        # By the row itself, not by the message: one that leaves again meanwhile has another.
        over = Message.objects.filter(ledger_row__in=batch, state__in=FATE_KNOWN)
        over.update(ledger_row=None)
        rows.filter(pk__in=batch).delete()
        count += len(batch)
    return count


def _delete(rows: "QuerySet[Model]") -> int:
    count = 0
    while batch := list(rows.order_by("pk").values_list("pk", flat=True)[:A_BATCH]):
        found = rows.filter(pk__in=batch)
        count += len(batch)
        found.delete()
    return count


# --- Files -----------------------------------------------------------------------------------


def _remove_files(cutoff: datetime) -> int:
    """Of imports that ended before, and of none at all: what a crash or a restore left behind."""
    ended = ContactImport.objects.filter(state__in=OVER, finished_at__lt=cutoff)
    count = 0
    for job in ended.exclude(stored_as="", problems_as="").order_by("pk").iterator():
        for name in filter(None, (job.stored_as, job.problems_as)):
            count += _remove(uploads.path_of(name))
        ContactImport.objects.filter(pk=job.pk).update(stored_as="", problems_as="")
    return count + _remove_orphans(cutoff)


def _remove_orphans(cutoff: datetime) -> int:
    pointed_to = {
        name
        for names in ContactImport.objects.values_list("stored_as", "problems_as").iterator()
        for name in names
    }
    files = [one for one in Path(settings.UPLOADS_DIR).iterdir() if one.name not in pointed_to]
    return sum(_remove(one) for one in files if _is_older(one, cutoff))


def _is_older(file: Path, cutoff: datetime) -> bool:
    try:
        return file.is_file() and file.stat().st_mtime < cutoff.timestamp()
    except FileNotFoundError:
        return False


def _remove(file: Path) -> bool:
    try:
        file.unlink()
    except FileNotFoundError:
        return False
    return True
