"""Consent, codes and tokens, as an application and a person's browser see them."""

import json
import stat
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from practice.clock import Clock
from practice.oauth import AuthorizationServer, Client, OAuthRefused
from tests.practice.clients import ANA, BEN, REDIRECT_URI, SCOPES, OAuthClient, Wire, xoauth2
from tests.practice_gmail import PracticeGmail

MAIL = "https://mail.google.com/"
EMAIL = "https://www.googleapis.com/auth/userinfo.email"


def assert_refused(answer: requests.Response, error: str, status: int = 400) -> None:
    assert (answer.status_code, answer.json()["error"]) == (status, error)


def test_it_gives_tokens_for_a_consent(gmail: PracticeGmail) -> None:
    oauth = OAuthClient(gmail)
    answer = oauth.exchange(oauth.code())
    tokens = answer.json()
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-store"
    assert set(tokens) == {"access_token", "refresh_token", "expires_in", "scope", "token_type"}
    assert tokens["expires_in"] == 3600
    assert tokens["token_type"] == "Bearer"
    assert sorted(tokens["scope"].split()) == sorted([MAIL, EMAIL, "openid"])


def test_it_sends_the_person_back_with_state_and_code(gmail: PracticeGmail) -> None:
    oauth = OAuthClient(gmail)
    redirect_uri = f"{REDIRECT_URI}?next=%2F"
    location = gmail.consent(oauth.url(redirect_uri=redirect_uri), account=BEN)
    assert location.startswith(f"{redirect_uri}&")
    result = parse_qs(urlsplit(location).query)
    assert result["state"] == [oauth.state]
    assert sorted(result["scope"][0].split()) == sorted([MAIL, EMAIL, "openid"])
    tokens = oauth.exchange(result["code"][0], redirect_uri=redirect_uri).json()
    assert oauth.userinfo(tokens["access_token"]).json()["email"] == BEN


def test_it_sends_the_person_back_when_they_cancel(gmail: PracticeGmail) -> None:
    oauth = OAuthClient(gmail)
    location = gmail.consent(oauth.url(), allow=False)
    assert location.startswith(f"{REDIRECT_URI}?")
    assert parse_qs(urlsplit(location).query) == {
        "state": [oauth.state],
        "error": ["access_denied"],
    }


def test_it_lets_the_person_leave_out_access_to_mail(gmail: PracticeGmail) -> None:
    oauth = OAuthClient(gmail)
    location = gmail.consent(oauth.url(), account=ANA, mail=False)
    tokens = oauth.exchange(parse_qs(urlsplit(location).query)["code"][0]).json()
    assert sorted(tokens["scope"].split()) == sorted([EMAIL, "openid"])


def test_it_preselects_the_account_that_is_hinted_at(gmail: PracticeGmail) -> None:
    oauth = OAuthClient(gmail)
    for hint, email in [(BEN, BEN), (ANA, ANA), ("stranger@gmail.com", ANA)]:
        location = gmail.consent(oauth.url(login_hint=hint))
        tokens = oauth.exchange(parse_qs(urlsplit(location).query)["code"][0]).json()
        assert oauth.userinfo(tokens["access_token"]).json()["email"] == email


def test_it_shows_who_asks_for_what(gmail: PracticeGmail) -> None:
    page = requests.get(OAuthClient(gmail).url(), timeout=10)
    assert page.status_code == 200
    for text in ["localhost:8000", ANA, BEN, "Read, compose, send and permanently delete all"]:
        assert text in page.text
    assert "Practice Gmail. Nothing here has left this machine." in page.text


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({"client_id": "somebody-else"}, 401, "invalid_client"),
        ({"client_id": None}, 401, "invalid_client"),
        ({"redirect_uri": "http://192.168.1.20:8000/cb"}, 400, "redirect_uri_mismatch"),
        ({"redirect_uri": "http://daypost.example/cb"}, 400, "redirect_uri_mismatch"),
        ({"redirect_uri": "https://192.168.1.20/cb"}, 400, "redirect_uri_mismatch"),
        ({"redirect_uri": "http://localhost.example.org/cb"}, 400, "redirect_uri_mismatch"),
        ({"redirect_uri": "https://user@daypost.example/cb"}, 400, "invalid_request"),
        ({"redirect_uri": "https://daypost.example/cb#part"}, 400, "invalid_request"),
        ({"redirect_uri": "https://daypost.example/a b\r\nX: y"}, 400, "invalid_request"),
        ({"redirect_uri": "https://daypost.example:port/cb"}, 400, "invalid_request"),
        ({"redirect_uri": "javascript:alert(1)"}, 400, "invalid_request"),
        ({"redirect_uri": None}, 400, "invalid_request"),
        ({"response_type": "token"}, 400, "unsupported_response_type"),
        ({"scope": None}, 400, "invalid_request"),
        ({"scope": "https://mail.google.com"}, 400, "invalid_scope"),
        ({"code_challenge_method": "plain"}, 400, "invalid_request"),
    ],
)
def test_it_shows_an_error_page_and_never_redirects_a_bad_request(
    gmail: PracticeGmail, changes: dict[str, str | None], status: int, error: str
) -> None:
    url = OAuthClient(gmail).url(**changes)
    for answer in (requests.get(url, timeout=10), requests.post(url, timeout=10)):
        assert answer.status_code == status
        assert f"Error {status}: {error}" in answer.text
        assert not answer.history


