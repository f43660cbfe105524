"""What was accepted and what was refused, one JSON object a line, written before it is answered.

``ledger.jsonl`` is the truth about the sending limit: it is read again at every start, so a
restart forgets nothing. A process that dies within a line leaves a torn tail. Its message was never
answered with 250, so the next start cuts the tail off.
"""

import json
import os
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from practice.private_files import FileDamaged

WINDOW = timedelta(hours=24)


@dataclass(frozen=True)
class Accepted:
    """One accepted message. ``recipients`` are counted, ``to`` is their addresses with commas."""

    at: datetime
    account: str
    recipients: int
    message_id: str
    to: str
    id: str


@dataclass(frozen=True)
class Refused:
    """One refused message or recipient, and the reply that it got."""

    at: datetime
    account: str
    to: str
    reply: str


class Journal:
    """A file of JSON objects, one a line, that is only ever appended to."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._sync_directory()

    def read(self) -> list[dict[str, Any]]:
        """Every row, oldest first, after cutting off a torn last line. Raises FileDamaged."""
        content = self._path.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole != len(content):
            os.ftruncate(self._file, whole)
            os.fsync(self._file)
        rows = []
        for number, line in enumerate(content[:whole].splitlines(), start=1):
            try:
                row = json.loads(line)
                row["at"] = datetime.fromisoformat(row["at"])
            except (ValueError, KeyError, TypeError) as err:
                raise FileDamaged(
                    f"Line {number} of {self._path} cannot be read. "
                    "Mend the line, or move the file away to start without it."
                ) from err
            rows.append(row)
        return rows

    def append(self, row: Mapping[str, Any]) -> None:
        """Write one row and wait until the disk has it. Raises OSError, and keeps nothing then."""
        at = row["at"].isoformat(timespec="microseconds")
        line = json.dumps({**row, "at": at}).encode() + b"\n"
        size = os.fstat(self._file).st_size
        try:
            written = os.write(self._file, line)
            if written != len(line):
                raise OSError(f"Only {written} of {len(line)} bytes fitted into {self._path}.")
            os.fsync(self._file)
        except OSError:
            os.ftruncate(self._file, size)
            raise

    def _sync_directory(self) -> None:
        directory = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)


class Ledger:
    """The accepted messages, and how much of the limit each account has used."""

    def __init__(self, path: Path) -> None:
        self._journal = Journal(path)
        self.messages: dict[str, Accepted] = {}
        self._usage: defaultdict[str, _Usage] = defaultdict(_Usage)
        for row in self._journal.read():
            self._remember(Accepted(**row))

    def record(self, accepted: Accepted) -> None:
        """Keep an accepted message for good; it counts from now on. Raises OSError."""
        self._journal.append(vars(accepted))
        self._remember(accepted)

    def used(self, account: str, now: datetime) -> int:
        """Recipients accepted within the 24 hours before ``now``.

        A message stops counting exactly 24 hours after it was accepted. One that lies ahead,
        because the practice clock was set back, counts too: the limit must not open by that.
        """
        return self._usage[account].later_than(now - WINDOW)

    def _remember(self, accepted: Accepted) -> None:
        self.messages[accepted.id] = accepted
        self._usage[accepted.account].add(accepted.at, accepted.recipients)


class RefusedList:
    """The refused messages, oldest first."""

    def __init__(self, path: Path) -> None:
        self._journal = Journal(path)
        self.rows = [Refused(**row) for row in self._journal.read()]

    def record(self, refused: Refused) -> None:
        self._journal.append(vars(refused))
        self.rows.append(refused)


class _Usage:
    """Counts of one account in order of time, with running totals: a window is a subtraction."""

    def __init__(self) -> None:
        self._moments: list[datetime] = []
        self._totals = [0]

    def add(self, at: datetime, count: int) -> None:
        place = bisect_right(self._moments, at)
        self._moments.insert(place, at)
        self._totals.insert(place, self._totals[place])
        # Usually the newest, so one total; more only after the clock was set back.
        for later in range(place + 1, len(self._totals)):
            self._totals[later] += count

    def later_than(self, moment: datetime) -> int:
        return self._totals[-1] - self._totals[bisect_right(self._moments, moment)]
