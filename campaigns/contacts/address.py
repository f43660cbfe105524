"""An address as people write it -> the address that mail is sent to, or the reason why not.

What is kept:

- the local part in the case it was given (RFC 5321, 2.4: only its owner knows whether case
  matters);
- the domain in lower case and in its ASCII form (IDNA, ``xn--...``), because that is what an SMTP
  server is given, and because then both ways of writing one domain are one address.

Two addresses are the same person when their ``email_key`` is the same: all of it in lower case. No
mailbox provider that matters tells ``Ana@`` from ``ana@``, and writing to somebody twice is worse.
"""

import re
from typing import NamedTuple

import email_validator

from campaigns.contacts.misspelt import likely_domain

LONGEST_ADDRESS = 254
"""Characters. RFC 5321 4.5.3.1.3 allows a path of 256, its angle brackets included."""

LONGEST_LOCAL_PART = 64
"""Characters (RFC 5321, 4.5.3.1.1)."""

BEYOND_ASCII = "beyond ASCII"
"""What is suspicious about letters before the @ that only SMTPUTF8 (RFC 6531) could carry: an
address may be right and is kept, but what is written to it is skipped."""

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_PLAIN = re.compile(
    rf"({_ATOM}(?:\.{_ATOM})*)@((?:{_LABEL}\.)+[A-Za-z](?:[A-Za-z0-9-]{{0,61}}[A-Za-z0-9])?)"
)
"""An address of plain ASCII by RFC 5321, without quoted local parts and domain literals."""

_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\ufe00-\ufe0f\ufeff]"
)
"""Characters that take no room on a screen: soft hyphen, zero-width, direction marks and so on."""

_LINE_BREAK = re.compile("[\r\n\v\f\x85\u2028\u2029]")
_ANGLES = re.compile(r"^(.*)<([^<>]*)>$")

_SEVERAL = " ::: "
"""What Google Contacts puts between several values in one cell."""


class Address(NamedTuple):
    """One address that mail can be sent to."""

    email: str
    """What mail is sent to: local part as given, domain in lower-case ASCII."""
    display_name: str
    """The name in ``Name <address>``, or nothing."""
    suspicious: str | None
    """The domain that was likely meant (``gmail.com`` for ``gmial.com``), BEYOND_ASCII, or None."""


class AddressRefused(ValueError):
    """Not an address. ``reason`` is one of the reasons of ``campaigns.contacts.reasons``."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def email_key(email: str) -> str:
    """Who an address is: two addresses with one key are one person."""
    return email.lower()


def looks_like_address(text: str) -> bool:
    """Whether a cell holds an address and nothing else. Quick, for guessing; it may be wrong."""
    if "@" not in text:
        return False
    try:
        normalise(text)
    except AddressRefused:
        return False
    return True


def normalise(text: str) -> Address:
    """The address in a cell, cleaned of what people and programs put around it.

    Understands spaces around it, invisible characters, ``mailto:``, ``Name <address>``, and takes
    the first of several that Google Contacts has joined by ``:::``.

    Raises AddressRefused: ``missing_email``, ``header_injection``, ``too_long`` or ``bad_syntax``.
    """
    plain = _PLAIN.fullmatch(text)
    if plain is not None and "--" not in text and _fits(text, plain[1]):
        return _address(plain[1], plain[2].lower(), "")
    return _normalise_with_care(text)


def _normalise_with_care(text: str) -> Address:
    given = _first_of_several(_INVISIBLE.sub("", text).strip())
    if not given:
        raise AddressRefused("missing_email")
    if _LINE_BREAK.search(given):
        raise AddressRefused("header_injection")
    bare, display_name = _unwrap(given)
    if not bare:
        raise AddressRefused("missing_email")
    if not _fits(bare, bare.rpartition("@")[0]):
        raise AddressRefused("too_long")
    plain = _PLAIN.fullmatch(bare)
    if plain is not None and "--" not in bare:
        return _address(plain[1], plain[2].lower(), display_name)
    try:
        checked = email_validator.validate_email(
            bare, check_deliverability=False, globally_deliverable=False
        )
    except email_validator.EmailNotValidError as err:
        raise AddressRefused("bad_syntax") from err
    # The library's own check of this would refuse `.test` and `.example`, made for practising.
    _name, dot, ending = checked.ascii_domain.rpartition(".")
    if not dot or not ending[0].isalpha():
        raise AddressRefused("bad_syntax")
    return _address(checked.local_part, checked.ascii_domain.lower(), display_name)


def _first_of_several(text: str) -> str:
    if ":::" not in text:
        return text
    values = (value.strip() for value in text.split(_SEVERAL.strip()))
    return next((value for value in values if value), "")


def _unwrap(text: str) -> tuple[str, str]:
    """``Ana Lee <mailto:ana@example.org>;`` or ``'ana@example.org'`` -> the address, the name."""
    text = text.rstrip(";, ")
    display_name = ""
    angles = _ANGLES.match(text)
    if angles is not None:
        display_name, text = angles[1].strip().strip("\"'").strip(), angles[2].strip()
    if text[:7].lower() == "mailto:":
        text = text[7:].partition("?")[0].strip()
    if len(text) > 2 and text[0] == text[-1] and text[0] in "'\"":
        text = text[1:-1].strip()
    return text, display_name


def _fits(address: str, local_part: str) -> bool:
    return len(address) <= LONGEST_ADDRESS and len(local_part) <= LONGEST_LOCAL_PART


def _address(local_part: str, domain: str, display_name: str) -> Address:
    suspicious = likely_domain(domain) if local_part.isascii() else BEYOND_ASCII
    return Address(f"{local_part}@{domain}", display_name, suspicious)