@pytest.mark.parametrize(
    "redirect_uri",
    [
        "http://127.0.0.1:8000/cb",
        "http://[::1]:8000/cb",
        "http://localhost",
        "https://daypost.example/cb",
    ],
)
def test_it_takes_the_redirect_addresses_that_google_takes(
    gmail: PracticeGmail, redirect_uri: str
) -> None:
    location = gmail.consent(OAuthClient(gmail).url(redirect_uri=redirect_uri))
    assert location.startswith(f"{redirect_uri}?")


def test_it_takes_a_consent_only_from_its_own_page(gmail: PracticeGmail) -> None:
    url = OAuthClient(gmail).url()
    form = {"decision": "allow", "account": ANA, "scope": MAIL}
    secret = requests.get(url, timeout=10).cookies["practice_consent"]
    refused = [
        requests.post(url, data=form, timeout=10),
        requests.post(url, data={**form, "secret": ""}, timeout=10),
        requests.post(url, data={**form, "secret": secret}, timeout=10),
        requests.post(
            url,
            data={**form, "secret": "x"},
            cookies={"practice_consent": secret},
            timeout=10,
        ),
        requests.post(
            url,
            data={**form, "secret": secret},
            cookies={"practice_consent": secret},
            headers={"Origin": "https://evil.example"},
            timeout=10,
        ),
    ]
    assert [answer.status_code for answer in refused] == [403] * 5


def test_it_uses_its_own_cookie_again_and_no_other(gmail: PracticeGmail) -> None:
    url = OAuthClient(gmail).url()
    first = requests.get(url, timeout=10).cookies["practice_consent"]
    for cookie, kept in [(first, True), ("short", False), (f'"{first[:-4]};x=y"', False)]:
        headers = {"Cookie": f"practice_consent={cookie}"}
        again = requests.get(url, headers=headers, timeout=10).cookies["practice_consent"]
        assert (again == first) is kept
        assert len(again) == 32


def test_it_keeps_its_cookie_from_scripts_and_other_sites(gmail: PracticeGmail) -> None:
    answer = requests.get(OAuthClient(gmail).url(), timeout=10)
    assert answer.headers["Set-Cookie"].endswith("; Path=/o/; HttpOnly; SameSite=Strict")
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    # With no-referrer a browser would post the form from the origin null.
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert "form-action" not in answer.headers["Content-Security-Policy"]


def test_it_gives_a_refresh_token_only_when_offline_access_is_asked_for(
    own_gmail: PracticeGmail,
) -> None:
    oauth = OAuthClient(own_gmail)
    assert "refresh_token" not in oauth.connect(access_type="online")
    assert "refresh_token" in oauth.connect(access_type="offline")


def test_it_gives_a_second_refresh_token_only_when_consent_is_prompted_for(
    own_gmail: PracticeGmail,
) -> None:
    oauth = OAuthClient(own_gmail)
    assert "refresh_token" in oauth.connect(prompt=None)
    assert "refresh_token" not in oauth.connect(prompt=None)
    assert "refresh_token" in oauth.connect(prompt="select_account consent")
    assert "refresh_token" in oauth.connect(BEN, prompt=None)


def test_it_wants_the_verifier_that_belongs_to_the_challenge(gmail: PracticeGmail) -> None:
    oauth = OAuthClient(gmail)
    code = oauth.code()
    assert_refused(oauth.exchange(code, code_verifier="x" * 64), "invalid_grant")
    assert_refused(oauth.exchange(code, code_verifier=""), "invalid_grant")
    assert oauth.exchange(code).status_code == 200


