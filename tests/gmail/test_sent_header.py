from email.utils import formataddr

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gmail.sent_header import SentHeader

FORTY = ", ".join(f"p{number}@example.org" for number in range(40))


def recipients(*lines: str) -> int:
    return SentHeader.read("\r\n".join([*lines, "", ""]).encode()).recipients


@pytest.mark.parametrize(
    ("lines", "count"),
    [
        (["To: a@example.org"], 1),
        (["To: a@example.org, b@example.org", "Cc: c@example.org", "Bcc: d@example.org"], 4),
        (["To: A@Example.org, a@example.org", "Cc: a@EXAMPLE.ORG"], 1),
        ([f"To: {FORTY}"], 40),
        (["To: " + FORTY.replace(", ", ",\r\n ")], 40),
        (["To: a@example.org", "To: b@example.org"], 2),
        (["To: Team: a@example.org, B <b@example.org>;, c@example.org"], 3),
        (["To: undisclosed-recipients:;", "Bcc: a@example.org, b@example.org"], 2),
        (['To: "Doe, Jane (at j@old.example)" <jane@example.org>'], 1),
        (["To: jane@example.org (also j@old.example)"], 1),
        (['To: "ana maria"@example.org, "x" <"b c"@example.org>, d@example.org'], 3),
        (["To: =?utf-8?q?J=C3=B6rg=40home?= <j@example.org>"], 1),
        (["To: jörg@dömain.example, a@[192.0.2.1]"], 2),
        # Wrong quotes and brackets: rather too many than too few.
        ([f'To: "Ana <a@example.org>, {FORTY}'], 41),
        ([f"To: <<{FORTY}"], 40),
        ([f'To: "a" "b@example.org, {FORTY}'], 41),
        (["To: ana"], 1),
        (["To:"], 1),
        (["Subject: no recipient at all"], 1),
        (["no header at all"], 1),
        ([""], 1),
    ],
)
def test_it_counts_each_address_once(lines: list[str], count: int) -> None:
    assert recipients(*lines) == count


def test_it_tells_addresses_apart_that_are_no_text() -> None:
    assert SentHeader.read(b"To: \xe9@example.org, \xe8@example.org\r\n\r\n").recipients == 2


NAMES = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"]), max_size=20)
LOCAL = st.text("abcdefghijklmnopqrstuvwxyz0123456789.+-_'", min_size=1, max_size=12)


@given(st.lists(st.tuples(NAMES, LOCAL), min_size=1, max_size=30))
def test_it_counts_what_a_program_writes(people: list[tuple[str, str]]) -> None:
    addresses = [f"{local}@example.org" for _name, local in people]
    written = [formataddr(pair) for pair in zip((n for n, _ in people), addresses, strict=True)]
    count = recipients("To: " + ",\r\n ".join(written))
    # A name that holds a < or a quote may hide what follows, and then counts as well.
    assert count >= len(set(addresses))
    if not any("@" in name for name, _ in people):
        assert count == len(set(addresses))


@given(st.binary(max_size=300))
def test_it_counts_one_at_least(raw: bytes) -> None:
    assert SentHeader.read(raw).recipients >= 1
    assert SentHeader.read(b"To: " + raw + b"\r\nCc: a@b.example\r\n\r\n").recipients >= 1


def test_it_takes_no_long_time_for_a_long_header() -> None:
    for part in ("a", '"', '"a', "(", "@", "a@", '\\"', "<", '"@'):
        assert recipients(f"To: {part * 20_000}") >= 1


def test_it_reads_every_message_id() -> None:
    raw = (
        b"Message-ID:\r\n <a@example.org>\r\nX-Google-Original-Message-ID: <b.@example.org>\r\n"
        b"References: <c@example.org>\r\nTo: <d@example.org>\r\n\r\n"
    )
    assert SentHeader.read(raw).message_ids == {"<a@example.org>", "<b.@example.org>"}
    assert SentHeader.read(b"To: a@example.org\r\n\r\n").message_ids == set()
