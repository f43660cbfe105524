"""The finished message (RFC 5322, RFC 2045): headers, a plain-text part and an HTML part.

Written down directly, as the standard library's EmailMessage takes some milliseconds a message
and folds some long headers wrongly; the tests read every message back with it.
"""

import base64
import hashlib
import re
from binascii import b2a_qp
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime

from django.utils.translation import gettext as _
from email_validator import EmailNotValidError, validate_email

# RFC 5322 2.1.1, without the CRLF: at most, and rather not more than.
_MAX_LINE = 998
_LINE = 76
# RFC 2047 2: an encoded word has at most 75 characters, of which `=?utf-8?b??=` are 12.
_WORD_OVERHEAD = 12

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_MESSAGE_ID = re.compile(rf"<{_ATOM}(?:\.{_ATOM})*@{_ATOM}(?:\.{_ATOM})*>")
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_PLAIN_MAILBOX = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})*")
_PHRASE = re.compile(rf"{_ATOM}(?: {_ATOM})*")
_HEADER_NAME = re.compile(r"[A-Za-z0-9-]+")
_HEADER_VALUE = re.compile(r"[\x20-\x7e]+")
# What ends a line or could be taken to, what cannot be seen, and what is no character.
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_LINE_END = re.compile(r"\r\n?|\n")
_ADDRESSES = frozenset({"from", "sender", "reply-to", "to", "cc", "bcc"})
_OURS = _ADDRESSES | {"subject", "date", "message-id", "mime-version"}


class MessageError(ValueError):
    """This message cannot be written down; the text is a sentence for a person."""


@dataclass(frozen=True, slots=True)
class Address:
    """A mailbox. The name may be empty and in any script."""

    name: str
    email: str


def build(
    *,
    sender: Address,
    to: Address,
    subject: str,
    html: str,
    text: str,
    message_id: str,
    date: datetime,
    headers: Mapping[str, str],
    reply_to: str = "",
) -> bytes:
    """The message with CRLF line ends, multipart/alternative, all octets below 128.

    The date is aware. `headers` are written after ours, in their order; their values are printable
    ASCII. `reply_to` is the address that answers go to, where it is not the sender's. In names and
    subject, what could end a line becomes a space. The same arguments always give the same octets.

    Raises MessageError for an address that mail cannot be sent to, a Message-ID that Gmail would
    replace, and a header that is not plain.
    """
    if not is_valid_message_id(message_id):
        raise MessageError(_("The Message-ID is not valid."))
    if date.tzinfo is None:
        raise MessageError(_("The date of a message needs a time zone."))
    # No encoded part holds `=_`: in quoted-printable two digits follow an equals sign.
    boundary = "=_" + hashlib.sha256(message_id.encode()).hexdigest()[:32]
    lines = [
        _address_header("From", sender),
        *([_address_header("Reply-To", Address("", reply_to))] if reply_to else []),
        _address_header("To", to),
        _text_header("Subject", one_line(subject)),
        f"Date: {format_datetime(date)}",
        f"Message-ID: {message_id}",
        *(_plain_header(name, value) for name, value in headers.items()),
        "MIME-Version: 1.0",
        f'Content-Type: multipart/alternative; boundary="{boundary}"',
        "",
        *_part("plain", text, boundary),
        *_part("html", html, boundary),
        f"--{boundary}--",
        "",
    ]
    return "\r\n".join(lines).encode("ascii")


def is_valid_message_id(value: str) -> bool:
    """Whether it is one that Gmail keeps: RFC 5322 3.6.4 with dot-atoms on both sides.

    Gmail replaces those with a dot at the end of a side or with two @.
    """
    return len(value) <= 250 and _MESSAGE_ID.fullmatch(value) is not None


def one_line(value: str) -> str:
    """The text of a name or subject without anything that could end its header (RFC 5322 2.2)."""
    return _CONTROLS.sub(" ", value).strip()