def test_it_wants_no_verifier_where_there_was_no_challenge(gmail: PracticeGmail) -> None:
    oauth = OAuthClient(gmail)
    code = oauth.code(code_challenge=None, code_challenge_method=None)
    assert_refused(oauth.exchange(code), "invalid_grant")
    assert oauth.exchange(code, code_verifier="").status_code == 200


def test_it_takes_a_code_once_and_takes_everything_back_on_a_second_use(
    gmail: PracticeGmail,
) -> None:
    oauth = OAuthClient(gmail)
    code = oauth.code()
    tokens = oauth.exchange(code).json()
    other = oauth.connect()
    assert oauth.userinfo(tokens["access_token"]).status_code == 200
    assert_refused(oauth.exchange(code), "invalid_grant")
    assert oauth.userinfo(tokens["access_token"]).status_code == 401
    assert_refused(oauth.refresh(tokens["refresh_token"]), "invalid_grant")
    assert oauth.userinfo(other["access_token"]).status_code == 200


def test_it_lets_a_code_live_for_ten_minutes(gmail: PracticeGmail) -> None:
    oauth = OAuthClient(gmail)
    early, late = oauth.code(), oauth.code()
    gmail.control(clock_offset=540)
    assert oauth.exchange(early).status_code == 200
    gmail.control(clock_offset=600)
    assert_refused(oauth.exchange(late), "invalid_grant")


def test_it_binds_a_code_to_its_redirect_address(gmail: PracticeGmail) -> None:
    oauth = OAuthClient(gmail)
    code = oauth.code()
    assert_refused(
        oauth.exchange(code, redirect_uri="http://localhost:8001/"), "redirect_uri_mismatch"
    )
    assert oauth.exchange(code).status_code == 200


def test_it_refuses_what_is_no_code(gmail: PracticeGmail) -> None:
    oauth = OAuthClient(gmail)
    assert_refused(oauth.exchange("4/0nonsense"), "invalid_grant")
    assert_refused(oauth.exchange(""), "invalid_grant")
    assert_refused(oauth.token(grant_type="password"), "unsupported_grant_type")
    assert_refused(oauth.token(), "unsupported_grant_type")


def test_it_wants_the_clients_secret(gmail: PracticeGmail) -> None:
    oauth = OAuthClient(gmail)
    code = oauth.code()
    assert_refused(oauth.exchange(code, client_secret="wrong"), "invalid_client", 401)
    assert_refused(oauth.exchange(code, client_id="wrong"), "invalid_client", 401)
    refresh_token = oauth.exchange(code).json()["refresh_token"]
    fields = {"grant_type": "refresh_token", "refresh_token": refresh_token}
    assert_refused(oauth.token(**fields, client_secret=""), "invalid_client", 401)


def test_it_takes_the_clients_secret_by_basic_authentication_too(gmail: PracticeGmail) -> None:
    oauth = OAuthClient(gmail)
    env = gmail.env
    form = {"grant_type": "refresh_token", "refresh_token": oauth.connect()["refresh_token"]}
    secrets = [(env["GOOGLE_CLIENT_SECRET"], 200), ("wrong", 401)]
    for secret, status in secrets:
        credentials = (env["GOOGLE_CLIENT_ID"], secret)
        answer = requests.post(env["GOOGLE_TOKEN_URI"], data=form, auth=credentials, timeout=10)
        assert answer.status_code == status


def test_it_takes_no_secret_from_an_address(gmail: PracticeGmail) -> None:
    env = gmail.env
    query = {
        "client_id": env["GOOGLE_CLIENT_ID"],
        "client_secret": env["GOOGLE_CLIENT_SECRET"],
        "grant_type": "refresh_token",
    }
    assert_refused(
        requests.post(env["GOOGLE_TOKEN_URI"], params=query, timeout=10), "invalid_client", 401
    )


def test_it_refreshes_an_access_token_that_has_expired(gmail: PracticeGmail) -> None:
    oauth = OAuthClient(gmail)
    tokens = oauth.connect()
    gmail.control(clock_offset=3540)
    assert oauth.userinfo(tokens["access_token"]).status_code == 200
    gmail.control(clock_offset=3600)
    assert oauth.userinfo(tokens["access_token"]).status_code == 401
    answer = oauth.refresh(tokens["refresh_token"])
    fresh = answer.json()
    assert set(fresh) == {"access_token", "expires_in", "scope", "token_type"}
    assert fresh["access_token"] != tokens["access_token"]
    assert oauth.userinfo(fresh["access_token"]).status_code == 200


def test_it_dates_its_answers_by_the_practice_clock(gmail: PracticeGmail) -> None:
    gmail.control(clock_offset=86_400 * 30)
    date = parsedate_to_datetime(OAuthClient(gmail).exchange("none").headers["Date"])
    shift = date - datetime.now(UTC) - timedelta(days=30)
    assert abs(shift) < timedelta(seconds=10)


