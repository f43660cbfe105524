"""The conversation: greeting, EHLO, STARTTLS, the order of commands, syntax, idle time."""

import socket
import ssl
import time
from pathlib import Path

import pytest

from tests.practice.clients import ANA, ANA_PASSWORD, Wire, deliver, logged_in, mail, smtp_ssl
from tests.practice_gmail import PracticeGmail

OFFERED_AFTER_TLS = [
    "250-SIZE 35882577",
    "250-8BITMIME",
    "250-AUTH LOGIN PLAIN XOAUTH2 PLAIN-CLIENTTOKEN OAUTHBEARER XOAUTH",
    "250-ENHANCEDSTATUSCODES",
    "250-PIPELINING",
    "250-CHUNKING",
    "250 SMTPUTF8",
]


def test_it_greets_as_gmail_does(gmail: PracticeGmail) -> None:
    with Wire(gmail) as wire:
        (greeting,) = wire.reply()
    assert greeting.startswith("220 smtp.gmail.com ESMTP ")
    assert greeting.endswith(" - gsmtp")


def test_it_offers_what_gmail_offers_after_tls(gmail: PracticeGmail) -> None:
    with Wire(gmail) as wire:
        wire.reply()
        wire.say("EHLO daypost.example")
        lines = wire.reply()
    assert lines == ["250-smtp.gmail.com at your service, [127.0.0.1]", *OFFERED_AFTER_TLS]


def test_it_offers_starttls_and_no_auth_before_tls(gmail: PracticeGmail) -> None:
    with Wire(gmail, tls=False) as wire:
        wire.reply()
        wire.say("EHLO daypost.example")
        lines = wire.reply()
        assert "250-STARTTLS" in lines
        assert not [line for line in lines if "AUTH" in line]
        for command in ["AUTH PLAIN AGE=", f"MAIL FROM:<{ANA}>", "DATA", "VRFY ana", "NONSENSE"]:
            assert wire.ask(command).startswith("530 5.7.0 Must issue a STARTTLS command first")
        for command in ["HELO daypost.example", "NOOP", "RSET"]:
            assert wire.ask(command).startswith("250 ")
        assert wire.ask("QUIT").startswith("221 2.0.0 closing connection")
        assert wire.closed()


def test_it_offers_auth_and_no_starttls_after_starttls(gmail: PracticeGmail) -> None:
    with Wire(gmail, tls=False) as wire:
        wire.reply()
        wire.ask("EHLO daypost.example")
        assert wire.ask("STARTTLS").startswith("220 2.0.0 Ready to start TLS")
        wire.socket = wire.secure(wire.socket)
        assert wire.ask("AUTH PLAIN AGE=").startswith("503 5.5.1 EHLO/HELO first")
        wire.say("EHLO daypost.example")
        assert wire.reply()[1:] == OFFERED_AFTER_TLS
        assert wire.ask("STARTTLS").startswith("503 ")


def test_it_forgets_what_was_said_in_plain_text_behind_starttls(gmail: PracticeGmail) -> None:
    with Wire(gmail, tls=False) as wire:
        wire.reply()
        wire.ask("EHLO daypost.example")
        wire.socket.sendall(b"STARTTLS\r\nNOOP\r\nEHLO injec")
        assert wire.reply()[0].startswith("220 ")
        wire.socket = wire.secure(wire.socket)
        # Were NOOP or the half EHLO still there, their replies would come first.
        assert wire.ask("RSET").startswith("250 2.1.5 Flushed")


def test_it_speaks_only_tls_on_the_first_smtp_port(gmail: PracticeGmail) -> None:
    address = ("127.0.0.1", int(gmail.env["GMAIL_SMTP_SSL_PORT"]))
    with socket.create_connection(address, timeout=10) as plain:
        plain.sendall(b"EHLO daypost.example\r\n")
        assert not plain.recv(1000).startswith(b"2")
    with Wire(gmail) as wire:
        assert isinstance(wire.socket, ssl.SSLSocket)
        assert wire.socket.version() in ("TLSv1.2", "TLSv1.3")


def test_it_wants_a_login_first(gmail: PracticeGmail) -> None:
    with smtp_ssl(gmail) as client:
        code, reply = client.mail(ANA)
        assert code == 530
        assert reply.startswith(b"5.7.0 Authentication Required.")
        assert client.noop()[0] == 250
        assert client.rset()[0] == 250


