"""The bytes of a message while they arrive, by DATA (RFC 5321) or by BDAT (RFC 3030).

Only CRLF ends a line, and only CRLF.CRLF ends the data: a bare line feed is content like any other,
so nothing can be smuggled behind one. Beyond ``SIZE_LIMIT`` octets the content is thrown away while
it goes on arriving, and the message is refused at its end.
"""

SIZE_LIMIT = 35_882_577
END_OF_DATA = b"\r\n.\r\n"


class DottedBody:
    """The content after DATA, up to the line that holds a single dot."""

    def __init__(self) -> None:
        # The CRLF that ended the DATA command also begins the first line of the content.
        self._buffer = bytearray(b"\r\n")
        self.too_large = False

    def feed(self, data: bytes) -> bytes | None:
        """Take the next bytes; None while the end has not come, then what follows the end."""
        searched = max(0, len(self._buffer) - len(END_OF_DATA) + 1)
        self._buffer += data
        end = self._buffer.find(END_OF_DATA, searched)
        if end >= 0:
            rest = bytes(self._buffer[end + len(END_OF_DATA) :])
            del self._buffer[end + 2 :]
        if len(self._buffer) > SIZE_LIMIT + 2:
            self.too_large = True
            # Kept: what may be the beginning of the end.
            del self._buffer[: -len(END_OF_DATA)]
        return rest if end >= 0 else None

    @property
    def content(self) -> bytes:
        """The message without the dots that were stuffed into it (RFC 5321 section 4.5.2)."""
        return bytes(self._buffer).replace(b"\r\n.", b"\r\n").removeprefix(b"\r\n")


class ChunkedBody:
    """The content of one or more BDAT commands, each of a given number of octets."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._missing = 0
        self.too_large = False
        self.is_last = False

    def expect(self, octets: int, *, last: bool) -> None:
        """Begin a chunk."""
        self._missing = octets
        self.is_last = last

    def feed(self, data: bytes) -> bytes | None:
        """Take the next bytes; None while the chunk is incomplete, then what follows it."""
        chunk, rest = data[: self._missing], data[self._missing :]
        self._missing -= len(chunk)
        self.too_large = self.too_large or len(self._buffer) + len(chunk) > SIZE_LIMIT
        if not self.too_large:
            self._buffer += chunk
        return None if self._missing else rest

    @property
    def content(self) -> bytes:
        return bytes(self._buffer)