def test_it_tells_whose_token_it_is(gmail: PracticeGmail) -> None:
    oauth = OAuthClient(gmail)
    first, second = oauth.connect(), oauth.connect(BEN)
    ana = oauth.userinfo(first["access_token"]).json()
    ben = oauth.userinfo(second["access_token"]).json()
    assert (ana["email"], ana["email_verified"]) == (ANA, True)
    assert ben["email"] == BEN
    assert ana["sub"] != ben["sub"]
    assert ana["sub"].isdecimal()
    without_email = oauth.connect(scope=f"{MAIL} openid")
    assert set(oauth.userinfo(without_email["access_token"]).json()) == {"sub"}


def test_it_tells_nothing_to_a_stranger(gmail: PracticeGmail) -> None:
    answer = OAuthClient(gmail).userinfo("ya29.nonsense")
    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
    assert requests.get(gmail.env["GOOGLE_USERINFO_URI"], timeout=10).status_code == 401


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
def test_it_revokes_the_whole_consent_of_an_account(gmail: PracticeGmail, kind: str) -> None:
    oauth = OAuthClient(gmail)
    tokens, other, ben = oauth.connect(), oauth.connect(), oauth.connect(BEN)
    assert oauth.revoke(tokens[kind]).status_code == 200
    for each in (tokens, other):
        assert oauth.userinfo(each["access_token"]).status_code == 401
        assert_refused(oauth.refresh(each["refresh_token"]), "invalid_grant")
    assert oauth.refresh(ben["refresh_token"]).status_code == 200
    assert_refused(oauth.revoke(tokens[kind]), "invalid_token")


def test_it_revokes_by_control_what_the_person_would_revoke(gmail: PracticeGmail) -> None:
    oauth = OAuthClient(gmail)
    tokens, ben = oauth.connect(), oauth.connect(BEN)
    unused = oauth.code()
    gmail.control(revoke=ANA)
    refusal = oauth.refresh(tokens["refresh_token"])
    assert_refused(refusal, "invalid_grant")
    assert refusal.json()["error_description"] == "Token has been expired or revoked."
    assert_refused(oauth.exchange(unused), "invalid_grant")
    assert oauth.refresh(ben["refresh_token"]).status_code == 200
    with Wire(gmail) as wire:
        wire.hello(None)
        assert wire.ask(f"AUTH XOAUTH2 {xoauth2(ANA, tokens['access_token'])}")[:3] == "334"


def test_it_remembers_codes_and_tokens_over_a_restart(own_gmail: PracticeGmail) -> None:
    oauth = OAuthClient(own_gmail)
    tokens, code = oauth.connect(), oauth.code()
    own_gmail.kill()
    own_gmail.start()
    assert oauth.userinfo(tokens["access_token"]).json()["email"] == ANA
    assert oauth.refresh(tokens["refresh_token"]).status_code == 200
    assert oauth.exchange(code).status_code == 200


def test_it_keeps_tokens_where_only_their_owner_can_read(own_gmail: PracticeGmail) -> None:
    tokens = OAuthClient(own_gmail).connect()
    path = own_gmail.directory / "oauth.json"
    assert tokens["access_token"] in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_it_drops_the_oldest_of_more_than_100_refresh_tokens(tmp_path: Path) -> None:
    client = Client("id", "secret")
    server = AuthorizationServer(tmp_path / "oauth.json", client, Clock())
    request = server.check_request(
        {
            "client_id": "id",
            "redirect_uri": REDIRECT_URI,
            "response_type": "code",
            "scope": SCOPES,
            "access_type": "offline",
            "prompt": "consent",
        }
    )
    tokens = []
    for _ in range(101):
        code = server.allow(request, ANA, request.scopes)
        tokens.append(server.exchange(code, REDIRECT_URI, "").refresh_token)
    with pytest.raises(OAuthRefused, match="invalid_grant"):
        server.refresh(tokens[0])
    for token in tokens[1:]:
        assert server.refresh(token).access_token


def test_it_forgets_what_has_expired(own_gmail: PracticeGmail) -> None:
    oauth = OAuthClient(own_gmail)
    tokens = oauth.connect()
    own_gmail.control(clock_offset=7200)
    oauth.refresh(tokens["refresh_token"])
    kept = json.loads((own_gmail.directory / "oauth.json").read_text())
    assert len(kept["access_tokens"]) == 1
    assert kept["codes"] == {}
