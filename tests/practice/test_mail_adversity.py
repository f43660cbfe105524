"""What no well-meant client says to IMAP and POP: it is refused, and the server goes on."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.practice.clients import ANA, ANA_PASSWORD
from tests.practice.mail_clients import BROKEN, imap, imap_client, pop, read_until, send, wire
from tests.practice_gmail import PracticeGmail

LOGIN = f'l LOGIN {ANA} "{ANA_PASSWORD}"\r\n'.encode()
OPEN = LOGIN + b"o EXAMINE INBOX\r\n"


def say(gmail: PracticeGmail, port: str, words: bytes) -> bytes:
    """Everything that is answered to these words, up to the answer to a last harmless one."""
    last = b"z LOGOUT\r\n" if "IMAP" in port else b"QUIT\r\n"
    with wire(gmail, port) as line:
        try:
            line.sendall(words + last)
            return read_until(line, b"never")
        except (ConnectionError, ssl.SSLError):
            return b""


@pytest.fixture(autouse=True, scope="module")
def it_still_works(shared_gmail: PracticeGmail) -> Iterator[None]:
    """In the end the same process serves others as if nothing had been."""
    before = shared_gmail.pid
    yield
    assert Path(f"/proc/{before}").exists()
    with imap_client(shared_gmail) as client, pop(shared_gmail) as dropped:
        assert client.select_folder("INBOX", readonly=True)
        assert dropped.stat()


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (b"\r\n", b"* BAD Null command"),
        (b"a\r\n", b"a BAD Missing command"),
        (b"a NONSENSE\r\n", b"a BAD Unsupported command"),
        (b"a SELECT INBOX\r\n", b"a BAD Unsupported command"),
        (b"a STARTTLS\r\n", b"a NO TLS not available"),
        (b"a \xff\xfe\r\n", b"* BAD Could not parse command"),
        (b"a LOGIN \0 x\r\n", b"* BAD Could not parse command"),
        (b"a NOOP\nb NOOP\r\n", b"a BAD"),
        (b"a LOGIN\r\n", b"a BAD"),
        (b"a LOGIN x\r\n", b"a BAD"),
        (b'a LOGIN "x\r\n', b"a BAD"),
        (b"a LOGIN {99999999}\r\n", b"a BAD"),
        (b"a LOGIN {-5}\r\n", b"a BAD"),
        (b"a LOGIN {5x}\r\n", b"a BAD"),
        (b"a AUTHENTICATE PLAIN ????\r\n", b"a BAD Invalid SASL argument"),
        (b"a AUTHENTICATE PLAIN\r\n*\r\n", b"a BAD Invalid SASL argument"),
        (b"a AUTHENTICATE XOAUTH2 =\r\n\r\n", b"a NO [AUTHENTICATIONFAILED]"),
        (b"a AUTHENTICATE PLAIN /////w==\r\n", b"a NO [AUTHENTICATIONFAILED]"),
        (b"x" * 100_000, b"* BAD Command line too long"),
    ],
)
def test_it_stands_nonsense_before_the_login(
    gmail: PracticeGmail, words: bytes, answer: bytes
) -> None:
    said = say(gmail, "GMAIL_IMAP_PORT", words)
    assert b"\r\n" + answer in said
    assert b"z OK" in said or len(words) > 65_536


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (b"a SELECT \r\n", b"a BAD"),
        (b"a SELECT &&&-\r\n", b"a BAD"),
        (b'a SELECT "..\\..\\etc"\r\n', b"a "),
        (b"a FETCH 0 FLAGS\r\n", b"a BAD"),
        (b"a FETCH 1:x FLAGS\r\n", b"a BAD"),
        (b"a FETCH 1\r\n", b"a BAD"),
        (b"a FETCH 1 NONSENSE\r\n", b"a BAD"),
        (b"a FETCH 1 (BODY[9999999.X])\r\n", b"a BAD"),
        (b"a FETCH 1 (BODY[)\r\n", b"a BAD"),
        (b"a FETCH 1 (BODY[]<5>)\r\n", b"a BAD"),
        (b"a FETCH 99999 FLAGS\r\n", b"a OK"),
        (b"a UID NONSENSE 1\r\n", b"a BAD"),
        (b"a UID EXPUNGE 1\r\n", b"a BAD"),
        (b"a UID FETCH 4294967296:9999999999 FLAGS\r\n", b"a OK"),
        (b"a STORE 1 +X-GM-LABELS (Mine)\r\n", b"a BAD"),
        (b"a STORE 1 +FLAGS (\\Seen)\r\n", b"a NO [READ-ONLY]"),
        (b"a EXPUNGE\r\n", b"a NO"),
        (b"a COPY 1 Nowhere\r\n", b"a NO [TRYCREATE]"),
        (b"a SEARCH\r\n", b"a BAD"),
        (b"a SEARCH NONSENSE\r\n", b"a BAD"),
        (b"a SEARCH NOT\r\n", b"a BAD"),
        (b"a SEARCH (ALL\r\n", b"a BAD"),
        (b"a SEARCH )\r\n", b"a BAD"),
        (b"a SEARCH " + b"NOT " * 500 + b"ALL\r\n", b"a BAD"),
        (b"a SEARCH " + b"(" * 500 + b"\r\n", b"a BAD"),
        (b"a SEARCH SINCE 31-Feb-2026\r\n", b"a BAD"),
        (b"a SEARCH LARGER 1e9\r\n", b"a BAD"),
        (b"a SEARCH UID 1,,2\r\n", b"a BAD"),
        (b"a SEARCH X-GM-RAW is:unread\r\n", b"a BAD"),
        (b'a SEARCH SUBJECT "\'; DROP TABLE message; --"\r\n', b"a OK"),
        (b"a SEARCH X-GM-MSGID 99999999999999999999\r\n", b"a BAD"),
        (b"a SEARCH X-GM-MSGID 9999999999999999999\r\n", b"a OK"),
        (b"a STATUS INBOX (NONSENSE)\r\n", b"a BAD"),
        (b"a STATUS Nowhere (MESSAGES)\r\n", b"a NO"),
        (b"a APPEND INBOX {99999999999}\r\n", b"a BAD"),
        (b"a APPEND INBOX nonsense\r\n", b"a BAD"),
        (b"a APPEND INBOX {0}\r\n\r\n", b"a OK"),
        (b"a APPEND INBOX {9}\r\n\0\xff\r\n\n\n\n\r\n\r\n", b"a OK"),
        (b"a RENAME INBOX Mine\r\n", b"a NO"),
        (b'a LIST "" {3}\r\n***\r\n', b"a OK"),
        (b"a IDLE\r\nnonsense\r\n", b"a OK"),
    ],
)
def test_it_stands_nonsense_after_the_login(
    gmail: PracticeGmail, words: bytes, answer: bytes
) -> None:
    said = say(gmail, "GMAIL_IMAP_PORT", OPEN + words)
    assert b"\r\n" + answer in said
    assert b"z OK" in said


@pytest.mark.parametrize(
    "words",
    [
        b"\r\n",
        b"NONSENSE\r\n",
        b"STAT\r\n",
        b"APOP x y\r\n",
        b"PASS\r\n",
        b"USER\r\n",
        b"\xff\xfe\r\n",
        b"USER x\nPASS y\r\n",
        b"AUTH NONSENSE\r\n",
        b"AUTH PLAIN ????\r\n",
        b"AUTH PLAIN\r\n*\r\n",
        b"PASS " + b"x" * 20_000 + b"\r\n",
    ],
)
def test_it_stands_nonsense_by_pop(gmail: PracticeGmail, words: bytes) -> None:
    said = say(gmail, "GMAIL_POP_PORT", words)
    assert said.startswith(b"+OK Gpop ready")
    assert b"\r\n-ERR " in said
    assert said.endswith(b"+OK Farewell.\r\n") or len(words) > 16_384


def test_it_stands_nonsense_by_pop_after_the_login(gmail: PracticeGmail) -> None:
    send(gmail, ANA)
    for words in ("RETR", "RETR -1", "RETR 1 2", "TOP 1", "TOP 1 -1", "DELE x", "LIST 1 2"):
        with pop(gmail) as client, pytest.raises(BROKEN, match="-ERR"):
            client._shortcmd(words)
    for words in ("USER x", "PASS x", "AUTH PLAIN"):
        with pop(gmail) as client, pytest.raises(BROKEN, match="-ERR"):
            client._shortcmd(words)


def test_it_stands_plain_text_where_tls_is_due(gmail: PracticeGmail) -> None:
    for port in ("GMAIL_IMAP_PORT", "GMAIL_POP_PORT"):
        with socket.create_connection(("127.0.0.1", int(gmail.env[port])), timeout=10) as line:
            line.sendall(LOGIN)
            said = b""
            with suppress(ConnectionError):
                while more := line.recv(1_000):
                    said += more
            assert b"OK" not in said


def test_it_stands_a_client_that_leaves_in_the_middle(gmail: PracticeGmail) -> None:
    send(gmail, ANA, text="\r\n".join(["x" * 990] * 2_000))
    for port, words in (
        ("GMAIL_IMAP_PORT", OPEN + b"a FETCH 1:* BODY[]\r\n"),
        ("GMAIL_IMAP_PORT", LOGIN + b"a APPEND INBOX {1000}\r\nFrom"),
        ("GMAIL_POP_PORT", f"USER {ANA}\r\nPASS {ANA_PASSWORD}\r\nRETR 1\r\n".encode()),
    ):
        with wire(gmail, port) as line:
            line.sendall(words)
            line.recv(100)


def test_it_shows_a_message_as_empty_whose_file_was_taken_away(own_gmail: PracticeGmail) -> None:
    send(own_gmail, ANA)
    for path in Path(own_gmail.directory / "mail").iterdir():
        path.unlink()
    with imap(own_gmail) as client:
        client.select("INBOX")
        assert client.fetch("1", "(BODY[] ENVELOPE)")[1][0][1] == b""
        assert client.search(None, "SUBJECT", "Hello")[1] == [b""]
    with pop(own_gmail) as dropped:
        assert dropped.retr(1)[1] == [b""]
