"""Consent, exchange, refresh and revoke against the practice Gmail."""

import logging
import os
import secrets
import time
import traceback
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest

from gmail import oauth
from gmail.endpoints import Endpoints
from gmail.errors import (
    ClientRefused,
    ConsentRefused,
    GmailError,
    GrantRevoked,
    ScopeMissing,
    StateMismatch,
    Unreachable,
)
from gmail.oauth import Consent, Grant
from tests.accounts.doctor.silent_servers import HTTP_HEADER, port_that_trickles
from tests.gmail.cast import ANA, BEN, REDIRECT
from tests.practice_gmail import PracticeGmail


def ask(endpoints: Endpoints) -> Consent:
    return oauth.consent_url(endpoints, REDIRECT)


def answer(endpoints: Endpoints, consent: Consent, location: str) -> Grant:
    return oauth.exchange(endpoints, REDIRECT, consent.state, consent.code_verifier, location)


def connect(gmail: PracticeGmail, endpoints: Endpoints, account: str = ANA) -> Grant:
    consent = ask(endpoints)
    return answer(endpoints, consent, gmail.consent(consent.url, account=account))


def test_it_asks_for_what_it_needs(endpoints: Endpoints) -> None:
    consent = oauth.consent_url(endpoints, REDIRECT, login_hint=ANA)
    asked = {key: value[0] for key, value in parse_qs(urlsplit(consent.url).query).items()}
    assert asked["scope"].split() == ["https://mail.google.com/", "openid", "email"]
    assert asked["access_type"] == "offline"
    assert asked["prompt"] == "consent"
    assert asked["code_challenge_method"] == "S256"
    assert asked["login_hint"] == ANA
    assert asked["state"] == consent.state
    assert consent.code_verifier not in consent.url
    assert ask(endpoints).state != ask(endpoints).state


def test_it_gets_a_grant_for_the_mailbox_that_was_chosen(
    gmail: PracticeGmail, endpoints: Endpoints
) -> None:
    grant = connect(gmail, endpoints, account=BEN)
    assert grant.address == BEN
    assert grant.refresh_token
    assert 3000 < grant.expires_in <= 3600
    assert set(grant.scopes) == {"https://mail.google.com/", "openid", "email"}


def test_it_refreshes_as_often_as_it_needs(gmail: PracticeGmail, endpoints: Endpoints) -> None:
    grant = connect(gmail, endpoints)
    first = oauth.refresh(endpoints, grant.refresh_token)
    second = oauth.refresh(endpoints, grant.refresh_token)
    assert first.token != second.token
    assert 3000 < first.expires_in <= 3600


def test_it_knows_that_a_grant_was_revoked(gmail: PracticeGmail, endpoints: Endpoints) -> None:
    grant = connect(gmail, endpoints)
    gmail.control(revoke=ANA)
    with pytest.raises(GrantRevoked):
        oauth.refresh(endpoints, grant.refresh_token)


def test_it_revokes_a_grant_once_and_for_all(gmail: PracticeGmail, endpoints: Endpoints) -> None:
    grant = connect(gmail, endpoints)
    oauth.revoke(endpoints, grant.refresh_token)
    oauth.revoke(endpoints, grant.refresh_token)
    with pytest.raises(GrantRevoked):
        oauth.refresh(endpoints, grant.refresh_token)


def test_it_knows_that_consent_was_refused(gmail: PracticeGmail, endpoints: Endpoints) -> None:
    consent = ask(endpoints)
    location = gmail.consent(consent.url, account=ANA, allow=False)
    with pytest.raises(ConsentRefused):
        answer(endpoints, consent, location)


def test_it_knows_that_access_to_mail_was_left_out(
    gmail: PracticeGmail, endpoints: Endpoints
) -> None:
    consent = ask(endpoints)
    location = gmail.consent(consent.url, account=ANA, mail=False)
    with pytest.raises(ScopeMissing) as caught:
        answer(endpoints, consent, location)
    assert caught.value.missing == ("https://mail.google.com/",)


def test_it_uses_a_code_once(gmail: PracticeGmail, endpoints: Endpoints) -> None:
    consent = ask(endpoints)
    location = gmail.consent(consent.url, account=ANA)
    answer(endpoints, consent, location)
    with pytest.raises(GrantRevoked):
        answer(endpoints, consent, location)


def test_it_refuses_an_answer_to_another_question(
    gmail: PracticeGmail, endpoints: Endpoints
) -> None:
    mine, theirs = ask(endpoints), ask(endpoints)
    location = gmail.consent(theirs.url, account=BEN)
    with pytest.raises(StateMismatch):
        answer(endpoints, mine, location)
    with pytest.raises(StateMismatch):
        answer(endpoints, mine, f"{REDIRECT}?state={mine.state}")


def test_it_proves_by_pkce_that_it_asked(gmail: PracticeGmail, endpoints: Endpoints) -> None:
    consent = ask(endpoints)
    location = gmail.consent(consent.url, account=ANA)
    with pytest.raises(GrantRevoked):
        answer(endpoints, replace(consent, code_verifier="x" * 64), location)


