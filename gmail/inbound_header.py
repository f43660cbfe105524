"""What the header of a mail that came in says of itself: from whom, about what, in answer to what.

Pure, and cheap: a mailbox holds tens of thousands of mails, and nearly all are none of ours.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message
from email.parser import HeaderParser
from email.utils import parseaddr, parsedate_to_datetime

# Enough to tell whether a mail concerns us.
FIELDS = (
    "From",
    "To",
    "Cc",
    "Delivered-To",
    "Subject",
    "In-Reply-To",
    "References",
    "X-Failed-Recipients",
    "Content-Type",
)

_MESSAGE_ID = re.compile(r"<[^<>\s]{1,900}>")
_PLUS_ADDRESS = re.compile(r"[^\s<>()\",:;@+]{1,64}\+[^\s<>()\",:;@]{1,64}@[^\s<>()\",:;@]{1,255}")
_MAILER = re.compile(r"(?i)(^|[<\s])(mailer-daemon|postmaster)@")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_MOST_IDS = 200
# Characters of a value that is shown, or taken apart.
_LONGEST_VALUE = 1_000


@dataclass(frozen=True)
class InboundHeader:
    """Addresses are in lower case. `answers`: the Message-IDs that it answers, nearest first.

    `plus_addresses`: those with a plus before the @ that it went to.

    `may_report`: it looks like a delivery report; whether it is one, its body tells.
    """

    sender: str
    plus_addresses: tuple[str, ...]
    subject: str
    answers: tuple[str, ...]
    may_report: bool

    @classmethod
    def read(cls, raw: bytes) -> InboundHeader:
        """Of a header, or of those lines of it that `FIELDS` names."""
        return cls.of(HeaderParser().parsestr(raw.decode("utf-8", "replace")))

    @classmethod
    def of(cls, mail: Message) -> InboundHeader:
        sender = _text(mail, "From")[:_LONGEST_VALUE]
        kind = _text(mail, "Content-Type").lower()
        return cls(
            sender=_address(sender),
            plus_addresses=_plus_addresses(mail),
            subject=decoded(_text(mail, "Subject")),
            answers=_answers(mail),
            may_report=bool(
                kind.startswith("multipart/report")
                or mail.get("X-Failed-Recipients")
                or _MAILER.search(sender)
            ),
        )


def decoded(value: str) -> str:
    """A header's words as a person reads them (RFC 2047), in one line; never an error.

    Of a long one the beginning: what is not decoded in time keeps everybody else from being heard.
    """
    value = value[:_LONGEST_VALUE]
    if "=?" not in value:
        return " ".join(_clean(value).split())
    with suppress(MessageError, LookupError, ValueError):
        value = str(make_header(decode_header(value)))
    return " ".join(_clean(value).split())


def _clean(value: str) -> str:
    """Without control characters, and without what is no character."""
    return _CONTROLS.sub(" ", value.encode("utf-8", "replace").decode("utf-8"))


def date_of(mail: Message) -> datetime | None:
    """Its Date, in UTC; None where it has none that can be read."""
    try:
        at = parsedate_to_datetime(_text(mail, "Date"))
    except (ValueError, TypeError, OverflowError):
        return None
    try:
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _text(mail: Message, name: str) -> str:
    return " ".join(str(mail.get(name, "")).split())


def _address(value: str) -> str:
    try:
        return _clean(parseaddr(value)[1]).lower()[:254]
    except RecursionError:  # of comments in comments
        return ""


def _plus_addresses(mail: Message) -> tuple[str, ...]:
    fields = (
        str(value)[:10_000]
        for name in ("To", "Cc", "Delivered-To")
        for value in mail.get_all(name, [])[:10]
    )
    found = (each.lower() for field in fields for each in _PLUS_ADDRESS.findall(field))
    return tuple(dict.fromkeys(found))


def _answers(mail: Message) -> tuple[str, ...]:
    nearest = _MESSAGE_ID.findall(_text(mail, "In-Reply-To"))
    thread = _MESSAGE_ID.findall(_text(mail, "References"))[-_MOST_IDS:]
    return tuple(dict.fromkeys([*nearest[:_MOST_IDS], *reversed(thread)]))
