"""What counts as an address, as Gmail's servers judge it (RFC 5321 section 4.1.2)."""

import re

# Letters outside ASCII pass here; ``check_address`` asks whether they may (RFC 6532).
ATOM = r'[^\x00-\x20"(),.:;<>@\[\\\]\x7f]+'
LOCAL_PART = re.compile(
    rf'(?:{ATOM}(?:\.{ATOM})*|"(?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\[\x20-\x7e])*")\Z'
)
LABEL = r"[^\W_](?:(?:[^\W_]|-)*[^\W_])?"
DOMAIN = re.compile(rf"{LABEL}(?:\.{LABEL})+\Z")


class AddressRefused(Exception):
    """The text is no address that mail can be sent to."""


class DomainRefused(AddressRefused):
    """The part after the @ is no domain name."""


def check_address(address: str, *, international: bool = False) -> None:
    """Raise AddressRefused or DomainRefused for what Gmail answers with 553.

    ``international`` allows characters outside ASCII, as the SMTPUTF8 parameter does (RFC 6531).
    """
    local_part, at, domain = address.rpartition("@")
    if not at or not LOCAL_PART.match(local_part) or len(local_part.encode()) > 64:
        raise AddressRefused(address)
    if not address.isascii() and not international:
        raise AddressRefused(address)
    if not DOMAIN.match(domain) or len(domain.encode()) > 255:
        raise DomainRefused(address)


def same_mailbox(one: str, other: str) -> bool:
    """Whether two addresses are one mailbox; Google ignores case."""
    return one.casefold() == other.casefold()
