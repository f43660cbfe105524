"""Independent clients of IMAP and POP, and what a test wants to know of a mailbox."""

import imaplib
import poplib
import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email import message_from_bytes, policy
from email.message import EmailMessage

from imapclient import IMAPClient

from tests.practice.clients import ANA, deliver, logged_in, mail, trust
from tests.practice_gmail import PracticeGmail

BROKEN = (imaplib.IMAP4.abort, poplib.error_proto, ConnectionError, ssl.SSLError, EOFError)
SENT = '"[Gmail]/Sent Mail"'
ALL_MAIL = '"[Gmail]/All Mail"'


@contextmanager
def imap_line(gmail: PracticeGmail) -> Iterator[imaplib.IMAP4_SSL]:
    """A connection on which nobody has logged in."""
    port = int(gmail.env["GMAIL_IMAP_PORT"])
    client = imaplib.IMAP4_SSL("127.0.0.1", port, ssl_context=trust(gmail), timeout=10)
    try:
        yield client
    finally:
        client.shutdown()


@contextmanager
def imap(gmail: PracticeGmail, account: str = ANA) -> Iterator[imaplib.IMAP4_SSL]:
    with imap_line(gmail) as client:
        client.login(account, gmail.app_password(account))
        yield client


@contextmanager
def imap_client(gmail: PracticeGmail, account: str = ANA) -> Iterator[IMAPClient]:
    """IMAPClient, which reads answers into Python's own types."""
    port = int(gmail.env["GMAIL_IMAP_PORT"])
    client = IMAPClient("127.0.0.1", port, ssl_context=trust(gmail), timeout=10)
    try:
        client.login(account, gmail.app_password(account))
        yield client
    finally:
        client.shutdown()


@contextmanager
def pop_line(gmail: PracticeGmail) -> Iterator[poplib.POP3_SSL]:
    port = int(gmail.env["GMAIL_POP_PORT"])
    client = poplib.POP3_SSL("127.0.0.1", port, context=trust(gmail), timeout=10)
    try:
        yield client
    finally:
        client.close()


@contextmanager
def pop(gmail: PracticeGmail, user: str = ANA) -> Iterator[poplib.POP3_SSL]:
    with pop_line(gmail) as client:
        client.user(user)
        client.pass_(gmail.app_password(user.removeprefix("recent:")))
        yield client


@contextmanager
def wire(gmail: PracticeGmail, port: str) -> Iterator[ssl.SSLSocket]:
    """A bare connection under TLS, for what no client would say."""
    raw = socket.create_connection(("127.0.0.1", int(gmail.env[port])), timeout=10)
    with raw, trust(gmail).wrap_socket(raw, server_hostname="127.0.0.1") as line:
        yield line


def read_until(line: ssl.SSLSocket, end: bytes) -> bytes:
    """What is said up to ``end``, or up to the end of the connection."""
    said = b""
    with suppress(ConnectionError, ssl.SSLError):
        while end not in said and (more := line.recv(65_536)):
            said += more
    return said


def send(gmail: PracticeGmail, to: str, content: str = "", *, text: str = "A line.") -> str:
    """Send a message and let everything arrive that follows from it; its Message-ID."""
    content = content or mail(to, text=text)
    with logged_in(gmail) as client:
        assert deliver(client, to, content)[0] == 250
    arrive(gmail)
    match = re.search(r"^Message-ID: (\S+)\r$", content, re.MULTILINE | re.IGNORECASE)
    return match[1] if match else ""


def arrive(gmail: PracticeGmail) -> None:
    """Move the clock on until everything that is under way has come."""
    gmail.control(clock_offset=gmail.control()["clock_offset"] + 60)


def find(client: IMAPClient, folder: str, message_id: str) -> list[int]:
    client.select_folder(folder, readonly=True)
    return list(client.gmail_search(f"rfc822msgid:{message_id}"))


def answers_to(gmail: PracticeGmail, message_id: str, account: str = ANA) -> list[EmailMessage]:
    """The messages in the inbox that mention a Message-ID as the one they answer."""
    with imap_client(gmail, account) as client:
        client.select_folder("INBOX", readonly=True)
        found = client.search(["HEADER", "In-Reply-To", message_id])
        fetched = client.fetch(found, ["BODY.PEEK[]"])
    return [parsed(fetched[uid][b"BODY[]"]) for uid in found]


def parsed(content: bytes) -> EmailMessage:
    return message_from_bytes(content, _class=EmailMessage, policy=policy.default)
