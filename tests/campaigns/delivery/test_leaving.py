"""The address and the subject of a mail by which somebody leaves."""

import pytest

from campaigns import tokens
from campaigns.delivery import leaving
from campaigns.tokens import Purpose

TOKEN = tokens.make(Purpose.OPT_OUT_BY_MAIL, 17)


def nameless(value: str) -> str:
    """Processes that share the tests have keys of their own, and must call the tests alike."""
    return "one"


def test_it_marks_the_address_and_the_subject() -> None:
    link = leaving.opt_out_link("ana@gmail.com", 17)
    assert link == f"mailto:ana+{TOKEN}@gmail.com?subject=unsubscribe%20{TOKEN}"


@pytest.mark.parametrize(
    ("address", "before"),
    [
        ("ana+shop@gmail.com", f"mailto:ana+shop+{TOKEN}@gmail.com?"),
        ("a&b?c%d@example.com", f"mailto:a%26b%3Fc%25d+{TOKEN}@example.com?"),
        ("ana@münchen.de", f"mailto:ana+{TOKEN}@xn--mnchen-3ya.de?"),
        ('"ana maria"@example.com', "mailto:%22ana%20maria%22@example.com?"),
    ],
    ids=nameless,
)
def test_it_writes_the_address_as_a_link_wants_it(address: str, before: str) -> None:
    assert leaving.opt_out_link(address, 17).startswith(before)


def test_it_fills_the_local_part_to_its_last_octet_and_no_further() -> None:
    """RFC 5321 4.5.3.1.1: 64. Where the token has no room it stands in the subject alone."""
    fits, too_long = "a" * 37 + "@gmail.com", "a" * 38 + "@gmail.com"
    assert leaving.opt_out_address(fits, 17) == f"{'a' * 37}+{TOKEN}@gmail.com"
    assert leaving.opt_out_address(too_long, 17) == too_long
    assert TOKEN in leaving.opt_out_link(too_long, 17)


@pytest.mark.parametrize(
    "address",
    [
        f"ana+{TOKEN}@gmail.com",
        f"ANA+{TOKEN.upper()}@GMAIL.COM",
        f"<a.na+{TOKEN}@googlemail.com>",
        f"ana+shop+{TOKEN.title()}@gmail.com",
    ],
    ids=nameless,
)
def test_it_knows_the_message_by_the_address(address: str) -> None:
    assert leaving.message_in_address(address) == 17


@pytest.mark.parametrize(
    "subject",
    [
        f"unsubscribe {TOKEN}",
        f"Re: Unsubscribe {TOKEN.upper()}",
        f"Fwd: unsubscribe <{TOKEN}>.",
        f"unsubscribe {'a' * 26} {TOKEN}",
    ],
    ids=nameless,
)
def test_it_knows_the_message_by_the_subject(subject: str) -> None:
    assert leaving.message_in_subject(subject) == 17


@pytest.mark.parametrize(
    "other",
    [
        "",
        "ana@gmail.com",
        "ana+shop@gmail.com",
        f"{TOKEN}@gmail.com",
        f"ana+{TOKEN}",
        f"ana+{TOKEN[:-1]}@gmail.com",
        f"ana+{TOKEN}a@gmail.com",
        f"ana+{'ä' * 26}@gmail.com",
        f"ana+{tokens.make(Purpose.LEAVE, 17)}@gmail.com",
    ],
    ids=nameless,
)
def test_it_takes_nothing_else_for_a_token(other: str) -> None:
    assert leaving.message_in_address(other) is None
    if TOKEN not in other:
        assert leaving.message_in_subject(other) is None


def test_it_looks_at_the_addresses_before_the_subject() -> None:
    other = tokens.make(Purpose.OPT_OUT_BY_MAIL, 18)
    to = ["bo@example.org", f"ana+{TOKEN}@gmail.com"]
    assert leaving.message_in_mail(to, f"unsubscribe {other}") == 17
    assert leaving.message_in_mail(["ana@gmail.com"], f"unsubscribe {other}") == 18
    assert leaving.message_in_mail(["ana@gmail.com"], "unsubscribe") is None
