"""How a file is to be read: its encoding, delimiter, header line and columns, guessed or chosen."""

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from django.utils.translation import gettext as _

from campaigns.contacts.address import looks_like_address
from campaigns.contacts.aliases import EMAIL, alias_of
from campaigns.contacts.columns import column_names, guess_columns, numbered_names
from campaigns.contacts.encoding import ENCODINGS, guess_encoding
from campaigns.contacts.format import refuse_other_formats
from campaigns.contacts.lines import physical_lines
from campaigns.contacts.reasons import WrongChoice
from campaigns.contacts.records import Record, records

DELIMITERS = (",", ";", "\t", "|")

NO_HEADER = 0
"""The header line of a table that has none."""

_SAMPLE_LINES = 200
_SAMPLE_CHARACTERS = 200_000
_ROWS_SHOWN = 10


@dataclass(frozen=True)
class Dialect:
    """All that is needed to read a table of contacts."""

    encoding: str
    delimiter: str
    header_line: int
    """The physical line of the header, from 1; NO_HEADER when there is none."""
    columns: dict[str, str]
    """What each column means, by its name: `email`, `first_name`, `last_name`, `name`, `-`, or the
    merge field that it fills. The order does not matter."""


@dataclass(frozen=True)
class Guess(Dialect):
    """A dialect in which `columns` has every column, in the table's order, and the first rows."""

    sample: list[list[str]]


def guess(
    file: BinaryIO,
    *,
    encoding: str | None = None,
    delimiter: str | None = None,
    header_line: int | None = None,
    columns: Mapping[str, str] | None = None,
    address_needed: bool = True,
) -> Guess:
    """How `file` (binary, seekable) is to be read. What is given is taken, the rest is guessed.

    `columns` may name some of the columns only: `{"Member no.": "-"}`. Without `address_needed` a
    table without addresses is looked at too, for a person to say where they are.

    Raises NotATable, NoAddressColumn, or WrongChoice when what was given does not fit.
    """
    if encoding is not None and encoding not in ENCODINGS:
        raise WrongChoice(_("The encoding “%s” is not known. Choose another.") % encoding)
    if delimiter is not None and (len(delimiter) != 1 or delimiter in '"\r\n'):
        raise WrongChoice(_("The delimiter must be one sign, such as a comma or a semicolon."))
    refuse_other_formats(file)
    encoding = encoding or guess_encoding(file)
    lines = _sample(file, encoding)
    if delimiter is None:
        delimiter = _announced_delimiter(lines) or _guess_delimiter(lines)
    if header_line is None:
        header_line = _guess_header_line(lines, delimiter)
    header, rows = _header_and_rows(file, encoding, delimiter, header_line)
    found = guess_columns(header, rows, columns, address_needed)
    return Guess(encoding, delimiter, header_line, found, rows[:_ROWS_SHOWN])


def table_lines(file: BinaryIO, encoding: str, header_line: int) -> Iterator[tuple[int, str]]:
    """The numbered lines of the table: from its header on, or all of them."""
    lines = physical_lines(file, encoding)
    return itertools.dropwhile(lambda numbered: numbered[0] < header_line, lines)


def is_blank(record: Record) -> bool:
    """Whether there is nothing in a record. Blank lines, and lines of nothing but delimiters."""
    return not any(cell and not cell.isspace() for cell in record.cells)


def _sample(file: BinaryIO, encoding: str) -> list[tuple[int, str]]:
    lines: list[tuple[int, str]] = []
    size = 0
    for number, line in physical_lines(file, encoding):
        lines.append((number, line))
        size += len(line)
        if number >= _SAMPLE_LINES or size >= _SAMPLE_CHARACTERS:
            break
    return lines


def _announced_delimiter(lines: Sequence[tuple[int, str]]) -> str | None:
    """Excel's own way of saying it: a first line `sep=;`."""
    first = lines[0][1].strip('"') if lines else ""
    return first[4] if len(first) == 5 and first.lower().startswith("sep=") else None


def _guess_delimiter(lines: Sequence[tuple[int, str]]) -> str:
    """The delimiter under which the most rows have an address in a cell of its own."""

    def merit(delimiter: str) -> tuple[int, int, int]:
        rows = [row for row in records(iter(lines), delimiter) if not is_blank(row)]
        addresses = sum(any(map(looks_like_address, row.cells)) for row in rows)
        widths = Counter(len(row.cells) for row in rows if len(row.cells) > 1)
        width, alike = widths.most_common(1)[0] if widths else (1, 0)
        return addresses, alike, width

    return max(DELIMITERS, key=merit)


def _guess_header_line(lines: Sequence[tuple[int, str]], delimiter: str) -> int:
    """The line that names the columns: one says so, or it stands right above the first address."""
    rows = [row for row in records(iter(lines), delimiter) if not is_blank(row)]
    have_address = [any(map(looks_like_address, row.cells)) for row in rows]
    first = have_address.index(True) if True in have_address else len(rows)
    for at, row in enumerate(rows):
        if not have_address[at] and _names_addresses(row, rows[at + 1 :], needed=at > first):
            return row.line
    if not rows:
        return NO_HEADER
    if first == len(rows):
        return max(rows, key=lambda row: len(row.cells)).line
    if first and _could_be_header(rows[first - 1], len(rows[first].cells)):
        return rows[first - 1].line
    return NO_HEADER


def _names_addresses(row: Record, below: Sequence[Record], *, needed: bool) -> bool:
    """Whether a cell says "E-mail"; with `needed`, whether addresses stand below it, too."""
    columns = [at for at, cell in enumerate(row.cells) if alias_of(cell) == EMAIL]
    return bool(columns) and (
        not needed
        or any(
            at < len(other.cells) and looks_like_address(other.cells[at])
            for other in below
            for at in columns
        )
    )


def _could_be_header(record: Record, width: int) -> bool:
    cells = [cell.strip() for cell in record.cells]
    return (
        len(cells) == width
        and all(cells)
        and len(set(cells)) == width
        and not any("@" in cell or cell.replace(".", "").isdigit() for cell in cells)
    )


def header_cells(file: BinaryIO, encoding: str, delimiter: str, header_line: int) -> list[str]:
    """The cells of the header. Raises WrongChoice when there is nothing on that line."""
    header = next(records(table_lines(file, encoding, header_line), delimiter), None)
    if header is None or is_blank(header):
        raise WrongChoice(
            _("There is nothing on line %d. Choose the line that names the columns.") % header_line
        )
    return header.cells


def _header_and_rows(
    file: BinaryIO, encoding: str, delimiter: str, header_line: int
) -> tuple[list[str], list[list[str]]]:
    header = header_cells(file, encoding, delimiter, header_line) if header_line else None
    found = records(table_lines(file, encoding, header_line), delimiter)
    rows = [
        record.cells
        for record in itertools.islice(found, 1 if header_line else 0, _SAMPLE_LINES)
        if not record.problem and not is_blank(record)
    ]
    width = max(map(_width, rows), default=0)
    if header is None:
        return numbered_names(width), rows
    # Excel likes to end its lines with delimiters for columns that do not exist.
    return column_names(header[: max(_width(header), width)]), rows


def _width(cells: Sequence[str]) -> int:
    """How many cells there are, without the empty ones at the end."""
    width = len(cells)
    while width and not cells[width - 1].strip():
        width -= 1
    return width
