"""Is a file a table of text at all? Much else comes under the name .csv."""

import re
from typing import BinaryIO

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from campaigns.contacts.encoding import guess_encoding
from campaigns.contacts.lines import is_text, physical_lines
from campaigns.contacts.reasons import NotATable

_SAVE_AS_CSV = _("This is a spreadsheet file, not a CSV. Open it and save it as CSV (UTF-8).")
_SIGNATURES: tuple[tuple[bytes, str | Promise], ...] = (
    (b"PK\x03\x04", _("This is an Excel or zip file, not a CSV. Open it and save it as CSV.")),
    (b"PK\x05\x06", _("This is an empty zip file, not a CSV. Choose the file within it.")),
    (b"\xd0\xcf\x11\xe0", _SAVE_AS_CSV),
    (b"\x1f\x8b", _("This is a compressed file, not a CSV. Unpack it first.")),
    (b"%PDF", _("This is a PDF, not a CSV. Export the contacts as CSV where it was made.")),
    (b"{\\rtf", _("This is a text document, not a CSV. Save it as plain text with commas.")),
    (b"\x89PNG", _("This is a picture, not a CSV. Choose another file.")),
    (b"\xff\xd8\xff", _("This is a picture, not a CSV. Choose another file.")),
    (b"GIF8", _("This is a picture, not a CSV. Choose another file.")),
    (b"SQLite format 3\0", _("This is a database, not a CSV. Export the contacts as CSV.")),
)
_BEGINNINGS = (
    (
        re.compile(r"<(!doctype|html|head|body|table|\?xml|!--)", re.IGNORECASE),
        _("This is a web page or XML, not a CSV. Export the contacts as CSV."),
    ),
    (
        re.compile(r"(\[\s*)?\{\s*(\"|\}|$)|\[\s*([\[\"{]|$)"),
        _("This is JSON, not a CSV. Export the contacts as CSV."),
    ),
    (
        re.compile("BEGIN:VCARD", re.IGNORECASE),
        _("These are vCards, not a CSV. Export the contacts as CSV instead."),
    ),
)
_EMPTY = _("There is nothing in this file. Choose another.")
_BINARY = _("This file is not text. Choose a CSV file.")

_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
_LINES = 50


def refuse_other_formats(file: BinaryIO) -> None:
    """Raises NotATable, saying what the file is instead, when it is not a table of text."""
    file.seek(0)
    head = file.read(64)
    for signature, sentence in _SIGNATURES:
        if head.startswith(signature):
            raise NotATable(str(sentence))
    text = _first_lines(file)
    if not text:
        raise NotATable(str(_EMPTY))
    beginning = text[0].lstrip()
    for pattern, sentence in _BEGINNINGS:
        if pattern.match(beginning):
            raise NotATable(str(sentence))
    damaged = sum(not is_text(line) or _CONTROL.search(line) is not None for line in text)
    if damaged * 2 > len(text):
        raise NotATable(str(_BINARY))


def _first_lines(file: BinaryIO) -> list[str]:
    """The first lines that have something in them."""
    found: list[str] = []
    for _number, line in physical_lines(file, guess_encoding(file)):
        if line.strip():
            found.append(line[:2000])
        if len(found) == _LINES:
            break
    return found
