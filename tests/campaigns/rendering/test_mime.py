import email
import re
import time
from datetime import UTC, datetime, timedelta, timezone
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import default
from email.utils import parseaddr
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns.rendering.mime import Address, MessageError, build, is_valid_message_id, one_line

DATE = datetime(2026, 11, 5, 9, 30, tzinfo=UTC)
PLAIN: dict[str, Any] = {
    "sender": Address("Ana Example", "ana@gmail.com"),
    "to": Address("Bo", "bo@example.com"),
    "subject": "Hello",
    "html": "<p>Hi</p>",
    "text": "Hi",
    "message_id": "<abc.def@example.com>",
    "date": DATE,
    "headers": {},
}


def built(**changes: object) -> bytes:
    return build(**(PLAIN | changes))


def parsed(raw: bytes) -> EmailMessage:
    message = email.message_from_bytes(raw, policy=default)
    assert isinstance(message, EmailMessage)
    return message


def address_in(raw: bytes, header: str) -> Address:
    """Read with the older parser: the newer one puts spaces between encoded words in a phrase,
    against RFC 2047 6.2."""
    value = str(email.message_from_bytes(raw)[header])
    name, addr_spec = parseaddr(value)
    return Address(str(make_header(decode_header(name))), addr_spec)


def assert_on_the_wire(raw: bytes) -> None:
    """CRLF alone ends a line, no line is too long, nothing but ASCII (RFC 5322 2.1.1, 2.3)."""
    assert raw.endswith(b"\r\n")
    assert raw.count(b"\r") == raw.count(b"\n") == raw.count(b"\r\n")
    assert all(len(line) <= 998 for line in raw.split(b"\r\n"))
    assert raw.isascii()


def test_it_writes_a_message_with_two_parts() -> None:
    raw = built(headers={"List-Unsubscribe": "<mailto:ana+x@gmail.com>"})
    assert_on_the_wire(raw)
    message = parsed(raw)
    assert message["From"] == "Ana Example <ana@gmail.com>"
    assert message["To"] == "Bo <bo@example.com>"
    assert message["Subject"] == "Hello"
    assert message["Date"].datetime == DATE
    assert message["Message-ID"] == "<abc.def@example.com>"
    assert message["List-Unsubscribe"] == "<mailto:ana+x@gmail.com>"
    assert message["MIME-Version"] == "1.0"
    assert message.get_content_type() == "multipart/alternative"
    text, html = message.iter_parts()
    assert text.get_content_type() == "text/plain"
    assert html.get_content_type() == "text/html"
    assert text.get_content() == "Hi\r\n"
    assert html.get_content() == "<p>Hi</p>\r\n"
    assert not message.defects
    assert len(message.items()) == 8


def test_it_writes_the_same_octets_for_the_same_message() -> None:
    assert built() == built()


def test_it_keeps_the_zone_of_the_date() -> None:
    date = datetime(2026, 11, 5, 9, 30, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    assert b"\r\nDate: Thu, 05 Nov 2026 09:30:00 +0530\r\n" in built(date=date)
    with pytest.raises(MessageError):
        built(date=date.replace(tzinfo=None))


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Ana",
        "Ana B. Example",
        'Ana "The Cat" Example',
        "Back\\slash",
        "Example, Ana (x) <y@z>; @",
        "Zoë",
        "Аня Примерова",
        "山田 太郎",
        "👩‍👩‍👧 Family",
        "مريم",
        "=?utf-8?q?x?=",
        "A very long name " * 8,
        "Ünï " * 40,
        "x" * 200,
        "two  spaces",
        "ana@example.org",
        "Ana <ana@example.org>",
        "Müller, Ana; (Köln)",
        '"',
        "\\",
        "שלום עולם, Ltd.",
        "\u202bמרים\u202c",
        "نگار نمی\u200cدانم",
        "🏳️‍🌈" * 60,
        "名" * 200,
        " \u00a0\u3000 ",
    ],
)
def test_it_writes_names_in_any_script(name: str) -> None:
    raw = built(sender=Address(name, "ana@gmail.com"), to=Address(name, "bo@example.com"))
    assert_on_the_wire(raw)
    assert address_in(raw, "From") == Address(name.strip(), "ana@gmail.com")
    assert address_in(raw, "To") == Address(name.strip(), "bo@example.com")