def test_it_wants_commands_in_their_order(gmail: PracticeGmail) -> None:
    with Wire(gmail) as wire:
        wire.hello()
        assert wire.ask("DATA").startswith("503 5.5.1 MAIL first.")
        assert wire.ask("RCPT TO:<ben@example.org>").startswith("503 5.5.1 MAIL first.")
        assert wire.ask(f"MAIL FROM:<{ANA}>").startswith("250 2.1.0 OK ")
        assert wire.ask(f"MAIL FROM:<{ANA}>").startswith("503 5.5.1 ")
        assert wire.ask("DATA").startswith("503 5.5.1 RCPT first.")
        assert wire.ask("AUTH PLAIN AGE=").startswith("503 5.7.0 No identity changes permitted.")
        assert wire.ask("RSET").startswith("250 2.1.5 Flushed ")
        assert wire.ask("RCPT TO:<ben@example.org>").startswith("503 5.5.1 MAIL first.")
        assert wire.ask("VRFY ben").startswith("252 2.1.5 ")
        assert wire.ask("EXPN ben").startswith("502 5.5.1 Unrecognized command.")


@pytest.mark.parametrize(
    ("address", "reply"),
    [
        ("ben@localhost", "553-5.1.2 "),
        ("ben@example..org", "553-5.1.2 "),
        ("ben@example.org.", "553-5.1.2 "),
        ("ben@-example.org", "553-5.1.2 "),
        ("ben@exa_mple.org", "553-5.1.2 "),
        ("ben", "553-5.1.3 "),
        ("", "553-5.1.3 "),
        ("@example.org", "553-5.1.3 "),
        ("ben.@example.org", "553-5.1.3 "),
        ("b..en@example.org", "553-5.1.3 "),
        ("a@b@example.org", "553-5.1.3 "),
        ("(ben)@example.org", "553-5.1.3 "),
        ("b" * 65 + "@example.org", "553-5.1.3 "),
        ("bén@example.org", "553-5.1.3 "),
        ("ben@example.org", "250 2.1.5 OK "),
        ("ben+tag@sub.example.org", "250 2.1.5 OK "),
        ('"ben smith"@example.org', "250 2.1.5 OK "),
        ('"ben>"@example.org', "250 2.1.5 OK "),
        ("b" * 64 + "@example.org", "250 2.1.5 OK "),
    ],
)
def test_it_judges_recipients(gmail: PracticeGmail, address: str, reply: str) -> None:
    with Wire(gmail) as wire:
        wire.hello()
        wire.ask(f"MAIL FROM:<{ANA}>")
        assert wire.ask(f"RCPT TO:<{address}>").startswith(reply)


def test_it_goes_on_after_a_refused_recipient_and_lists_the_refusal(gmail: PracticeGmail) -> None:
    before, refused = len(gmail.ledger()), len(gmail.refused())
    with Wire(gmail) as wire:
        wire.hello()
        wire.ask(f"MAIL FROM:<{ANA}>")
        assert wire.ask("RCPT TO:<ben@nowhere>").startswith("553-5.1.2 ")
        assert wire.ask("RCPT TO:<ben@example.org>").startswith("250 ")
        assert wire.ask("DATA").startswith("354 ")
        wire.say(mail(), ".")
        assert wire.reply()[0].startswith("250 ")
    assert [row["to"] for row in gmail.ledger()[before:]] == ["ben@example.org"]
    (row,) = gmail.refused()[refused:]
    assert (row["account"], row["to"]) == (ANA, "ben@nowhere")
    assert row["reply"].startswith("553 5.1.2 We weren't able to find the recipient domain.")


