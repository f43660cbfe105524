# mypy: allow-untyped-calls
"""ENVELOPE and BODYSTRUCTURE of a message (RFC 3501 section 7.4.2), by Twisted's own functions."""

from email.message import Message
from io import BytesIO

from twisted.mail.imap4 import collapseNestedLists, getBodyStructure, getEnvelope


class Part:
    """An ``IMessagePart`` over a parsed message. Header values are ASCII, whatever was sent."""

    def __init__(self, message: Message) -> None:
        self._message = message

    def getHeaders(self, negate: bool, *names: str) -> dict[str, str]:
        wanted = {name.lower() for name in names}
        return {
            name.lower(): _ascii(value)
            for name, value in self._message.items()
            if (name.lower() in wanted) != negate
        }

    def getBodyFile(self) -> BytesIO:
        return BytesIO(self._body())

    def getSize(self) -> int:
        return len(self._body())

    def isMultipart(self) -> bool:
        return self._message.is_multipart()

    def getSubPart(self, number: int) -> "Part":
        return Part(subparts(self._message)[number])

    def _body(self) -> bytes:
        if parts := subparts(self._message):
            return b"\r\n".join(part.as_bytes() for part in parts)
        return str(self._message.get_payload()).encode("utf-8", "surrogateescape")


def subparts(message: Message) -> list[Message]:
    """The parts of a multipart, or the one message within a message/rfc822."""
    payload = message.get_payload()
    return [part for part in payload if isinstance(part, Message)] if message.is_multipart() else []


def envelope(message: Message) -> bytes:
    return bytes(collapseNestedLists([getEnvelope(Part(message))]))


def body_structure(message: Message, *, extended: bool) -> bytes:
    return bytes(collapseNestedLists([getBodyStructure(Part(message), extended)]))


def _ascii(value: object) -> str:
    text = str(value).encode("ascii", "replace").decode()
    return " ".join(text.split())