@pytest.mark.parametrize(
    "subject",
    [
        "",
        "Hello, world: 100 % off?",
        "Größe 42 für Zoë",
        "=?utf-8?b?eA==?=",
        "word " * 60,
        "x" * 2000,
        "名" * 500,
        "two  spaces and " + "more   " * 30 + "end",
        "a" * 70 + " " + "b" * 900 + " c",
    ],
)
def test_it_writes_subjects_of_any_kind_and_length(subject: str) -> None:
    raw = built(subject=subject)
    assert_on_the_wire(raw)
    assert parsed(raw)["Subject"] == subject.strip()


HEADER_TEXT = st.text(st.characters(codec="utf-8"), max_size=200)


@settings(deadline=None)
@given(HEADER_TEXT)
def test_it_round_trips_any_subject(subject: str) -> None:
    raw = built(subject=subject)
    assert_on_the_wire(raw)
    assert parsed(raw)["Subject"] == one_line(subject)
    assert len(parsed(raw).items()) == 7


@settings(deadline=None)
@given(HEADER_TEXT)
def test_it_round_trips_any_name(name: str) -> None:
    raw = built(to=Address(name, "bo@example.com"))
    assert_on_the_wire(raw)
    assert address_in(raw, "To") == Address(one_line(name), "bo@example.com")
    assert len(parsed(raw).items()) == 7


@settings(deadline=None)
@given(st.text(), st.text())
def test_it_round_trips_any_content(text: str, html: str) -> None:
    raw = built(text=text, html=html)
    assert_on_the_wire(raw)
    plain_part, html_part = parsed(raw).iter_parts()
    assert lines_of(plain_part.get_payload(decode=True)) == lines_of(text)
    assert lines_of(html_part.get_payload(decode=True)) == lines_of(html)


def lines_of(content: object) -> str:
    if isinstance(content, str):
        content = content.encode("utf-8", "replace")
    assert isinstance(content, bytes)
    text = re.sub("\r\n?", "\n", content.decode())
    return text if text.endswith("\n") else text + "\n"


@pytest.mark.parametrize(
    "text", ["x" * 5000, "é" * 5000, "名" * 5000, "a \n" * 50, "x\n.\n..\nFrom x\n"]
)
def test_it_keeps_lines_short_in_any_script(text: str) -> None:
    raw = built(text=text, html=f"<p>{text}</p>")
    assert max(len(line) for line in raw.split(b"\r\n")) <= 120
    plain_part, _html = parsed(raw).iter_parts()
    assert lines_of(plain_part.get_payload(decode=True)) == lines_of(text)
    body = raw.partition(b"\r\n\r\n")[2]
    assert not re.search(rb"[ \t]\r\n", body)


def test_it_writes_scripts_that_are_not_latin_in_base64() -> None:
    raw = built(text="名" * 100)
    assert raw.count(b"Content-Transfer-Encoding: base64") == 1
    assert raw.count(b"Content-Transfer-Encoding: quoted-printable") == 1


INJECTIONS = [
    "x\r\nBcc: all@example.com",
    "x\nBcc: a@b",
    "x\rBcc: a@b",
    "x\u2028Bcc: a@b",
    "\x00x\x0b",
]


@pytest.mark.parametrize("value", INJECTIONS)
def test_it_lets_no_name_or_subject_make_a_header(value: str) -> None:
    raw = built(
        subject=value, sender=Address(value, "ana@gmail.com"), to=Address(value, "bo@example.com")
    )
    assert_on_the_wire(raw)
    message = parsed(raw)
    assert message["Bcc"] is None
    assert len(message.items()) == 7
    assert message["Subject"] == one_line(value)


@pytest.mark.parametrize("value", INJECTIONS)
def test_it_refuses_line_ends_elsewhere(value: str) -> None:
    with pytest.raises(MessageError):
        built(headers={"X-Test": value})
    with pytest.raises(MessageError):
        built(headers={value: "x"})
    with pytest.raises(MessageError):
        built(message_id=f"<a@{value}>")
    for party in ("sender", "to"):
        with pytest.raises(MessageError):
            built(**{party: Address("x", f"{value}@example.com")})
        with pytest.raises(MessageError):
            built(**{party: Address("x", f"a@example.com{value}")})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Subject", "x"),
        ("bcc", "a@example.com"),
        ("Reply-To", "a@example.com"),
        ("Sender", "a@example.com"),
        ("Content-Type", "text/plain"),
        ("X Y", "x"),
        ("", "x"),
        ("X-Test", "é"),
        ("X-Test", ""),
        ("X-Test", "x" * 2000),
    ],
)
def test_it_refuses_headers_that_are_not_plain(name: str, value: str) -> None:
    with pytest.raises(MessageError):
        built(headers={name: value})


