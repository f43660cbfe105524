"""The items of FETCH (RFC 3501 section 6.4.5) and Gmail's own, read and answered.

Gmail's are described at https://developers.google.com/workspace/gmail/imap/imap-extensions.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import Message

from practice.folders import Filed, Role
from practice.imap_structure import body_structure, envelope, subparts

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
MACROS = {
    b"ALL": b"FLAGS INTERNALDATE RFC822.SIZE ENVELOPE",
    b"FAST": b"FLAGS INTERNALDATE RFC822.SIZE",
    b"FULL": b"FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODY",
}
ITEM = re.compile(
    rb" *([A-Z0-9.-]+)(?:\[([^\]]*)\])?(?:<(\d{1,10})\.(\d{1,10})>)?(?= |\Z)", re.IGNORECASE
)
SECTION = re.compile(
    r"((?:\d+\.)*\d+)?\.?(HEADER|HEADER\.FIELDS(?:\.NOT)? \([^()]+\)|TEXT|MIME)?\Z", re.IGNORECASE
)
FIELD = re.compile(rb"([!-9;-~]+)[ \t]*:.*?\r\n(?:[ \t].*?\r\n)*", re.DOTALL)
BODY_ITEMS = ("BODY", "BODY.PEEK")
WHOLE_ITEMS = {"RFC822": "", "RFC822.HEADER": "HEADER", "RFC822.TEXT": "TEXT"}
PLAIN_ITEMS = (
    "UID",
    "FLAGS",
    "INTERNALDATE",
    "RFC822.SIZE",
    "ENVELOPE",
    "BODYSTRUCTURE",
    "BODY",
    "X-GM-MSGID",
    "X-GM-THRID",
    "X-GM-LABELS",
)


class FetchRefused(Exception):
    """The items of a FETCH cannot be read; the text says which."""


@dataclass(frozen=True)
class Item:
    """``section`` is None for what is no part of the text; ``start`` and ``octets`` are <0.100>."""

    name: str
    section: str | None = None
    start: int | None = None
    octets: int = 0

    @property
    def marks_as_read(self) -> bool:
        return self.section is not None and self.name not in ("BODY.PEEK", "RFC822.HEADER")

    @property
    def label(self) -> str:
        """How the answer names it."""
        if self.name not in BODY_ITEMS or self.section is None:
            return self.name
        origin = "" if self.start is None else f"<{self.start}>"
        return f"BODY[{self.section}]{origin}"


@dataclass(frozen=True)
class Shown:
    """A message to answer about: its bytes are read when an item needs them."""

    filed: Filed
    read: Callable[[], bytes]
    labels: Callable[[], list[Role]]


def parse_items(line: bytes) -> list[Item]:
    """Read everything behind the numbers. Raises FetchRefused."""
    line = line.strip()
    if line.startswith(b"(") and line.endswith(b")"):
        line = line[1:-1]
    line = MACROS.get(line.upper(), line)
    items = []
    place = 0
    while place < len(line):
        match = ITEM.match(line, place)
        if match is None:
            raise FetchRefused(f"Unreadable item {line[place : place + 40]!a}")
        items.append(_item(match))
        place = match.end()
    if not items:
        raise FetchRefused("Missing items")
    return items


def answer(item: Item, shown: Shown) -> bytes:
    """The item's name and its value, as they stand in the answer."""
    return item.label.encode() + b" " + _value(item, shown)


def _item(match: re.Match[bytes]) -> Item:
    name = match[1].decode().upper()
    section = None if match[2] is None else match[2].decode("ascii", "replace")
    if name in WHOLE_ITEMS and section is None:
        return Item(name, WHOLE_ITEMS[name])
    if name in PLAIN_ITEMS and section is None and match[3] is None:
        return Item(name)
    if name not in BODY_ITEMS or section is None:
        raise FetchRefused(f"Unknown item {match[0][:40]!a}")
    _split(section)
    if match[3] is None:
        return Item(name, section)
    return Item(name, section, int(match[3]), int(match[4]))


def _value(item: Item, shown: Shown) -> bytes:
    filed = shown.filed
    if item.section is not None:
        content = _section(shown.read(), item.section)
        if item.start is not None:
            content = content[item.start : item.start + item.octets]
        return b"{%d}\r\n" % len(content) + content
    values: dict[str, Callable[[], bytes]] = {
        "UID": lambda: b"%d" % filed.uid,
        "FLAGS": lambda: f"({' '.join(filed.flags)})".encode(),
        "INTERNALDATE": lambda: _internal_date(filed),
        "RFC822.SIZE": lambda: b"%d" % filed.size,
        "ENVELOPE": lambda: envelope(_parsed(shown.read())),
        "BODYSTRUCTURE": lambda: body_structure(_parsed(shown.read()), extended=True),
        "BODY": lambda: body_structure(_parsed(shown.read()), extended=False),
        "X-GM-MSGID": lambda: b"%d" % filed.gmail_id,
        "X-GM-THRID": lambda: b"%d" % filed.gmail_thread,
        "X-GM-LABELS": lambda: _labels(shown.labels()),
    }
    return values[item.name]()


def _internal_date(filed: Filed) -> bytes:
    at = filed.received
    # strftime's %b follows the locale.
    return f'"{at:%d}-{MONTHS[at.month - 1]}-{at:%Y %H:%M:%S} +0000"'.encode()


def _labels(roles: list[Role]) -> bytes:
    quoted = " ".join('"' + role.label.replace("\\", "\\\\") + '"' for role in roles if role.label)
    return f"({quoted})".encode()


def _section(content: bytes, section: str) -> bytes:
    """The octets that a section names; those of a part that does not exist are none."""
    numbers, name = _split(section)
    if numbers:
        part = _part(_parsed(content), numbers)
        if part is None:
            return b""
        if part.get_content_type() == "message/rfc822" and name not in ("", "MIME"):
            part = subparts(part)[0]
        content = part.as_bytes(policy=policy.compat32.clone(linesep="\r\n", max_line_length=0))
        name = name or "TEXT"
    header, blank, text = content.partition(b"\r\n\r\n")
    header += blank
    if name.startswith("HEADER.FIELDS"):
        return _chosen_fields(header, name)
    return {"": content, "HEADER": header, "MIME": header, "TEXT": text}[name]


def _split(section: str) -> tuple[list[int], str]:
    """The numbers of the part, and what of it. Raises FetchRefused."""
    match = SECTION.match(section)
    if match is None:
        raise FetchRefused(f"Unknown section {section[:40]!a}")
    numbers = [int(each) for each in match[1].split(".")] if match[1] else []
    return numbers, (match[2] or "").upper()


def _chosen_fields(header: bytes, name: str) -> bytes:
    wanted = name.partition("(")[2].rstrip(")").encode().split()
    without = name.startswith("HEADER.FIELDS.NOT")
    chosen = [
        match[0] for match in FIELD.finditer(header) if (match[1].upper() in wanted) != without
    ]
    return b"".join(chosen) + b"\r\n"


def _part(message: Message, numbers: list[int]) -> Message | None:
    for number in numbers:
        if message.get_content_type() == "message/rfc822":
            message = subparts(message)[0]
        parts = subparts(message) or [message]
        if not 1 <= number <= len(parts):
            return None
        message = parts[number - 1]
    return message


def _parsed(content: bytes) -> Message:
    return message_from_bytes(content, policy=policy.compat32)
