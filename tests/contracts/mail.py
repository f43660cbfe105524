"""Messages that are hard to carry, and eyes that are not ours."""

import imaplib
import secrets
import ssl
import time
from collections.abc import Callable
from contextlib import suppress

import pytest

from gmail.errors import GmailError, Temporary
from tests.contracts.server import MailServer

HEADER_END = b"\r\n\r\n"


def new_id() -> str:
    return f"{secrets.token_hex(8)}@daypost.example"


def message(body: bytes = b"A line.\r\n", *, message_id: str = "", to: str = "") -> bytes:
    """A whole message with an id of its own. `body` has CRLF at the end of each line."""
    header = (
        f"From: Ana <ana@gmail.com>\r\nTo: {to or 'ben@gmail.com'}\r\nSubject: Hello\r\n"
        f"Date: Mon, 23 Nov 2026 10:00:00 +0000\r\n"
        f"Message-ID: <{message_id or new_id()}>"
    )
    return header.encode() + HEADER_END + body


# What trips up those who read or write line by line, or expect ASCII.
HARD_BODIES = {
    "empty": b"",
    "8-bit": "Grüße, 你好\r\n".encode() + b"\xe9\xff\x80\r\n",
    "dots": b".\r\n..\r\n.a\r\n\r\n.\r\n",
    "looks like the end": b"a\r\n.\r\nQUIT\r\n* BYE\r\n+OK\r\nA1 OK done)\r\n",
    "blank lines at the end": b"a\r\n\r\n\r\n\r\n",
}
LONG_LINES = b"x" * 100_000 + b"\r\n" + b"y" * 3_000 + b"\r\n"
HUGE = b"z" * 70 + b"\r\n"
HUGE *= 8 * 1024 * 1024 // len(HUGE)


def expect_the_end(ask: Callable[[], object], error: type[GmailError]) -> None:
    """Ask until the session is found ended; a server may take a moment to end it.

    By POP its farewell may look like the answer to what was asked just then.
    """
    deadline = time.monotonic() + 20
    with pytest.raises(error):
        while time.monotonic() < deadline:
            with suppress(Temporary):
                ask()


def flags_in_inbox(server: MailServer) -> list[bytes]:
    """UID and flags of each message, as a client sees them that is not ours, and changes nothing.

    Without the flag that says only who looked first.
    """
    with independent_imap(server) as imap:
        imap.select("INBOX", readonly=True)
        _, answers = imap.uid("FETCH", "1:*", "(UID FLAGS)")
    return [each.replace(rb" \Recent", b"").replace(rb"\Recent", b"") for each in answers if each]


def independent_imap(server: MailServer) -> imaplib.IMAP4_SSL:
    """Logged in."""
    endpoints = server.endpoints
    trust = ssl.create_default_context(cafile=endpoints.ca_file)
    imap = imaplib.IMAP4_SSL(endpoints.imap_host, endpoints.imap_port, ssl_context=trust)
    imap.login(server.address, server.app_password.replace(" ", ""))
    return imap
