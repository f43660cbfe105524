"""What an import would do, before anything is written."""

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import BinaryIO

from accounts.models import Workspace
from campaigns.contacts.dialect import Dialect
from campaigns.contacts.merging import Chunk, Tally
from campaigns.contacts.reader import Problem, Row, read

CHUNK_ROWS = 1_000
MOST_PROBLEMS = 1_000
"""Problems that are listed; all are counted, and written to the table of rejected rows."""


@dataclass
class Findings:
    """What was found in a file. `whole` is False when the time was up before its end."""

    tally: Tally = field(default_factory=Tally)
    problems: list[Problem] = field(default_factory=list)
    reasons: dict[str, int] = field(default_factory=dict)
    """How many rows each reason keeps out."""
    whole: bool = True

    def add_problem(self, problem: Problem) -> None:
        self.tally.invalid += 1
        self.reasons[problem.reason] = self.reasons.get(problem.reason, 0) + 1
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(problem)


def check(
    file: BinaryIO, dialect: Dialect, workspace: Workspace, seconds: float | None = None
) -> Findings:
    """Do all that an import does but write. Stops after `seconds`, if given, and says so.

    Raises NoAddressColumn or WrongChoice when `dialect` does not fit the file.
    """
    found = Findings()
    items = read(file, dialect)
    deadline = None if seconds is None else time.monotonic() + seconds
    with seen_addresses() as seen:
        while chunk := list(islice(items, CHUNK_ROWS)):
            rows = [item for item in chunk if isinstance(item, Row)]
            for item in chunk:
                if isinstance(item, Problem):
                    found.add_problem(item)
            fresh = seen.first_times(rows)
            found.tally.duplicates += len(rows) - len(fresh)
            found.tally.add(Chunk(workspace, fresh, consent="").compare())
            if deadline is not None and time.monotonic() > deadline:
                found.whole = next(items, None) is None
                break
    return found


class SeenAddresses:
    """Which addresses of a file came before. On disk: memory must not grow with the file."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        database.execute("CREATE TABLE seen (key TEXT PRIMARY KEY) WITHOUT ROWID")

    def first_times(self, rows: Sequence[Row]) -> list[Row]:
        """Those of `rows` whose address was not seen before."""
        insert = "INSERT OR IGNORE INTO seen VALUES (?)"
        return [row for row in rows if self._database.execute(insert, (row.key,)).rowcount]


@contextmanager
def seen_addresses() -> Iterator[SeenAddresses]:
    # An empty name is a temporary database that SQLite deletes when it is closed.
    with closing(sqlite3.connect("")) as database:
        yield SeenAddresses(database)
