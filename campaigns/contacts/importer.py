"""Runs imports: a file's rows -> the contacts of a workspace, a chunk a transaction.

What a chunk changes and how far the import has come are committed together. So an import that was
killed goes on where it stopped: it reads the file again from the beginning, passes over the rows
that are done, and ends with the contacts and the counts of one that was never disturbed.

A lease sees to it that two workers never run one import at the same time. It is taken, and renewed
with every chunk, by a conditional UPDATE; who finds that it has lost it, or that the import was
cancelled, stops there.
"""

import logging
import secrets
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import BinaryIO

from celery import current_app
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from kombu.exceptions import OperationalError

from campaigns.contacts import uploads
from campaigns.contacts.aliases import EMAIL
from campaigns.contacts.checking import CHUNK_ROWS, MOST_PROBLEMS
from campaigns.contacts.columns import IGNORED, STANDARD
from campaigns.contacts.dialect import Dialect
from campaigns.contacts.merging import Chunk, Tally, add_fields
from campaigns.contacts.reader import Problem, Row, header_of, read
from campaigns.contacts.reasons import CannotImport
from campaigns.contacts.rejected import RejectedRows
from campaigns.models import ContactImport

LEASE = timedelta(seconds=60)
"""How long a worker may be silent before another goes on with its import."""

_WAKE_SECONDS = 30
_RENEW_AFTER = 50_000
"""Rows passed over before the lease is renewed: well under a minute of reading."""

State = ContactImport.State

_log = logging.getLogger(__name__)


class NotOurs(Exception):
    """The lease has gone to another worker, or the import was cancelled."""


def due(now: datetime) -> list[int]:
    """The imports that wait for a worker: never begun, or left by one that died."""
    return list(_free(now).order_by("pk").values_list("pk", flat=True))


def wake(import_id: int) -> None:
    """Tell a worker that an import waits. Should this get lost, the periodic task finds it."""
    try:
        current_app.send_task("campaigns.tasks.run_import", (import_id,), expires=_WAKE_SECONDS)
    except OperationalError:
        _log.warning("The broker did not answer; import %d waits for the next tick.", import_id)


def run(import_id: int, keep_going: Callable[[], bool] = lambda: True) -> None:
    """Run an import to its end. Harmless when it is done, cancelled, or another worker has it.

    When `keep_going` says no it stops after the chunk at hand, for any worker to go on.
    """
    holder = secrets.token_hex(16)
    taken = _free(timezone.now()).filter(pk=import_id)
    if not taken.update(
        state=State.RUNNING, lease_holder=holder, lease_until=timezone.now() + LEASE
    ):
        return
    job = ContactImport.objects.select_related("workspace").get(pk=import_id)
    if job.started_at is None:
        ContactImport.objects.filter(pk=import_id).update(started_at=timezone.now())
    try:
        _Run(job, holder).to_its_end(keep_going)
    except NotOurs:
        return
    except CannotImport as refused:
        _fail(job, holder, str(refused))
    except FileNotFoundError:
        _fail(job, holder, _("The file is no longer there. Import it again."))


def cancel(job: ContactImport) -> bool:
    """Stop an import before its next chunk. What was imported stays. False when it had ended."""
    going = (State.UPLOADED, State.WAITING, State.RUNNING)
    stopped = ContactImport.objects.filter(pk=job.pk, state__in=going).update(
        state=State.CANCELLED, finished_at=timezone.now(), lease_until=None
    )
    if stopped:
        uploads.remove(job.stored_as)
    return bool(stopped)


def dialect_of(job: ContactImport) -> Dialect:
    return Dialect(job.encoding, job.delimiter, job.header_line, job.columns)


def _free(now: datetime) -> QuerySet[ContactImport]:
    """Imports that nobody runs and that are not over."""
    left = Q(state=State.RUNNING) & (Q(lease_until=None) | Q(lease_until__lt=now))
    return ContactImport.objects.filter(Q(state=State.WAITING) | left)


def _fail(job: ContactImport, holder: str, sentence: str) -> None:
    ContactImport.objects.filter(pk=job.pk, lease_holder=holder, state=State.RUNNING).update(
        state=State.FAILED, error=sentence, finished_at=timezone.now(), lease_until=None
    )


