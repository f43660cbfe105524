"""The table of rejected rows: as they were given, with the line and the reason, to be mended."""

import csv
import io
from collections.abc import Sequence
from typing import BinaryIO

from campaigns.contacts.columns import LINE, REASON
from campaigns.contacts.reader import Problem
from campaigns.spreadsheet import guarded


class RejectedRows:
    """Writes to `file` (binary) row by row. UTF-8 with byte order mark, which Excel needs."""

    def __init__(self, file: BinaryIO, columns: Sequence[str]) -> None:
        self._width = len(columns)
        # Unbuffered above the file, so that whoever closes the file has all of it.
        self._text = io.TextIOWrapper(file, "utf-8-sig", newline="", write_through=True)
        self._table = csv.writer(self._text)
        self._table.writerow(guarded([*columns, LINE, REASON]))

    def add(self, problem: Problem) -> None:
        cells = problem.cells[: self._width]
        cells += [""] * (self._width - len(cells))
        # Cells beyond the last column come after ours, so that all columns keep their places.
        beyond = problem.cells[self._width :]
        self._table.writerow(guarded([*cells, str(problem.line), problem.reason, *beyond]))

    def close(self) -> None:
        self._text.close()
