"""A table of contacts -> rows that can be imported, and problems for a person to mend.

Pure: no model, no clock. Memory does not grow with the file.
"""

import re
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from django.utils.translation import gettext as _

from campaigns.contacts.address import AddressRefused, email_key, normalise
from campaigns.contacts.aliases import EMAIL, FIRST_NAME, LAST_NAME, NAME
from campaigns.contacts.columns import IGNORED, STANDARD, column_names, numbered_names
from campaigns.contacts.dialect import Dialect, header_cells, is_blank, table_lines
from campaigns.contacts.lines import shown
from campaigns.contacts.names import one_line, split_name
from campaigns.contacts.reasons import (
    HEADER_INJECTION,
    MISSING_EMAIL,
    RAGGED,
    TOO_LONG,
    NoAddressColumn,
    WrongChoice,
)
from campaigns.contacts.records import Record, Shape, records
from campaigns.spreadsheet import unguarded

LONGEST_NAME = 200
"""Characters of a first or last name."""

LONGEST_FIELD = 32_767
"""Characters of any other field: what a cell of Excel can hold."""

_HEADER_IN_NAME = re.compile(r"\n\s*[!-9;-~]+:")


class Row(NamedTuple):
    """One person of the table."""

    line: int
    """The physical line on which the row begins, from 1."""
    email: str
    first_name: str
    last_name: str
    fields: dict[str, str]
    """Further fields by merge name; an empty cell is not there at all."""
    suspicious: str | None
    """The domain that was likely meant, where the address looks like a typing error."""

    @property
    def key(self) -> str:
        """Who it is: rows with one key are one person."""
        return email_key(self.email)


class Problem(NamedTuple):
    """A row that cannot be imported."""

    line: int
    reason: str
    """One of campaigns.contacts.reasons.SENTENCES."""
    value: str
    """The beginning of the cell, or of the row, that is to blame."""
    cells: list[str]
    """The row as it was read, for mending; what is not text is replaced."""


def read(file: BinaryIO, dialect: Dialect) -> Iterator[Row | Problem]:
    """The rows and problems of `file` (binary, seekable), in its order.

    The same file and dialect always give the same items: whoever was broken off can count on it.
    Blank lines are no rows. A row may have fewer cells than the table has columns: spreadsheets
    leave out empty cells at the end. More cells are `ragged`, unless they are empty.

    Raises WrongChoice or NoAddressColumn, before the first row, when `dialect` does not fit.
    """
    names = header_of(file, dialect)
    table = _Table(names, dialect)
    shape = Shape(len(names), table.email_at)
    found = records(
        table_lines(file, dialect.encoding, dialect.header_line), dialect.delimiter, shape
    )
    if dialect.header_line:
        next(found, None)
    items = map(table.interpret, found)
    return (item for item in items if item is not None)


def header_of(file: BinaryIO, dialect: Dialect) -> list[str]:
    """The names of the columns, in the table's order. Raises WrongChoice when one is missing."""
    if not dialect.header_line:
        return numbered_names(len(dialect.columns))
    cells = header_cells(file, dialect.encoding, dialect.delimiter, dialect.header_line)
    names = column_names(cells)
    while names and not cells[len(names) - 1].strip() and names[-1] not in dialect.columns:
        names.pop()
    missing = [column for column in dialect.columns if column not in names]
    if missing:
        raise WrongChoice(
            _("There is no column “%(column)s” on line %(line)d. Choose the header line again.")
            % {"column": missing[0], "line": dialect.header_line}
        )
    return names


class _Table:
    """Where in a record which part of a contact stands."""

    def __init__(self, names: list[str], dialect: Dialect) -> None:
        at = {dialect.columns.get(name, IGNORED): number for number, name in enumerate(names)}
        if EMAIL not in at:
            raise NoAddressColumn(_("Say which column holds the e-mail addresses."), names)
        self.width = len(names)
        self.email_at = at[EMAIL]
        self._names_at = [at.get(field) for field in (FIRST_NAME, LAST_NAME, NAME)]
        self._fields_at = [
            (number, field)
            for field, number in at.items()
            if field not in STANDARD and field != IGNORED
        ]
        self._delimiter = dialect.delimiter

    def interpret(self, record: Record) -> Row | Problem | None:
        """What a record says; None for a blank one."""
        cells = record.cells
        if record.problem:
            return self._problem(record, record.problem)
        if len(cells) > self.width and any(map(str.strip, cells[self.width :])):
            return self._problem(record, RAGGED)
        if len(cells) < self.width:
            cells = cells + [""] * (self.width - len(cells))
        given = unguarded(cells[self.email_at])
        try:
            address = normalise(given)
        except AddressRefused as refused:
            if refused.reason != MISSING_EMAIL:
                return self._problem(record, refused.reason, given)
            return None if is_blank(record) else self._problem(record, MISSING_EMAIL)

        first, last, whole = ("" if at is None else cells[at] for at in self._names_at)
        for name in (first, last, whole):
            if "\n" in name and _HEADER_IN_NAME.search(name):
                return self._problem(record, HEADER_INJECTION, name)
        first, last = one_line(unguarded(first)), one_line(unguarded(last))
        if not first and not last:
            first, last = split_name(one_line(unguarded(whole)) or one_line(address.display_name))
        fields = {}
        for at, field in self._fields_at:
            if value := cells[at].strip():
                fields[field] = unguarded(value)
        for value, longest in ((first, LONGEST_NAME), (last, LONGEST_NAME)):
            if len(value) > longest:
                return self._problem(record, TOO_LONG, value)
        for value in fields.values():
            if len(value) > LONGEST_FIELD:
                return self._problem(record, TOO_LONG, value)
        return Row(record.line, address.email, first, last, fields, address.suspicious)

    def _problem(self, record: Record, reason: str, value: str | None = None) -> Problem:
        if value is None:
            value = self._delimiter.join(record.cells)
        cells = [shown(unguarded(cell), LONGEST_FIELD) for cell in record.cells]
        return Problem(record.line, reason, shown(value.strip()), cells)