class _Run:
    """One worker's run of one import."""

    def __init__(self, job: ContactImport, holder: str) -> None:
        self._job = job
        self._holder = holder
        self._done = job.records_read
        self._tally = Tally(
            job.imported,
            job.updated,
            job.unchanged,
            job.duplicates,
            job.invalid,
            job.suppressed,
            job.suspicious,
        )
        self._labels = {
            field: column
            for column, field in job.columns.items()
            if field not in STANDARD and field not in (IGNORED, EMAIL)
        }
        self._problems: list[dict[str, str | int]] = []
        self._rejected: RejectedRows | None = None
        # Of this run alone: a worker that slept and lost its lease may still write to its own.
        self._rejected_as = f"rejected-{holder}.csv"

    def to_its_end(self, keep_going: Callable[[], bool]) -> None:
        with uploads.path_of(self._job.stored_as).open("rb") as file:
            self._columns = header_of(file, dialect_of(self._job))
            items = read(file, dialect_of(self._job))
            try:
                self._pass_over_what_is_done(items)
                while chunk := list(islice(items, CHUNK_ROWS)):
                    self._import(chunk, file)
                    if not keep_going():
                        self._let_go()
                        return
            finally:
                if self._rejected is not None:
                    self._rejected.close()
        self._finish()

    def _pass_over_what_is_done(self, items: Iterator[Row | Problem]) -> None:
        # The table of rejected rows is written anew from the beginning, so that a run that was
        # killed cannot leave a row in it twice, or half of one.
        uploads.remove(self._job.problems_as)
        for begin in range(0, self._done, _RENEW_AFTER):
            for item in islice(items, min(_RENEW_AFTER, self._done - begin)):
                if isinstance(item, Problem):
                    self._reject(item)
            with transaction.atomic():
                self._renew_lease()

    def _import(self, items: list[Row | Problem], file: BinaryIO) -> None:
        rows = [item for item in items if isinstance(item, Row)]
        for item in items:
            if isinstance(item, Problem):
                self._reject(item)
        tally = Tally(invalid=len(items) - len(rows))
        with transaction.atomic():
            job = self._renew_lease()
            chunk = Chunk(job.workspace, rows, job.consent)
            tally.add(chunk.compare(seen_by=job))
            self._add_fields(rows)
            chunk.write(seen_by=job)
            self._done += len(items)
            self._tally.add(tally)
            self._save_progress(file.tell())

    def _renew_lease(self) -> ContactImport:
        """Hold on to the import until the transaction ends. Raises NotOurs."""
        mine = ContactImport.objects.filter(
            pk=self._job.pk, state=State.RUNNING, lease_holder=self._holder
        )
        if not mine.update(lease_until=timezone.now() + LEASE):
            raise NotOurs
        # Read again: the list may have been deleted meanwhile.
        return ContactImport.objects.select_related("workspace").get(pk=self._job.pk)

    def _add_fields(self, rows: list[Row]) -> None:
        """Make the columns known as merge fields as soon as somebody has a value in them."""
        found = {
            name: label
            for row in rows
            for name in row.fields
            if (label := self._labels.pop(name, ""))
        }
        if found:
            add_fields(self._job.workspace, found)

    def _save_progress(self, bytes_read: int) -> None:
        ContactImport.objects.filter(pk=self._job.pk).update(
            records_read=self._done,
            bytes_read=bytes_read,
            problems=self._problems,
            problems_as=self._rejected_as if self._rejected is not None else "",
            **vars(self._tally),
        )

    def _let_go(self) -> None:
        ContactImport.objects.filter(pk=self._job.pk, lease_holder=self._holder).update(
            lease_until=None
        )

    def _finish(self) -> None:
        with transaction.atomic():
            job = self._renew_lease()
            ContactImport.objects.filter(pk=job.pk).update(
                state=State.FINISHED,
                finished_at=timezone.now(),
                lease_until=None,
                bytes_read=job.bytes_total,
            )
        # What people gave us is kept as contacts; the file itself is needed no longer.
        uploads.remove(job.stored_as)

    def _reject(self, problem: Problem) -> None:
        if self._rejected is None:
            self._rejected = RejectedRows(uploads.create(self._rejected_as), self._columns)
        self._rejected.add(problem)
        if len(self._problems) < MOST_PROBLEMS:
            self._problems.append(
                {"line": problem.line, "reason": problem.reason, "value": problem.value}
            )
