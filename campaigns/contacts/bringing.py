"""Suppressions that another program exported: a table of any form -> suppressions.

Only the column with the addresses counts. Who is suppressed already stays so, with the reason that
stands there: bringing the same table again changes nothing.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice

from accounts.models import Workspace
from campaigns.contacts import uploads
from campaigns.contacts.aliases import EMAIL
from campaigns.contacts.checking import CHUNK_ROWS, MOST_PROBLEMS, seen_addresses
from campaigns.contacts.columns import IGNORED
from campaigns.contacts.dialect import Dialect, guess
from campaigns.contacts.reader import Problem, Row, read
from campaigns.contacts.suppressing import not_suppressed, suppress
from campaigns.models import Suppression

SECONDS_TO_LOOK = 5.0


@dataclass
class Brought:
    """What a table holds: rows by what they come to. `problems` are the first of the bad ones.

    `whole` is False where time was up before its end.
    """

    column: str = ""
    new: int = 0
    known: int = 0
    repeated: int = 0
    bad: int = 0
    problems: list[Problem] = field(default_factory=list)
    whole: bool = True

    @property
    def rows(self) -> int:
        return self.new + self.known + self.repeated + self.bad


def store(workspace: Workspace, chunks: Iterable[bytes]) -> str:
    """Keep a table until it is looked at and brought; forgotten with old files otherwise."""
    return uploads.store(chunks, begins_with=belongs_to(workspace))


def belongs_to(workspace: Workspace) -> str:
    """How the names of such tables begin: nothing else says whose they are."""
    return f"suppressions-{workspace.pk}-"


def look(workspace: Workspace, stored_as: str) -> Brought:
    """What bringing this table would do, at most so many seconds of it. Raises CannotImport."""
    return _go_through(workspace, stored_as, time.monotonic() + SECONDS_TO_LOOK)


def bring(workspace: Workspace, stored_as: str, note: str) -> Brought:
    """Suppress all addresses of this table. Raises CannotImport."""
    return _go_through(workspace, stored_as, None, note)


def _go_through(
    workspace: Workspace, stored_as: str, until: float | None, note: str = ""
) -> Brought:
    with uploads.path_of(stored_as).open("rb") as file, seen_addresses() as seen:
        dialect = _only_addresses(guess(file))
        found = Brought(column=next(c for c, means in dialect.columns.items() if means == EMAIL))
        items = read(file, dialect)
        while chunk := list(islice(items, CHUNK_ROWS)):
            rows = [item for item in chunk if isinstance(item, Row)]
            problems = [item for item in chunk if isinstance(item, Problem)]
            found.bad += len(problems)
            found.problems += problems[: MOST_PROBLEMS - len(found.problems)]
            keys = [row.key for row in seen.first_times(rows)]
            found.repeated += len(rows) - len(keys)
            if until is None:
                new = suppress(workspace, keys, note, Suppression.Reason.IMPORTED)
            else:
                new = len(not_suppressed(workspace, keys))
            found.new += new
            found.known += len(keys) - new
            if until is not None and time.monotonic() > until:
                found.whole = next(items, None) is None
                break
    return found


def _only_addresses(guessed: Dialect) -> Dialect:
    """What stands in the other columns is no reason to write to somebody."""
    columns = {
        column: EMAIL if means == EMAIL else IGNORED for column, means in guessed.columns.items()
    }
    return Dialect(guessed.encoding, guessed.delimiter, guessed.header_line, columns)
