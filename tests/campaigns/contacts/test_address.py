import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from campaigns.contacts.address import (
    BEYOND_ASCII,
    AddressRefused,
    email_key,
    looks_like_address,
    normalise,
)

# A slow machine is no reason to fail.
PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize(
    ("given_as", "email"),
    [
        ("ana@example.org", "ana@example.org"),
        ("  ana@example.org\t", "ana@example.org"),
        ("Ana.Lee@Example.ORG", "Ana.Lee@example.org"),
        ("\u200bana@example.org\ufeff", "ana@example.org"),
        ("ana\u00ad@exam\u200dple.org", "ana@example.org"),
        ("\u00a0ana@example.org\u00a0", "ana@example.org"),
        ("mailto:ana@example.org", "ana@example.org"),
        ("MAILTO:ana@example.org?subject=Hello", "ana@example.org"),
        ("Ana Lee <ana@example.org>", "ana@example.org"),
        ('"Lee, Ana" <mailto:ana@example.org>', "ana@example.org"),
        ("<ana@example.org>", "ana@example.org"),
        ("'ana@example.org'", "ana@example.org"),
        ('"ana@example.org"', "ana@example.org"),
        ("ana@example.org;", "ana@example.org"),
        ("ana@example.org\n", "ana@example.org"),
        ("ana@example.org ::: ana@example.net", "ana@example.org"),
        (" ::: ana@example.net", "ana@example.net"),
        ("ana+tag@example.co.uk", "ana+tag@example.co.uk"),
        ("o'neil_&_{x}@example.org", "o'neil_&_{x}@example.org"),
        ("ana@bücher.example", "ana@xn--bcher-kva.example"),
        ("ana@XN--BCHER-KVA.example", "ana@xn--bcher-kva.example"),
        ("jörg@example.org", "jörg@example.org"),
        ("ana@club.test", "ana@club.test"),
        ("a" * 64 + "@example.org", "a" * 64 + "@example.org"),
    ],
)
def test_it_normalises(given_as, email):
    assert normalise(given_as).email == email


@pytest.mark.parametrize(
    ("given_as", "reason"),
    [
        ("", "missing_email"),
        (" \u200b\u00a0", "missing_email"),
        ("Ana <>", "missing_email"),
        ("ana", "bad_syntax"),
        ("ana@", "bad_syntax"),
        ("@example.org", "bad_syntax"),
        ("ana@localhost", "bad_syntax"),
        ("ana@example..org", "bad_syntax"),
        ("ana@-example.org", "bad_syntax"),
        ("ana..lee@example.org", "bad_syntax"),
        (".ana@example.org", "bad_syntax"),
        ("ana lee@example.org", "bad_syntax"),
        ("ana@example.org, ben@example.org", "bad_syntax"),
        ("ana@@example.org", "bad_syntax"),
        ("ana@127.0.0.1", "bad_syntax"),
        ("ana@[127.0.0.1]", "bad_syntax"),
        ("ana@example.org>", "bad_syntax"),
        ("a" * 65 + "@example.org", "too_long"),
        ("ana@" + "a" * 63 + ("." + "b" * 63) * 3 + ".org", "too_long"),
        ("ana@" + "ü" * 40 + ("." + "ü" * 40) * 5 + ".org", "bad_syntax"),
        ("ana@example.org\nBcc: ben@example.org", "header_injection"),
        ("ana@example.org\r\n\r\nHello", "header_injection"),
        ("ana\u2028@example.org", "header_injection"),
    ],
)
def test_it_refuses(given_as, reason):
    with pytest.raises(AddressRefused) as refused:
        normalise(given_as)
    assert refused.value.reason == reason


def test_it_keeps_the_case_of_the_local_part_but_not_of_the_person():
    assert normalise("Ana@Example.org").email == "Ana@example.org"
    assert email_key("Ana@example.org") == email_key("ANA@example.org") == "ana@example.org"


def test_it_finds_the_name_before_the_address():
    assert normalise('"Ana Lee" <ana@example.org>').display_name == "Ana Lee"


@pytest.mark.parametrize(
    ("domain", "meant"),
    [
        ("gmial.com", "gmail.com"),
        ("gmail.con", "gmail.com"),
        ("gmal.com", "gmail.com"),
        ("hotmial.com", "hotmail.com"),
        ("yahooo.com", "yahoo.com"),
        ("example.con", "example.com"),
        ("gmail.com", None),
        ("googlemail.com", None),
        ("mail.com", None),
        ("ymail.com", None),
        ("gmx.de", None),
        ("example.org", None),
        ("yahoo.co.uk", None),
    ],
)
def test_it_flags_a_mistyped_domain_and_leaves_it(domain, meant):
    address = normalise(f"ana@{domain}")
    assert (address.email, address.suspicious) == (f"ana@{domain}", meant)


def test_it_flags_letters_before_the_at_that_cannot_be_sent_to():
    for email in ("zoë@example.com", "田中@gmial.com"):
        address = normalise(email)
        assert (address.email, address.suspicious) == (email, BEYOND_ASCII)
    assert normalise("zoe@münchen.de").suspicious is None


@PATIENT
@given(st.text())
def test_it_gives_an_address_or_a_reason_for_any_text(text):
    try:
        email = normalise(text).email
    except AddressRefused as refused:
        assert refused.reason in {"missing_email", "bad_syntax", "too_long", "header_injection"}
    else:
        assert looks_like_address(text)
        assert normalise(email).email == email
        assert len(email) <= 254
        assert not set(email) & set("\r\n <>")
        assert email.rpartition("@")[2].isascii()


@PATIENT
@given(st.emails())
def test_it_reads_fast_and_carefully_alike(email):
    try:
        fast = normalise(email)
    except AddressRefused:
        with pytest.raises(AddressRefused):
            normalise(f" {email} ")
    else:
        assert normalise(f" {email} ") == fast