@pytest.mark.parametrize(
    ("command", "reply"),
    [
        ("MAIL FROM:ana@gmail.com", "555 5.5.2 Syntax error."),
        ("MAIL ana", "555 5.5.2 "),
        ("MAIL FROM:<ana@gmail.com> NONSENSE=1", "555 5.5.2 "),
        ("MAIL FROM:<ana@gmail.com> SIZE=big", "555 5.5.2 "),
        ("MAIL FROM:<ana>", "553-5.1.7 The sender address <ana> is not a valid RFC 5321"),
        ("MAIL FROM:<ana@gmail.com> SIZE=35882578", "552-5.3.4 Your message exceeded Google's"),
        ("MAIL FROM:<ana@gmail.com> SIZE=35882577 BODY=8BITMIME SMTPUTF8", "250 2.1.0 OK "),
        ("mail from: <ana@gmail.com>", "250 2.1.0 OK "),
        ("MAIL FROM:<>", "250 2.1.0 OK "),
        (b"MAIL FROM:<\xff@gmail.com>", "555 5.5.2 "),
    ],
)
def test_it_judges_senders(gmail: PracticeGmail, command: str | bytes, reply: str) -> None:
    with Wire(gmail) as wire:
        assert wire.hello().ask(command).startswith(reply)


def test_it_takes_an_international_recipient_when_asked_to(gmail: PracticeGmail) -> None:
    before = len(gmail.ledger())
    with Wire(gmail) as wire:
        wire.hello()
        wire.ask(f"MAIL FROM:<{ANA}> SMTPUTF8")
        assert wire.ask("RCPT TO:<bén@exämple.org>").startswith("250 ")
        wire.ask("DATA")
        wire.say(mail(), ".")
        assert wire.reply()[0].startswith("250 ")
    assert gmail.ledger()[before]["to"] == "bén@exämple.org"


def test_it_takes_100_recipients_a_message_and_no_more(gmail: PracticeGmail) -> None:
    before = len(gmail.ledger())
    with logged_in(gmail) as client:
        client.mail(ANA)
        for number in range(100):
            assert client.rcpt(f"p{number}@example.org")[0] == 250
        code, reply = client.rcpt("p100@example.org")
        assert code == 452
        assert reply.startswith(b"4.5.3 Your message has too many recipients.")
        # One that is there already counts once, so it is no recipient too many.
        assert client.rcpt("P7@example.org")[0] == 250
        assert client.data(mail())[0] == 250
    (row,) = gmail.ledger()[before:]
    assert row["recipients"] == 100
    assert row["to"].split(", ")[99] == "p99@example.org"


def test_it_answers_a_pipeline_in_its_order(gmail: PracticeGmail) -> None:
    with Wire(gmail) as wire:
        wire.hello()
        body = mail().encode()
        wire.say(
            f"MAIL FROM:<{ANA}>", "RCPT TO:<ben@example.org>", "DATA", body + b".",
            f"MAIL FROM:<{ANA}>", "RCPT TO:<nobody>", "RCPT TO:<cleo@example.org>", "DATA",
            body + b".", "NOOP", "QUIT",
        )  # fmt: skip
        codes = [wire.reply()[0][:3] for _ in range(11)]
        expected = "250 250 354 250 250 553 250 354 250 250 221"
        assert " ".join(codes) == expected
        assert wire.closed()
    assert [row["to"] for row in gmail.ledger()[-2:]] == ["ben@example.org", "cleo@example.org"]


def test_it_refuses_a_command_line_that_is_too_long(gmail: PracticeGmail) -> None:
    with Wire(gmail) as wire:
        wire.hello()
        assert wire.ask("NOOP " + "x" * 700).startswith("555-5.5.2 command line too long")
        assert wire.ask("NOOP").startswith("250 ")
        wire.socket.sendall(b"x" * 20_000)
        assert wire.reply()[0].startswith("555-5.5.2 ")
        assert wire.closed()


def test_it_closes_a_connection_that_stays_silent(tmp_path: Path) -> None:
    accounts = [f"{ANA}:{ANA_PASSWORD}"]
    with (
        PracticeGmail(tmp_path / "gmail", accounts=accounts, idle_timeout=0.4) as gmail,
        Wire(gmail) as wire,
    ):
        wire.hello()
        started = time.monotonic()
        assert wire.reply()[0].startswith("451 4.4.2 Timeout - closing connection.")
        assert time.monotonic() - started > 0.3
        assert wire.closed()


def test_it_counts_the_silence_from_the_last_word(tmp_path: Path) -> None:
    accounts = [f"{ANA}:{ANA_PASSWORD}"]
    with (
        PracticeGmail(tmp_path / "gmail", accounts=accounts, idle_timeout=2.0) as gmail,
        logged_in(gmail) as client,
    ):
        for _ in range(3):
            time.sleep(0.8)
            assert client.noop()[0] == 250
        assert deliver(client, "ben@example.org")[0] == 250
