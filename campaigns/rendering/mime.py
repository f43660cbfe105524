"""The finished message (RFC 5322, RFC 2045): headers, a plain-text part and an HTML part."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address as HeaderAddress
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from django.utils.translation import gettext as _

_POLICY = SMTP.clone(max_line_length=76)
# RFC 5322 3.6.4, without the obsolete forms; Gmail replaces what ends a local part in a dot.
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_MESSAGE_ID = re.compile(rf"<{_ATOM}(\.{_ATOM})*@{_ATOM}(\.{_ATOM})*>")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")


class MessageError(ValueError):
    """This message cannot be written down; the text is a sentence for a person."""


@dataclass(frozen=True)
class Address:
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
) -> bytes:
    """The message, with CRLF line ends. Raises MessageError."""
    if not is_valid_message_id(message_id):
        raise MessageError(_("The Message-ID is not valid."))
    message = EmailMessage(_POLICY)
    message["From"] = _header_address(sender)
    message["To"] = _header_address(to)
    message["Subject"] = _one_line(subject)
    message["Date"] = format_datetime(date)
    message["Message-ID"] = message_id
    for name, value in headers.items():
        message[name] = _one_line(value)
    message.set_content(text, cte="quoted-printable")
    message.add_alternative(html, subtype="html", cte="quoted-printable")
    return message.as_bytes()


def is_valid_message_id(value: str) -> bool:
    return len(value) <= 250 and _MESSAGE_ID.fullmatch(value) is not None


def _header_address(address: Address) -> HeaderAddress:
    local, _at, domain = address.email.rpartition("@")
    if not local.isascii():
        raise MessageError(_("The address has letters before the @ that Gmail cannot carry."))
    try:
        return HeaderAddress(
            _one_line(address.name), local, domain.encode("idna").decode() if domain else ""
        )
    except ValueError as error:
        raise MessageError(_("The address is not one that mail can be sent to.")) from error


def _one_line(value: str) -> str:
    """Whatever a name or subject holds, it stays within its header."""
    return _CONTROL.sub(" ", value).strip()
