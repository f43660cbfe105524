"""Tables for people who open them in a spreadsheet: every CSV that Daypost writes. Pure.

A spreadsheet runs a cell that begins like a formula, and who is in the table may have chosen its
words ("CSV injection", https://owasp.org/www-community/attacks/CSV_Injection). So an apostrophe is
put before it, which the contact importer takes off again: what was exported and is imported comes
back unchanged.

Where the list separator is a semicolon, as in much of Europe, Excel parts a cell at each semicolon
and each line break within it, whatever the quotes say: what follows is guarded in the same way.
"""

import csv
import re
from collections.abc import Iterable, Iterator

# The last four are what an East Asian keyboard writes for the first four.
_FORMULA = "=+\\-@＝＋－＠"
# At the very beginning, white space that is skipped counts as well.
_BEGINS = rf"(?:\A(?='*[{_FORMULA}\t\r\n])|(?<=[;\t\r\n])(?='*[{_FORMULA}]))"
_TO_GUARD = re.compile(_BEGINS)
_GUARDED = re.compile(rf"(?:\A'(?='*[{_FORMULA}\t\r\n])|(?<=[;\t\r\n])'(?='*[{_FORMULA}]))")

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
"""Which Excel needs to see that a CSV is UTF-8."""


def guarded(cells: Iterable[str]) -> list[str]:
    """Cells that no spreadsheet takes for a formula."""
    return [_TO_GUARD.sub("'", cell) for cell in cells]


def unguarded(cell: str) -> str:
    """A cell as it was before it was guarded."""
    return _GUARDED.sub("", cell) if "'" in cell else cell


def table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[bytes]:
    """The lines of a CSV, guarded, in UTF-8 with byte order mark."""
    line = csv.writer(_Echo()).writerow
    yield BYTE_ORDER_MARK + str(line(guarded(header))).encode()
    for cells in rows:
        yield str(line(guarded(cells))).encode()


class _Echo:
    """What csv writes to, so that it gives the line back."""

    def write(self, text: str) -> str:
        return text
