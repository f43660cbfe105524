"""``/control``: what it takes, what it refuses with which sentence, and from whom."""

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from tests.practice.clients import ANA, BEN
from tests.practice_gmail import PracticeGmail


def test_it_answers_the_state(gmail: PracticeGmail) -> None:
    state = requests.get(f"{gmail.web}/control", timeout=10).json()
    assert set(state) == {
        *("now", "clock_offset", "limit", "faults", "accounts"),
        *("sent_delay", "answer_delay", "imap", "pop", "aliases", "hide"),
    }
    assert (state["clock_offset"], state["limit"], state["faults"]) == (0, 100_000, [])
    assert [row["email"] for row in state["accounts"]] == [ANA, BEN]


def test_it_sets_only_what_is_given(gmail: PracticeGmail) -> None:
    gmail.control(limit=7)
    state = gmail.control(clock_offset=-3600.5)
    assert (state["limit"], state["clock_offset"]) == (7, -3600.5)
    shift = datetime.fromisoformat(state["now"]) - datetime.now(UTC)
    assert abs(shift + timedelta(seconds=3600.5)) < timedelta(seconds=10)
    assert without_now(gmail.control()) == without_now(state)


def without_now(state: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in state.items() if key != "now"}


def fault(**keys: Any) -> dict[str, Any]:
    return {"faults": [keys]}


@pytest.mark.parametrize(
    ("posted", "sentence"),
    [
        ([], 'Send a JSON object like {"limit": 500}.'),
        (
            {"speed": 1},
            '"speed" is not known here. Known are: clock_offset, limit, faults, revoke, ',
        ),
        ({"limit": -1}, '"limit" must be a whole number, 0 or more.'),
        ({"limit": "5"}, '"limit" must be'),
        ({"limit": True}, '"limit" must be'),
        ({"limit": 1.5}, '"limit" must be'),
        ({"clock_offset": "1"}, '"clock_offset" must be a number of seconds, at most ten years.'),
        ({"clock_offset": 1e12}, '"clock_offset" must be'),
        ({"clock_offset": False}, '"clock_offset" must be'),
        ({"revoke": "nobody@gmail.com"}, '"revoke" must be the address of a practice account.'),
        ({"revoke": 5}, '"revoke" must be'),
        ({"sent_delay": -1}, '"sent_delay" must be a number of seconds, at most a day.'),
        ({"answer_delay": True}, '"answer_delay" must be a number of seconds, at most a day.'),
        ({"imap": {ANA: 1}}, '"imap" must hold true or false for each account.'),
        ({"pop": {"nobody@gmail.com": True}}, '"pop" must be an object with addresses of practice'),
        ({"aliases": {ANA: ["sales"]}}, '"aliases" must hold a list of addresses for each'),
        ({"hide": {ANA: ["outbox"]}}, '"hide" must hold a list of inbox, all, drafts, important,'),
        ({"hide": ["sent"]}, '"hide" must be an object with addresses of practice accounts.'),
        ({"end_sessions": "ftp"}, '"end_sessions" must be "smtp", "imap" or "pop".'),
        ({"faults": {}}, '"faults" must be a list.'),
        (fault(protocol="ftp", where="dot", drop=True), '"protocol" must be one of: smtp, imap,'),
        (fault(protocol="imap", where="dot", drop=True), '"where" must be one of: connect, auth,'),
        (fault(protocol="imap", where="auth", reply="OK"), '"reply" must be an IMAP reply like'),
        (fault(protocol="pop", where="auth", reply="NO x"), '"reply" must be a POP reply like'),
        ({"faults": [1]}, "A fault must be an object like"),
        (fault(where="dot"), 'A fault needs exactly one of "reply", "drop" and "hang".'),
        (fault(where="dot", drop=True, hang=1), "A fault needs exactly one of"),
        (fault(where="quit", drop=True), '"where" must be one of: connect, auth, mail,'),
        (fault(drop=True), '"where" must be one of'),
        (fault(where="dot", drop=True, when=1), 'A fault has no "when". It may have: where,'),
        (fault(where="dot", drop=1), '"drop" must be true.'),
        (fault(where="dot", hang=0), '"hang" must be a number of seconds up to 3600.'),
        (fault(where="dot", hang=True), '"hang" must be'),
        (fault(where="dot", hang="long"), '"hang" must be'),
        (fault(where="dot", reply="no"), '"reply" must be an SMTP reply like'),
        (fault(where="dot", reply="250 2.0.0 OK"), '"reply" must be an SMTP reply like'),
        (fault(where="dot", reply="450 one\n450 two"), '"reply" must be an SMTP reply like'),
        (fault(where="dot", reply="450-one"), '"reply" must be an SMTP reply like'),
        (fault(where="dot", reply="450-one\n451 two"), '"reply" must be an SMTP reply like'),
        (fault(where="dot", reply="450 one\r\nNOOP"), '"reply" must be an SMTP reply like'),
        (fault(where="dot", reply="450 één"), '"reply" must be an SMTP reply like'),
        (fault(where="dot", reply=450), '"reply" must be an SMTP reply like'),
        (fault(where="dot", drop=True, times=0), '"times" must be a whole number above 0, or null'),
        (fault(where="dot", drop=True, times=True), '"times" must be a whole number'),
        (fault(where="dot", drop=True, to=""), '"to" must be an address.'),
        (fault(where="dot", drop=True, account=3), '"account" must be an address.'),
        (fault(where="mail", drop=True, to="a@b.org"), 'At "mail" no recipient is known yet'),
        (fault(where="connect", drop=True, account=ANA), 'At "connect" the account is not known'),
    ],
)
def test_it_says_what_is_wrong_and_changes_nothing(
    gmail: PracticeGmail, posted: Any, sentence: str
) -> None:
    state = gmail.control(limit=7)
    if isinstance(posted, dict):
        posted = {"limit": 8, **posted}
    answer = requests.post(f"{gmail.web}/control", json=posted, timeout=10)
    assert answer.status_code == 400
    assert answer.text.startswith(sentence)
    assert without_now(gmail.control()) == without_now(state)


