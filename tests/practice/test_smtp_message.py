"""The message itself: its end, its dots, its size, its chunks, and how it is filed."""

import re
import secrets
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest

from tests.practice.clients import ANA, Wire, deliver, logged_in, mail
from tests.practice_gmail import PracticeGmail

SIZE_LIMIT = 35_882_577


def filed(gmail: PracticeGmail, row: dict[str, str]) -> bytes:
    return (gmail.directory / "mail" / f"{row['id']}.eml").read_bytes()


def send(gmail: PracticeGmail, content: bytes) -> tuple[dict[str, str], bytes, EmailMessage]:
    """Send exactly these bytes; the ledger's row, the filed bytes, and those taken apart."""
    with Wire(gmail) as wire:
        wire.hello().begin("ben@example.org")
        wire.socket.sendall(content + b".\r\n")
        assert wire.reply()[0].startswith("250 2.0.0 OK ")
    row = gmail.ledger()[-1]
    data = filed(gmail, row)
    return row, data, message_from_bytes(data, _class=EmailMessage, policy=policy.default)


def test_it_answers_with_the_practice_time_and_an_id(gmail: PracticeGmail) -> None:
    gmail.control(clock_offset=1_000_000)
    with logged_in(gmail) as client:
        code, reply = deliver(client, "ben@example.org")
    row = gmail.ledger()[-1]
    at = datetime.fromisoformat(row["at"])
    assert code == 250
    assert reply == f"2.0.0 OK {int(at.timestamp())} {row['id']} - gsmtp"
    shift = at - datetime.now(UTC) - timedelta(seconds=1_000_000)
    assert abs(shift) < timedelta(seconds=10)


def test_it_writes_the_ledger_as_agreed(gmail: PracticeGmail) -> None:
    content = mail("ben@example.org")
    with logged_in(gmail) as client:
        deliver(client, "ben@example.org", content)
    row = gmail.ledger()[-1]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00", row["at"])
    assert row["account"] == ANA
    assert row["recipients"] == 1
    assert row["to"] == "ben@example.org"
    assert f"Message-ID: {row['message_id']}\r\n" in content


def test_it_takes_stuffed_dots_away_and_no_others(gmail: PracticeGmail) -> None:
    body = "..one\r\n....two\r\nthree.\r\n.. \r\n..\r\n"
    _, data, _ = send(gmail, f"Subject: dots\r\n\r\n{body}".encode())
    assert data.endswith(b"\r\n\r\n.one\r\n...two\r\nthree.\r\n. \r\n.\r\n")


def test_it_keeps_every_byte_of_a_body(gmail: PracticeGmail) -> None:
    body = "".join(f"{'.' * (n % 4)}{secrets.token_hex(n)}\r\n" for n in range(300))
    with logged_in(gmail) as client:
        assert deliver(client, "ben@example.org", f"Subject: all\r\n\r\n{body}")[0] == 250
    assert filed(gmail, gmail.ledger()[-1]).endswith(f"\r\n\r\n{body}".encode())