def _address_header(header: str, address: Address) -> str:
    mailbox = in_ascii(address.email)
    name = one_line(address.name)
    if not name:
        return f"{header}: {mailbox}"
    if len(name) <= _LINE and name.isascii() and "=?" not in name:
        phrase = name if _PHRASE.fullmatch(name) else _quoted(name)
        line = f"{header}: {phrase} <{mailbox}>"
        return line if len(line) <= _LINE else f"{header}: {phrase}\r\n <{mailbox}>"
    return f"{header}: {_encoded_words(name, len(header) + 2)}\r\n <{mailbox}>"


def in_ascii(email: str) -> str:
    """The address in ASCII, its domain as IDNA 2008 has it.

    Raises MessageError where there is none: for letters beyond ASCII before the @ (RFC 6532), and
    for what is no address.
    """
    if _PLAIN_MAILBOX.fullmatch(email):
        return email
    if not email.rpartition("@")[0].isascii():
        raise MessageError(
            _("`%(email)s` has letters before the @ that cannot be sent to yet.")
            % {"email": one_line(email)}
        )
    try:
        checked = validate_email(
            email,
            check_deliverability=False,
            allow_smtputf8=False,
            allow_quoted_local=True,
            globally_deliverable=False,
        )
    except EmailNotValidError as err:
        raise MessageError(
            _("`%(email)s` is not an address that mail can be sent to.")
            % {"email": one_line(email)}
        ) from err
    return checked.ascii_email or checked.normalized


def _quoted(name: str) -> str:
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _text_header(header: str, value: str) -> str:
    if value.isascii() and "=?" not in value:
        folded = _folded(f"{header}: {value}")
        if _fits(folded):
            return folded
    return f"{header}: {_encoded_words(value, len(header) + 2)}"


def _plain_header(header: str, value: str) -> str:
    names = {"name": header}
    is_ours = header.lower() in _OURS or header.lower().startswith("content-")
    if is_ours or not _HEADER_NAME.fullmatch(header):
        raise MessageError(_("A header cannot be called `%(name)s` here.") % names)
    folded = _folded(f"{header}: {value.strip()}")
    if not _HEADER_VALUE.fullmatch(value) or not _fits(folded):
        raise MessageError(_("The header `%(name)s` cannot hold this value.") % names)
    return folded


def _folded(line: str) -> str:
    """The header broken before spaces, where it is long and can be (RFC 5322 2.2.3)."""
    # Each word with the spaces before it, so that no line is made of spaces alone.
    name, *words = re.findall(r" *[^ ]+", line)
    lines = [name + "".join(words[:1])]
    for word in words[1:]:
        if len(lines[-1]) + len(word) > _LINE:
            lines.append(word)
        else:
            lines[-1] += word
    return "\r\n".join(lines)


def _fits(folded: str) -> bool:
    return all(len(line) <= _MAX_LINE for line in folded.split("\r\n"))


def _encoded_words(text: str, before: int) -> str:
    """RFC 2047 words in base64, each on a line and made of whole characters. `before`: what stands
    on the first line already."""
    return "\r\n ".join(
        f"=?utf-8?b?{base64.b64encode(chunk).decode()}?=" for chunk in _chunks(text, before)
    )


def _chunks(text: str, before: int) -> Iterator[bytes]:
    room = (_LINE - before - _WORD_OVERHEAD) // 4 * 3
    chunk = b""
    for character in text:
        octets = character.encode()
        if len(chunk) + len(octets) > room:
            yield chunk
            chunk = b""
            room = (_LINE - 1 - _WORD_OVERHEAD) // 4 * 3
        chunk += octets
    yield chunk


def _part(subtype: str, content: str, boundary: str) -> Iterator[str]:
    octets = _LINE_END.sub("\r\n", content).encode("utf-8", "replace")
    if not octets.endswith(b"\r\n"):
        octets += b"\r\n"
    encoding, encoded = "quoted-printable", b2a_qp(octets)
    if len(encoded) > len(octets) * 3 // 2:  # mostly not Latin: base64 is shorter
        encoding, encoded = "base64", base64.encodebytes(octets).strip().replace(b"\n", b"\r\n")
    yield f"--{boundary}"
    yield f'Content-Type: text/{subtype}; charset="utf-8"'
    yield f"Content-Transfer-Encoding: {encoding}"
    yield ""
    yield encoded.decode("ascii")
