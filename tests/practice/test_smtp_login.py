"""Who may send: XOAUTH2, OAUTHBEARER, PLAIN and LOGIN, and how Gmail refuses."""

import base64
import json
import smtplib

import pytest

from tests.practice.clients import (
    ANA,
    BEN,
    OAuthClient,
    Wire,
    deliver,
    logged_in,
    smtp_ssl,
    xoauth2,
)
from tests.practice_gmail import PracticeGmail

REFUSED = [
    "535-5.7.8 Username and Password not accepted. For more information, go to",
    "535 5.7.8  https://support.google.com/mail/?p=BadCredentials ",
]


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def assert_refused(lines: list[str]) -> None:
    assert lines[0] == REFUSED[0]
    assert lines[1].startswith(REFUSED[1])


@pytest.fixture(scope="module")
def token(shared_gmail: PracticeGmail) -> str:
    return str(OAuthClient(shared_gmail).connect()["access_token"])


def test_it_takes_a_token_with_an_initial_response(gmail: PracticeGmail, token: str) -> None:
    with Wire(gmail) as wire:
        wire.hello(None)
        assert wire.ask(f"AUTH XOAUTH2 {xoauth2(ANA, token)}").startswith("235 2.7.0 Accepted ")
        assert wire.ask(f"MAIL FROM:<{ANA}>").startswith("250 ")


def test_it_takes_a_token_without_an_initial_response(gmail: PracticeGmail, token: str) -> None:
    with Wire(gmail) as wire:
        wire.hello(None)
        assert wire.ask("auth xoauth2") == "334 "
        assert wire.ask(xoauth2("ANA@gmail.com", token)).startswith("235 2.7.0 Accepted ")


def test_it_says_why_a_token_is_bad_before_it_refuses(gmail: PracticeGmail) -> None:
    with Wire(gmail) as wire:
        wire.hello(None)
        code, _, reason = wire.ask(f"AUTH XOAUTH2 {xoauth2(ANA, 'ya29.nonsense')}").partition(" ")
        assert code == "334"
        assert json.loads(base64.b64decode(reason)) == {
            "status": "400",
            "schemes": "Bearer",
            "scope": "https://mail.google.com/",
        }
        wire.say("")
        assert_refused(wire.reply())
        assert wire.ask(f"MAIL FROM:<{ANA}>").startswith("530-5.7.0 ")


def test_it_refuses_a_token_of_another_account(gmail: PracticeGmail, token: str) -> None:
    with Wire(gmail) as wire:
        wire.hello(None)
        assert wire.ask(f"AUTH XOAUTH2 {xoauth2(BEN, token)}").startswith("334 ")
        wire.say("")
        assert_refused(wire.reply())


def test_it_refuses_a_token_without_access_to_mail(gmail: PracticeGmail) -> None:
    token = OAuthClient(gmail).connect(scope="openid email")["access_token"]
    with Wire(gmail) as wire:
        wire.hello(None)
        assert wire.ask(f"AUTH XOAUTH2 {xoauth2(ANA, token)}").startswith("334 ")


def test_it_refuses_a_token_that_has_expired_by_the_practice_clock(
    gmail: PracticeGmail, token: str
) -> None:
    with smtp_ssl(gmail) as client:
        gmail.control(clock_offset=3601)
        assert client.docmd("AUTH", f"XOAUTH2 {xoauth2(ANA, token)}")[0] == 334
        assert client.docmd("")[0] == 535
        gmail.control(clock_offset=0)
        assert client.docmd("AUTH", f"XOAUTH2 {xoauth2(ANA, token)}")[0] == 235


def test_it_refuses_an_initial_response_that_is_too_long(gmail: PracticeGmail) -> None:
    long = xoauth2(ANA, "ya29." + "x" * 600)
    with Wire(gmail) as wire:
        wire.hello(None)
        assert wire.ask(f"AUTH XOAUTH2 {long}").startswith("555-5.5.2 command line too long")
        # The same is judged on its merits when it comes by itself, and is refused only for those.
        assert wire.ask("AUTH XOAUTH2") == "334 "
        assert wire.ask(long).startswith("334 ey")


