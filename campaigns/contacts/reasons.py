"""Why a row, or a whole file, cannot be imported, in words for the screen."""

from django.utils.translation import gettext_lazy as _

MISSING_EMAIL = "missing_email"
BAD_SYNTAX = "bad_syntax"
TOO_LONG = "too_long"
HEADER_INJECTION = "header_injection"
NOT_TEXT = "not_text"
RAGGED = "ragged"

SENTENCES = {
    MISSING_EMAIL: _("There is no e-mail address in this row. Add one."),
    BAD_SYNTAX: _("This is not an e-mail address. Correct it."),
    TOO_LONG: _("Something in this row is too long. Shorten it."),
    HEADER_INJECTION: _("There is a line break where only one line may stand. Remove it."),
    NOT_TEXT: _("This row holds bytes that are not text. Type it anew."),
    RAGGED: _("This row has more cells than the table has columns. Put quotes around the cell."),
}


class CannotImport(Exception):
    """The file, or a choice made for it, cannot be used. The text says why and what to do next."""


class NotATable(CannotImport):
    """The file is not a table of text: empty, binary, or of another format."""


class NoAddressColumn(CannotImport):
    """The table was read, and no column holds addresses. ``columns`` are those that it has."""

    def __init__(self, sentence: str, columns: list[str]) -> None:
        super().__init__(sentence)
        self.columns = columns


class WrongChoice(CannotImport):
    """An encoding, delimiter, header line or column that was chosen does not fit the file."""
