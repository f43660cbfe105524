"""What Gmail does to the headers of a message that it accepts.

Works on the bytes and leaves every other byte as it came, so that what was signed, encoded or
folded stays so. The rules are those of Google's help on "send mail as" and of field reports:

- a ``From`` that is neither the account nor a verified alias is rewritten, the old one moves to
  ``X-Google-Original-From``;
- a ``Message-ID`` that RFC 5322 section 3.6.4 does not allow is replaced by one at mx.google.com,
  the old one moves to ``X-Google-Original-Message-ID``; a missing one is added, as is a ``Date``;
- ``Return-Path`` and ``Received`` are put on top.
"""

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime, formataddr, parseaddr

from practice.addresses import same_mailbox

FIELD = re.compile(rb"([!-9;-~]+)[ \t]*:(.*?\r\n(?:[ \t].*?\r\n)*)", re.DOTALL)
ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
MESSAGE_ID = re.compile(rf"<{ATOM}(?:\.{ATOM})*@(?:{ATOM}(?:\.{ATOM})*|\[[!-Z^-~]*\])>\Z")


@dataclass(frozen=True)
class Envelope:
    """Who sent a message to whom, as SMTP said it, and when it was accepted (UTC)."""

    id: str
    account: str
    recipients: tuple[str, ...]
    helo: str
    at: datetime


@dataclass
class Field:
    """One header field; ``raw`` is the whole of it, with its CRLF."""

    name: str
    value: str
    raw: bytes


def file_message(
    content: bytes, envelope: Envelope, may_be_from: Callable[[str], bool]
) -> tuple[str, bytes]:
    """Return the Message-ID under which Gmail files the message, and the message as filed.

    ``may_be_from`` says whether an address is one of the account's verified aliases.
    """
    fields, body = _split(content)
    fields = _with_own_sender(fields, envelope.account, may_be_from)
    message_id, fields = _with_valid_message_id(fields)
    if not any(field.name == "date" for field in fields):
        fields.append(_field("Date", format_datetime(envelope.at)))
    trace = [
        _field("Return-Path", f"<{envelope.account}>"),
        _field("Received", _received(envelope)),
    ]
    return message_id, b"".join(field.raw for field in trace + fields) + b"\r\n" + body


def _split(content: bytes) -> tuple[list[Field], bytes]:
    """Cut the header into its fields; whatever follows them is the body."""
    fields = []
    place = 0
    while match := FIELD.match(content, place):
        name = match[1].decode("ascii").lower()
        value = re.sub(rb"\r\n(?=[ \t])", b"", match[2]).decode("utf-8", "replace").strip()
        fields.append(Field(name, value, match[0]))
        place = match.end()
    # A message without the blank line has a body that begins where its header stops.
    return fields, content[place:].removeprefix(b"\r\n")


def _with_own_sender(
    fields: list[Field], account: str, may_be_from: Callable[[str], bool]
) -> list[Field]:
    senders = [field for field in fields if field.name == "from"]
    display_name, address = parseaddr(senders[0].value) if senders else ("", "")
    if len(senders) == 1 and (same_mailbox(address, account) or may_be_from(address)):
        return fields
    kept = [field for field in fields if field.name != "from"]
    originals = [_field("X-Google-Original-From", sender.value) for sender in senders]
    return [*kept, _field("From", formataddr((display_name, account))), *originals]


def _with_valid_message_id(fields: list[Field]) -> tuple[str, list[Field]]:
    given = [field for field in fields if field.name == "message-id"]
    if len(given) == 1 and MESSAGE_ID.match(given[0].value):
        return given[0].value, fields
    kept = [field for field in fields if field.name != "message-id"]
    message_id = f"<{secrets.token_hex(12)}@mx.google.com>"
    originals = [_field("X-Google-Original-Message-ID", field.value) for field in given]
    return message_id, [*kept, _field("Message-ID", message_id), *originals]


def _received(envelope: Envelope) -> str:
    helo = "".join(letter for letter in envelope.helo if "!" <= letter <= "~") or "unknown"
    to = f"\r\n        for <{envelope.recipients[0]}>" if len(envelope.recipients) == 1 else ""
    return (
        f"from {helo} (localhost. [127.0.0.1])\r\n"
        f"        by smtp.gmail.com with ESMTPSA id {envelope.id}{to};\r\n"
        f"        {format_datetime(envelope.at)}"
    )


def _field(name: str, value: str) -> Field:
    return Field(name.lower(), value, f"{name}: {value}\r\n".encode())
