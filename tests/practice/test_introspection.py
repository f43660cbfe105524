"""The practice Gmail's own token introspection (RFC 7662), which other mail servers ask."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests

from tests.practice.clients import ANA, OAuthClient
from tests.practice_gmail import PracticeGmail


def ask(gmail: PracticeGmail, token: str, secret: str | None = None) -> requests.Response:
    client = (gmail.env["GOOGLE_CLIENT_ID"], secret or gmail.env["GOOGLE_CLIENT_SECRET"])
    uri = f"{gmail.web}/introspect"
    return requests.post(uri, data={"token": token}, auth=client, timeout=10)


def introspect(gmail: PracticeGmail, token: str) -> dict[str, Any]:
    answer = ask(gmail, token)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def test_it_tells_whose_a_good_token_is(gmail: PracticeGmail) -> None:
    oauth = OAuthClient(gmail)
    token = oauth.connect()["access_token"]
    said = introspect(gmail, token)
    assert said["active"] is True
    assert said["username"] == said["email"] == ANA
    assert said["sub"] == oauth.userinfo(token).json()["sub"]
    assert "https://mail.google.com/" in said["scope"].split()
    assert said["client_id"] == gmail.env["GOOGLE_CLIENT_ID"]


def test_it_tells_when_a_token_ends_by_the_practice_clock(gmail: PracticeGmail) -> None:
    gmail.control(clock_offset=86_400)
    token = OAuthClient(gmail).connect()["access_token"]
    end = introspect(gmail, token)["exp"]
    gmail.control(clock_offset=0)
    assert introspect(gmail, token)["exp"] == end
    gmail.control(clock_offset=86_400 + 3_600)
    assert introspect(gmail, token) == {"active": False}


def test_it_names_the_scopes_that_were_left_out_by_leaving_them_out(gmail: PracticeGmail) -> None:
    oauth = OAuthClient(gmail)
    location = gmail.consent(oauth.url(), account=ANA, mail=False)
    tokens = oauth.exchange(parse_qs(urlsplit(location).query)["code"][0]).json()
    said = introspect(gmail, tokens["access_token"])
    assert said["active"] and "https://mail.google.com/" not in said["scope"].split()


def test_it_says_nothing_of_a_token_that_is_not_good(gmail: PracticeGmail) -> None:
    oauth = OAuthClient(gmail)
    tokens = oauth.connect()
    for token in ("", "ya29.never", tokens["refresh_token"]):
        assert introspect(gmail, token) == {"active": False}
    oauth.revoke(tokens["refresh_token"])
    assert introspect(gmail, tokens["access_token"]) == {"active": False}


def test_it_answers_only_who_knows_the_client_s_secret(gmail: PracticeGmail) -> None:
    token = OAuthClient(gmail).connect()["access_token"]
    refused = ask(gmail, token, secret="guessed")
    assert refused.status_code == 401
    assert refused.json()["error"] == "invalid_client"