@pytest.mark.parametrize("end", [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n.\r"])
def test_it_ends_a_message_only_at_its_own_end(gmail: PracticeGmail, end: bytes) -> None:
    before = len(gmail.ledger())
    smuggled = end + f"MAIL FROM:<{ANA}>\r\nRCPT TO:<eve@example.org>\r\nDATA\r\n".encode()
    _, data, _ = send(gmail, b"Subject: one\r\n\r\nbody" + smuggled)
    assert len(gmail.ledger()) == before + 1
    assert b"RCPT TO:<eve@example.org>" in data


def test_it_finds_the_end_however_the_bytes_are_cut(gmail: PracticeGmail) -> None:
    before = len(gmail.ledger())
    with Wire(gmail) as wire:
        wire.hello().begin("ben@example.org")
        for byte in b"Subject: bytes\r\n\r\n..x\r\n.\r\nNOOP\r\n":
            wire.socket.sendall(bytes([byte]))
        assert wire.reply()[0].startswith("250 2.0.0 OK ")
        assert wire.reply()[0].startswith("250 2.0.0 OK ")
    (row,) = gmail.ledger()[before:]
    assert filed(gmail, row).endswith(b"\r\n\r\n.x\r\n")


def test_it_accepts_nothing_from_a_client_that_leaves_before_the_end(gmail: PracticeGmail) -> None:
    before = len(gmail.ledger())
    with Wire(gmail) as wire:
        wire.hello().begin("ben@example.org")
        wire.socket.sendall(mail().encode() + b".\r")
    with logged_in(gmail) as client:
        assert deliver(client, "cleo@example.org")[0] == 250
    assert [row["to"] for row in gmail.ledger()[before:]] == ["cleo@example.org"]


def test_it_takes_an_empty_message(gmail: PracticeGmail) -> None:
    _, data, message = send(gmail, b"")
    assert message["From"] == ANA
    assert message["Message-ID"].endswith("@mx.google.com>")
    assert data.endswith(b"\r\n\r\n")


def test_it_refuses_what_is_too_large_at_its_end(gmail: PracticeGmail) -> None:
    before = len(gmail.ledger())
    header = b"Subject: large\r\n\r\n"
    line = b"x" * 998 + b"\r\n"
    with Wire(gmail) as wire:
        wire.hello().begin("ben@example.org")
        wire.socket.sendall(header + line * (SIZE_LIMIT // 1000 + 1) + b".\r\n")
        assert wire.reply()[0].startswith("552-5.3.4 Your message exceeded Google's")
        assert len(gmail.ledger()) == before
        wire.begin("ben@example.org")
        fitting = SIZE_LIMIT - len(header) - 2
        wire.socket.sendall(header + b"y" * fitting + b"\r\n.\r\n")
        assert wire.reply()[0].startswith("250 ")
    assert gmail.refused()[-1]["reply"].startswith("552 5.3.4 Your message exceeded")


def test_it_takes_a_message_in_chunks(gmail: PracticeGmail) -> None:
    content = mail("ben@example.org", text="..no dot is stuffed here\r\n.\r\n").encode()
    first, second = content[:50], content[50:]
    with Wire(gmail) as wire:
        wire.hello()
        wire.ask(f"MAIL FROM:<{ANA}>")
        wire.ask("RCPT TO:<ben@example.org>")
        wire.socket.sendall(b"BDAT %d\r\n" % len(first) + first)
        assert wire.reply()[0].startswith("250 ")
        assert wire.ask("DATA").startswith("503 ")
        wire.socket.sendall(b"BDAT %d\r\n" % len(second) + second + b"BDAT 0 LAST\r\n")
        assert wire.reply()[0].startswith("250 ")
        assert wire.reply()[0].startswith("250 2.0.0 OK ")
    data = filed(gmail, gmail.ledger()[-1])
    assert data.endswith(b"\r\n\r\n..no dot is stuffed here\r\n.\r\n\r\n")


def test_it_reads_past_a_chunk_that_nobody_is_to_get(gmail: PracticeGmail) -> None:
    with Wire(gmail) as wire:
        wire.hello()
        wire.socket.sendall(b"BDAT 6 LAST\r\nQUIT\r\nNOOP\r\n")
        assert wire.reply()[0].startswith("503 5.5.1 MAIL first.")
        assert wire.reply()[0].startswith("250 ")
        assert wire.ask("BDAT many").startswith("555 ")
        assert wire.closed()


def test_it_accepts_the_same_message_id_again(gmail: PracticeGmail) -> None:
    content = mail("ben@example.org")
    before = len(gmail.ledger())
    with logged_in(gmail) as client:
        for _ in range(2):
            assert deliver(client, "ben@example.org", content)[0] == 250
    first, second = gmail.ledger()[before:]
    assert first["message_id"] == second["message_id"]


def test_it_rewrites_a_sender_that_is_not_the_account(gmail: PracticeGmail) -> None:
    content = b"From: =?utf-8?q?Zo=C3=AB?= <zoe@example.org>\r\nSubject: s\r\n\r\nx\r\n"
    _, data, message = send(gmail, content)
    assert message["From"].addresses[0].addr_spec == ANA
    assert message["From"].addresses[0].display_name == "Zoë"
    assert b"X-Google-Original-From: =?utf-8?q?Zo=C3=AB?= <zoe@example.org>\r\n" in data


def test_it_leaves_the_accounts_own_sender_alone(gmail: PracticeGmail) -> None:
    _, data, message = send(gmail, b'From: "Ana A." <ANA@gmail.com>\r\nSubject: s\r\n\r\nx\r\n')
    assert b'From: "Ana A." <ANA@gmail.com>\r\n' in data
    assert message["X-Google-Original-From"] is None


@pytest.mark.parametrize(
    "message_id",
    [
        "<one@example.org.>",
        "<one@two@example.org>",
        "<one.@example.org>",
        "<.one@example.org>",
        "<one>",
        "one@example.org",
        "<o ne@example.org>",
        "",
    ],
)
def test_it_replaces_an_invalid_message_id(gmail: PracticeGmail, message_id: str) -> None:
    content = f"From: {ANA}\r\nMessage-ID: {message_id}\r\n\r\nx\r\n".encode()
    row, data, _ = send(gmail, content)
    assert re.fullmatch(r"<[0-9a-f]+@mx\.google\.com>", row["message_id"])
    assert f"\r\nMessage-ID: {row['message_id']}\r\n".encode() in data
    assert f"\r\nX-Google-Original-Message-ID: {message_id}\r\n".encode() in data


@pytest.mark.parametrize("message_id", ["<a.b-c+d@foreign.example>", "<x@[127.0.0.1]>"])
def test_it_keeps_a_valid_message_id(gmail: PracticeGmail, message_id: str) -> None:
    content = f"From: {ANA}\r\nMessage-ID:\r\n {message_id}\r\n\r\nx\r\n".encode()
    row, data, _ = send(gmail, content)
    assert row["message_id"] == message_id
    assert b"X-Google-Original-Message-ID" not in data


def test_it_adds_its_trace_and_what_is_missing(gmail: PracticeGmail) -> None:
    row, _, message = send(gmail, b"Subject: s\r\n\r\nx\r\n")
    assert message["Return-Path"] == f"<{ANA}>"
    assert f"by smtp.gmail.com with ESMTPSA id {row['id']}" in message["Received"]
    assert "for <ben@example.org>" in message["Received"]
    assert message["Date"].datetime == datetime.fromisoformat(row["at"]).replace(microsecond=0)