def test_it_refuses_what_is_not_json(gmail: PracticeGmail) -> None:
    headers = {"Content-Type": "application/json"}
    for body in (b"", b"{", b"\xff", b'{"clock_offset": NaN}', b'{"clock_offset": Infinity}'):
        answer = requests.post(f"{gmail.web}/control", data=body, headers=headers, timeout=10)
        assert answer.status_code == 400
    assert math.isfinite(gmail.control()["clock_offset"])


@pytest.mark.parametrize(
    "content_type", ["application/x-www-form-urlencoded", "text/plain", "multipart/mixed", ""]
)
def test_it_takes_nothing_that_a_foreign_page_could_post(
    gmail: PracticeGmail, content_type: str
) -> None:
    answer = requests.post(
        f"{gmail.web}/control",
        data=b'{"limit": 1}',
        headers={"Content-Type": content_type},
        timeout=10,
    )
    assert answer.status_code == 415
    assert gmail.control()["limit"] == 100_000


def test_it_takes_nothing_from_another_origin(gmail: PracticeGmail) -> None:
    url = f"{gmail.web}/control"
    for origin in ("https://evil.example", "null", "http://127.0.0.1:1", "http://localhost:8000"):
        answer = requests.post(url, json={"limit": 1}, headers={"Origin": origin}, timeout=10)
        assert answer.status_code == 403
    asked = requests.options(url, headers={"Origin": "https://evil.example"}, timeout=10)
    assert asked.status_code == 405
    assert "Access-Control-Allow-Origin" not in asked.headers
    own = requests.post(url, json={"limit": 9}, headers={"Origin": gmail.web}, timeout=10)
    assert own.json()["limit"] == 9


@pytest.mark.parametrize("path", ["/control", "/", "/o/oauth2/v2/auth", "/nowhere"])
@pytest.mark.parametrize("host", ["evil.example", "evil.example:8025", "127.0.0.1.evil.example"])
def test_it_answers_only_to_the_names_of_this_machine(
    gmail: PracticeGmail, path: str, host: str
) -> None:
    answer = requests.get(f"{gmail.web}{path}", headers={"Host": host}, timeout=10)
    assert answer.status_code == 400
    assert answer.text == "The practice Gmail answers only to 127.0.0.1 and localhost.\n"


def test_it_answers_to_localhost_too(gmail: PracticeGmail) -> None:
    for host in (f"localhost:{gmail.port}", "localhost", f"[::1]:{gmail.port}"):
        answer = requests.get(f"{gmail.web}/control", headers={"Host": host}, timeout=10)
        assert answer.status_code == 200