def test_it_hands_out_tokens_long_enough_to_practise_with(token: str) -> None:
    assert token.startswith("ya29.")
    assert len(token) > 200


def test_it_takes_a_token_by_oauthbearer(gmail: PracticeGmail, token: str) -> None:
    good = b64(f"n,a={ANA},\1host=smtp.gmail.com\1port=465\1auth=Bearer {token}\1\1")
    bad = b64(f"n,a={ANA},\1auth=Bearer nonsense\1\1")
    with Wire(gmail) as wire:
        wire.hello(None)
        assert wire.ask(f"AUTH OAUTHBEARER {bad}").startswith("334 ")
        wire.say("AQ==")
        assert_refused(wire.reply())
        assert wire.ask(f"AUTH OAUTHBEARER {good}").startswith("235 ")


@pytest.mark.parametrize(
    "password", ["abcdefghijklmnop", "abcd efgh ijkl mnop", " abcdefgh ijklmnop "]
)
def test_it_does_not_mind_spaces_in_an_app_password(gmail: PracticeGmail, password: str) -> None:
    with Wire(gmail) as wire:
        wire.hello(None)
        assert wire.ask(f"AUTH PLAIN {b64(f'{chr(0)}{ANA}{chr(0)}{password}')}").startswith("235 ")
    with Wire(gmail) as wire:
        wire.hello(None)
        assert wire.ask("AUTH LOGIN") == f"334 {b64('Username:')}"
        assert wire.ask(b64(ANA)) == f"334 {b64('Password:')}"
        assert wire.ask(b64(password)).startswith("235 ")


def test_it_takes_the_user_name_as_initial_response_of_login(gmail: PracticeGmail) -> None:
    with Wire(gmail) as wire:
        wire.hello(None)
        assert wire.ask(f"AUTH LOGIN {b64(ANA)}") == f"334 {b64('Password:')}"
        assert wire.ask(b64("abcdefghijklmnop")).startswith("235 ")


@pytest.mark.parametrize(
    ("user", "password"),
    [
        (ANA, "wrongwrongwrongw"),
        (ANA, "ABCDEFGHIJKLMNOP"),
        (ANA, ""),
        ("nobody@gmail.com", "abcdefghijklmnop"),
        (BEN, "abcdefghijklmnop"),
    ],
)
def test_it_refuses_what_is_not_the_app_password(
    gmail: PracticeGmail, user: str, password: str
) -> None:
    with smtp_ssl(gmail) as client, pytest.raises(smtplib.SMTPAuthenticationError) as refusal:
        client.login(user, password, initial_response_ok=False)
    assert refusal.value.smtp_code == 535
    assert b"5.7.8 Username and Password not accepted." in refusal.value.smtp_error


def test_it_refuses_mechanisms_and_answers_that_make_no_sense(gmail: PracticeGmail) -> None:
    with Wire(gmail) as wire:
        wire.hello(None)
        for mechanism in ["CRAM-MD5", "XOAUTH", "PLAIN-CLIENTTOKEN", ""]:
            assert wire.ask(f"AUTH {mechanism}").startswith("504 5.7.4 Unrecognized")
        assert wire.ask("AUTH PLAIN") == "334 "
        assert wire.ask("not base64!").startswith("501 5.5.2 Cannot Decode response")
        assert wire.ask("AUTH PLAIN") == "334 "
        assert wire.ask("*").startswith("501 5.7.0 ")
        wire.say("AUTH PLAIN =")
        assert_refused(wire.reply())
        wire.say(f"AUTH PLAIN {b64('nothing but this')}")
        assert_refused(wire.reply())
        assert wire.ask("NOOP").startswith("250 ")


def test_it_lets_each_account_send_for_itself(gmail: PracticeGmail) -> None:
    before = len(gmail.ledger())
    for account in (ANA, BEN):
        with logged_in(gmail, account) as client:
            assert deliver(client, "cleo@example.org")[0] == 250
    assert [row["account"] for row in gmail.ledger()[before:]] == [ANA, BEN]
