"""A binary file -> its physical lines as text, in bounded memory.

A line ends with CR LF, LF or CR; a file may mix them. Bytes that the encoding does not know do not
stop the reading: each becomes a lone surrogate (U+DC00 plus the byte), so that the one row they
stand in can be refused and every other row be read.
"""

import codecs
import io
import re
from collections.abc import Iterator
from typing import BinaryIO

LONGEST_LINE = 1_000_000
"""Characters. Of a longer line only the beginning is kept, one character more than this."""

BYTE_ORDER_MARK = "\ufeff"

_CHUNK = 1 << 16
_END_OF_TEXT = "\x1a"  # how CP/M and old DOS programs end a file
_KEEP_BYTES = "daypost.keep_bytes"
_NOT_TEXT = re.compile("[\0\ud800-\udfff]")


def physical_lines(file: BinaryIO, encoding: str) -> Iterator[tuple[int, str]]:
    """The lines of `file` from its beginning, each with its number (from 1), without line ends."""
    file.seek(0)
    decode = io.IncrementalNewlineDecoder(
        codecs.getincrementaldecoder(encoding)(errors=_KEEP_BYTES), translate=True
    ).decode
    number = 0
    pending = ""
    at_start = True
    while True:
        data = file.read(_CHUNK)
        text = decode(data, final=not data)
        if at_start and text:
            text = text.removeprefix(BYTE_ORDER_MARK)
            at_start = False
        lines = (pending + text).split("\n")
        pending = lines.pop()
        for number, line in enumerate(lines, start=number + 1):  # noqa: B020
            yield number, line
        if not data:
            break
        # A file without line ends must not pile up in memory.
        pending = pending[: LONGEST_LINE + 1]
    if pending and pending != _END_OF_TEXT:
        yield number + 1, pending


def is_text(text: str) -> bool:
    """Whether every byte was a character of the encoding, and none was NUL."""
    if text.isascii():
        return "\0" not in text
    return _NOT_TEXT.search(text) is None


def shown(text: str, at_most: int = 200) -> str:
    """The beginning of a text for a screen or a table: what is not text replaced by U+FFFD."""
    if len(text) > at_most:
        text = text[:at_most] + "\u2026"
    return _NOT_TEXT.sub("\ufffd", text)


def _keep_bytes(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    unknown = error.object[error.start : error.end]
    return "".join(chr(0xDC00 + byte) for byte in unknown), error.end


codecs.register_error(_KEEP_BYTES, _keep_bytes)
