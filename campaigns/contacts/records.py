"""Physical lines -> records: which lines belong together, and where the cells part.

RFC 4180 says how quotes work, and files break it. One stray quote must not swallow the rows after
it, so a quoted cell may span lines only when

- it closes properly: its closing quote is followed by a delimiter or the end of the line, and
  quotes within it are doubled;
- it stays within LONGEST_SPAN_LINES and LONGEST_SPAN;
- no line within it would be a row of the table by itself.

Any other quote is an ordinary character, and its line is read as it stands.
"""

import csv
import re
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from campaigns.contacts.address import looks_like_address
from campaigns.contacts.lines import LONGEST_LINE, is_text
from campaigns.contacts.reasons import NOT_TEXT, RAGGED, TOO_LONG

LONGEST_SPAN = 100_000
"""Characters that a record of several lines may have."""

LONGEST_SPAN_LINES = 1_000


class Record(NamedTuple):
    """One row of the table."""

    line: int
    """The physical line on which it begins, from 1."""
    cells: list[str]
    problem: str = ""
    """Why its cells cannot be trusted: `too_long`, `not_text`, `ragged`; or nothing."""


class Shape(NamedTuple):
    """What a row of this table looks like, where that is known."""

    width: int
    address_at: int


def records(
    lines: Iterator[tuple[int, str]], delimiter: str, shape: Shape | None = None
) -> Iterator[Record]:
    """The records in `lines`, blank ones included. `shape` makes stray quotes better known."""
    return _Records(lines, delimiter, shape).read()


class _Records:
    def __init__(
        self, lines: Iterator[tuple[int, str]], delimiter: str, shape: Shape | None
    ) -> None:
        self._lines = lines
        self._ahead: deque[tuple[int, str]] = deque()
        self._delimiter = delimiter
        self._shape = shape
        part = re.escape(delimiter)
        # What stands in a lookahead is not tried again in another way, so that a quoted cell is
        # never read as one that is not. (Possessive quantifiers say the same; in Python before
        # 3.11.5 they match wrongly, https://github.com/python/cpython/issues/106052.)
        opened = ' *"[^"]*(?:""[^"]*)*'
        closed = rf'(?=(?P<opened>{opened}))(?P=opened)" *'
        cell = rf'(?=(?P<cell>(?:{closed}|[^"{part}][^{part}\n]*)?))(?P=cell)'
        self._open = re.compile(rf"(?=(?P<cells>(?:{cell}{part})*))(?P=cells){opened}")
        self._close = re.compile(rf'" *(?:{part}|$)')

    def read(self) -> Iterator[Record]:
        delimiter = self._delimiter
        while (numbered := self._next_line()) is not None:
            number, line = numbered
            if len(line) > LONGEST_LINE:
                yield Record(number, [line], TOO_LONG)
            elif not is_text(line):
                yield Record(number, line.split(delimiter), NOT_TEXT)
            elif '"' not in line:
                yield Record(number, line.split(delimiter))
            else:
                yield self._quoted(number, line)

    def _next_line(self) -> tuple[int, str] | None:
        return self._ahead.popleft() if self._ahead else next(self._lines, None)

    def _quoted(self, number: int, line: str) -> Record:
        cells = self._well_formed(line)
        if cells is None:
            cells = self._spanning(line)
        if cells is None:
            return self._as_it_stands(number, line)
        return Record(number, cells)

    def _well_formed(self, text: str) -> list[str] | None:
        """The cells, when every quote is where RFC 4180 wants it; spaces around are forgiven."""
        try:
            return next(
                csv.reader((text,), delimiter=self._delimiter, skipinitialspace=True, strict=True)
            )
        except csv.Error:
            # Also raised for cells beyond csv.field_size_limit(), a global that anybody may set:
            # what follows reads them without the csv module.
            return None

    def _spanning(self, first: str) -> list[str] | None:
        """The cells of a record of several lines. Takes these lines, or none at all."""
        if self._open.fullmatch(first) is None:
            return None
        text, taken = first, 0
        while taken < LONGEST_SPAN_LINES and len(text) <= LONGEST_SPAN:
            line = self._peek(taken)
            if line is None or not is_text(line):
                return None
            text, taken = f"{text}\n{line}", taken + 1
            if '"' in line:
                cells = self._well_formed(text)
                if cells is not None:
                    if self._is_row(first) and self._is_row(line):
                        return None
                    for _ in range(taken):
                        self._ahead.popleft()
                    return cells
                if self._open.fullmatch(text) is None:
                    return None
            if self._is_row(line):
                return None
        return None

    def _peek(self, at: int) -> str | None:
        while len(self._ahead) <= at:
            numbered = next(self._lines, None)
            if numbered is None:
                return None
            self._ahead.append(numbered)
        return self._ahead[at][1]

    def _is_row(self, line: str) -> bool:
        """Whether a line by itself is a row: as many cells, and an address where one belongs."""
        if self._shape is None or "@" not in line:
            return False
        cells = line.split(self._delimiter)
        return len(cells) == self._shape.width and looks_like_address(
            cells[self._shape.address_at].strip().strip('"')
        )

    def _as_it_stands(self, number: int, line: str) -> Record:
        """The cells of a line with stray quotes: the reading that has the width of the table."""
        forgiving = self._forgiving(line)
        if self._shape is None or len(forgiving) == self._shape.width:
            return Record(number, forgiving)
        literal = [_unquoted(cell) for cell in line.split(self._delimiter)]
        return Record(number, literal, "" if len(literal) == self._shape.width else RAGGED)

    def _forgiving(self, line: str) -> list[str]:
        """Cells whose inner quotes need not be doubled; what does not close is no quoted cell."""
        cells: list[str] = []
        at = 0
        while at <= len(line):
            begin = at + len(line[at:]) - len(line[at:].lstrip(" "))
            closing = (
                self._close.search(line, begin + 1) if line[begin : begin + 1] == '"' else None
            )
            if closing is not None:
                cells.append(line[begin + 1 : closing.start()].replace('""', '"'))
                at = closing.end() if closing[0].endswith(self._delimiter) else len(line) + 1
                continue
            end = line.find(self._delimiter, at)
            end = len(line) if end < 0 else end
            cells.append(line[at:end])
            at = end + 1
        return cells


def _unquoted(cell: str) -> str:
    bare = cell.strip()
    return bare[1:-1] if len(bare) >= 2 and bare[0] == bare[-1] == '"' else cell