def test_it_folds_long_headers_where_they_may_be() -> None:
    value = f"<https://example.com/u/{'a' * 100}>, <mailto:ana+{'b' * 60}@gmail.com?subject=x>"
    raw = built(
        headers={"List-Unsubscribe": value, "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    )
    assert_on_the_wire(raw)
    message = parsed(raw)
    assert message["List-Unsubscribe"] == value
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert b">,\r\n <mailto:" in raw


@pytest.mark.parametrize(
    ("given_address", "written"),
    [
        ("bo@münchen.de", "bo@xn--mnchen-3ya.de"),
        ("bo@straße.de", "bo@xn--strae-oqa.de"),
        ("bo@例え.jp", "bo@xn--r8jz45g.jp"),
        ("Bo.X+y@Example.COM", "Bo.X+y@Example.COM"),
        ('"b o"@example.com', '"b o"@example.com'),
        ("bo@practice.test", "bo@practice.test"),
    ],
)
def test_it_writes_addresses_in_ascii(given_address: str, written: str) -> None:
    raw = built(to=Address("", given_address))
    assert f"\r\nTo: {written}\r\n".encode() in raw


def test_it_writes_addresses_in_ascii_wherever_they_stand() -> None:
    shop = "shop@münchen.de"
    raw = built(sender=Address("Müller, Köln", shop), reply_to=shop)
    assert_on_the_wire(raw)
    assert address_in(raw, "From") == Address("Müller, Köln", "shop@xn--mnchen-3ya.de")
    assert b"\r\nReply-To: shop@xn--mnchen-3ya.de\r\n" in raw


def test_it_says_where_answers_go_only_where_that_is_somewhere_else() -> None:
    assert parsed(built())["Reply-To"] is None
    assert parsed(built(reply_to="desk@example.com"))["Reply-To"] == "desk@example.com"
    with pytest.raises(MessageError):
        built(reply_to="desk@example.com\r\nBcc: all@example.com")


@pytest.mark.parametrize(
    "address", ["", "x", "@", "a@", "@example.com", "a b@example.com", "a@b@c.de", "a@ex ample.com",
                "a@-x.de", "a..b@x.de", "<a@x.de>", "a@x.de, b@x.de", "a@" + "x" * 70 + ".de"]
)  # fmt: skip
def test_it_refuses_what_is_no_address(address: str) -> None:
    with pytest.raises(MessageError, match="is not an address"):
        built(to=Address("x", address))


def test_it_refuses_a_local_part_that_is_not_ascii() -> None:
    with pytest.raises(MessageError, match="cannot be sent to yet"):
        built(to=Address("x", "zoë@example.com"))


@pytest.mark.parametrize(
    ("value", "valid"),
    [
        ("<a@b>", True),
        ("<a.b-c_d@mail.example.com>", True),
        ("<a@b.>", False),
        ("<a.@b>", False),
        ("<.a@b>", False),
        ("<a..b@c>", False),
        ("<a@b@c>", False),
        ("a@b", False),
        ("<a>", False),
        ("<a@b>\n", False),
        ("<a b@c>", False),
        ("<ä@b>", False),
        ("<" + "a" * 300 + "@b>", False),
    ],
)
def test_it_knows_the_message_ids_that_gmail_keeps(value: str, valid: bool) -> None:
    assert is_valid_message_id(value) is valid


def test_it_builds_at_least_400_messages_a_second() -> None:
    html = '<p style="color: red">Grüße, {n} = 5</p>\n' * 60
    text = "Grüße, 5 = 5\n" * 100
    started = time.process_time()
    for n in range(400):
        built(html=html, text=text, subject=f"Größe {n}", to=Address("Zoë", f"a{n}@example.com"))
    assert time.process_time() - started < 1
