"""What the header of a mail in Sent says: how many it went to, and under which Message-ID. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.message import Message
from email.parser import HeaderParser

_RECIPIENTS = ("To", "Cc", "Bcc")
# Where Gmail does not keep a Message-ID, it keeps it here.
_MESSAGE_IDS = ("Message-ID", "X-Google-Original-Message-ID")
FIELDS = (*_RECIPIENTS, *_MESSAGE_IDS)

# A quoted name, or a comment, may hold an address that nothing was sent to. But what stands right
# before an @ is an address itself, "ana maria"@example.org; and one that holds a < is a name whose
# quotes are wrong.
_NAME = re.compile(r'"((?:[^"\\<]|\\.){0,320})"(\s{0,9}@)?|\([^()<]{0,320}\)')
_LOCAL_PART = r'(?:"(?:[^"\\]|\\.){0,320}"|[^\s<>()",:;@\[\]]{1,320})'
_DOMAIN = r'(?:\[[^\[\]\s]*\]|[^\s<>()",:;@\[\]]+)'
_ADDRESS = re.compile(f"{_LOCAL_PART}@{_DOMAIN}")
_MESSAGE_ID = re.compile(r"<[^<>\s]+>")


@dataclass(frozen=True)
class SentHeader:
    """`recipients`: the distinct addresses of To, Cc and Bcc together, 1 at the least.

    Of a mail that another program sent, Sent shows no Bcc: then those are not among them.
    """

    recipients: int
    message_ids: frozenset[str]

    @classmethod
    def read(cls, raw: bytes) -> SentHeader:
        # Bytes that are no UTF-8 stay apart from one another, and with them their addresses.
        fields = HeaderParser().parsestr(raw.decode("utf-8", "backslashreplace"))
        addresses = {one.lower() for value in _all(fields, _RECIPIENTS) for one in _in(value)}
        ids = {one for value in _all(fields, _MESSAGE_IDS) for one in _MESSAGE_ID.findall(value)}
        return cls(max(len(addresses), 1), frozenset(ids))


def _all(fields: Message, names: tuple[str, ...]) -> list[str]:
    return [str(value) for name in names for value in fields.get_all(name, [])]


def _in(value: str) -> list[str]:
    """Everything that looks like an address, in groups and in garbage too.

    A parser that goes by the grammar (RFC 5322 section 3.4) gives up on a field with one wrong
    quote, and would make one of forty: here a mistake rather counts too many.
    """
    return _ADDRESS.findall(_NAME.sub(_only_of_address, value))


def _only_of_address(name: re.Match[str]) -> str:
    return f'"{name[1]}"@' if name[2] else " "