@pytest.mark.parametrize(
    "wrong", [{"client_id": "1-x.apps.googleusercontent.com"}, {"client_secret": "GOCSPX-wrong"}]
)
def test_it_knows_that_google_does_not_know_the_client(
    gmail: PracticeGmail, endpoints: Endpoints, wrong: dict[str, str]
) -> None:
    grant = connect(gmail, endpoints)
    changed = replace(endpoints, **wrong)
    with pytest.raises(ClientRefused):
        oauth.refresh(changed, grant.refresh_token)
    with pytest.raises(ClientRefused):
        oauth.check_client(changed)
    consent = ask(endpoints)
    with pytest.raises(ClientRefused):
        answer(changed, consent, gmail.consent(consent.url, account=ANA))


def test_it_finds_a_good_client_good(endpoints: Endpoints) -> None:
    oauth.check_client(endpoints)


def test_it_says_that_google_cannot_be_reached(gmail: PracticeGmail, endpoints: Endpoints) -> None:
    nowhere = replace(
        endpoints,
        token_uri="http://127.0.0.1:1/token",
        userinfo_uri="http://127.0.0.1:1/userinfo",
        revoke_uri="http://127.0.0.1:1/revoke",
    )
    with pytest.raises(Unreachable):
        oauth.refresh(nowhere, "1//secret")
    with pytest.raises(Unreachable):
        oauth.revoke(nowhere, "1//secret")


@pytest.mark.parametrize("begin", [HTTP_HEADER, HTTP_HEADER + b"\r\n\r\n"], ids=["header", "body"])
def test_it_does_not_wait_for_an_answer_without_end(endpoints: Endpoints, begin: bytes) -> None:
    with port_that_trickles(begin, b"a") as port:
        here = replace(endpoints, token_uri=f"http://127.0.0.1:{port}/token")
        for ask_google in (
            lambda: oauth.refresh(here, "1//secret", timeout=1),
            lambda: oauth.google_time(here, timeout=1),
        ):
            begun = time.monotonic()
            with pytest.raises(Unreachable, match="in time"):
                ask_google()
            assert time.monotonic() - begun < 10


def test_it_reads_no_answer_of_any_length(
    endpoints: Endpoints, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oauth, "_LONGEST_ANSWER", 100)
    with (
        port_that_trickles(HTTP_HEADER + b"\r\n\r\n", b"a" * 200) as port,
        pytest.raises(Unreachable, match="could not be used"),
    ):
        oauth.refresh(replace(endpoints, token_uri=f"http://127.0.0.1:{port}/token"), "1//x")


def test_it_sends_no_secret_over_plain_http_to_another_machine(endpoints: Endpoints) -> None:
    elsewhere = replace(
        endpoints,
        token_uri="http://192.0.2.1/token",
        userinfo_uri="http://192.0.2.1/userinfo",
        revoke_uri="http://192.0.2.1/revoke",
    )
    for call in (oauth.refresh, oauth.revoke):
        with pytest.raises(Unreachable, match="https"):
            call(elsewhere, "1//secret")


def test_it_leaves_the_process_as_strict_as_it_found_it(
    gmail: PracticeGmail, endpoints: Endpoints
) -> None:
    connect(gmail, endpoints)
    assert "OAUTHLIB_INSECURE_TRANSPORT" not in os.environ
    assert "OAUTHLIB_RELAX_TOKEN_SCOPE" not in os.environ


def test_it_writes_no_secret_into_the_log_or_an_error(
    gmail: PracticeGmail, endpoints: Endpoints, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    consent = ask(endpoints)
    grant = answer(endpoints, consent, gmail.consent(consent.url, account=ANA))
    access = oauth.refresh(endpoints, grant.refresh_token)
    # Built at run time: a traceback shows the source lines of this file as well.
    wrong_secret, wrong_token = secrets.token_hex(12), secrets.token_hex(12)
    nowhere = replace(endpoints, token_uri="http://127.0.0.1:1/token")
    errors: list[GmailError] = []
    for changed in (replace(endpoints, client_secret=wrong_secret), endpoints, nowhere):
        with pytest.raises(GmailError) as caught:
            oauth.refresh(changed, wrong_token)
        errors.append(caught.value)
    assert [type(err) for err in errors] == [ClientRefused, GrantRevoked, Unreachable]
    oauth.revoke(endpoints, grant.refresh_token)
    shown = caplog.text + repr(grant) + repr(access) + repr(consent).replace(consent.url, "")
    shown += "".join("".join(traceback.format_exception(err)) for err in errors)
    assert "POST /token" in caplog.text
    for secret in (
        grant.refresh_token,
        grant.access_token,
        access.token,
        endpoints.client_secret,
        consent.code_verifier,
        wrong_secret,
        wrong_token,
    ):
        assert secret not in shown
