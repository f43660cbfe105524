"""A session with the practice Gmail: logging in, one message after another, every refusal."""

import time
import traceback
from dataclasses import replace
from pathlib import Path

import pytest

from gmail import oauth
from gmail.endpoints import Endpoints
from gmail.errors import AuthRefused, ConnectionLost, FateUnknown, Refused, Temporary, Unreachable
from gmail.replies import Meaning, Phase, meaning
from gmail.smtp import SmtpSession
from tests.gmail.cast import ANA, ANA_PASSWORD, REDIRECT, accepted, mail, someone
from tests.practice_gmail import PracticeGmail


def enter(endpoints: Endpoints, **changes: object) -> SmtpSession:
    settings: dict[str, object] = {
        "security": "ssl",
        "address": ANA,
        "app_password": ANA_PASSWORD,
        "timeout": 10,
        **changes,
    }
    return SmtpSession.open(endpoints, **settings)  # type: ignore[arg-type]


def fresh_token(gmail: PracticeGmail, endpoints: Endpoints) -> str:
    consent = oauth.consent_url(endpoints, REDIRECT)
    location = gmail.consent(consent.url, account=ANA)
    grant = oauth.exchange(endpoints, REDIRECT, consent.state, consent.code_verifier, location)
    return grant.access_token


def send(session: SmtpSession, to: str, text: str = "A line.") -> str:
    session.begin(ANA, to)
    session.body(mail(to, text))
    return str(session.finish())


@pytest.mark.parametrize("security", ["ssl", "starttls"])
def test_it_sends_with_an_app_password(
    gmail: PracticeGmail, endpoints: Endpoints, security: str
) -> None:
    first, second = someone(), someone()
    session = enter(endpoints, security=security)
    for to in (first, second):
        assert send(session, to).startswith("250 2.0.0 OK")
    session.close()
    assert not session.alive
    assert (accepted(gmail, first), accepted(gmail, second)) == (1, 1)


@pytest.mark.parametrize("security", ["ssl", "starttls"])
def test_it_sends_with_an_access_token(
    gmail: PracticeGmail, endpoints: Endpoints, security: str
) -> None:
    to = someone()
    token = fresh_token(gmail, endpoints)
    session = enter(endpoints, security=security, app_password=None, access_token=token)
    assert send(session, to).startswith("250")
    session.close()
    assert accepted(gmail, to) == 1


@pytest.mark.parametrize(
    "secret",
    [
        {"app_password": "wron gpas swor dxxx"},
        {"app_password": None, "access_token": "ya29.wrong-token-of-ours"},
    ],
)
def test_it_says_that_a_secret_was_refused_without_telling_it(
    endpoints: Endpoints, secret: dict[str, str | None]
) -> None:
    with pytest.raises(AuthRefused) as caught:
        enter(endpoints, **secret)
    assert caught.value.said.startswith("535")
    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    for value in filter(None, secret.values()):
        assert value not in shown
        assert value.replace(" ", "") not in shown


def test_it_says_the_status_of_a_refused_token(endpoints: Endpoints) -> None:
    with pytest.raises(AuthRefused, match=r"token status \d+"):
        enter(endpoints, app_password=None, access_token="ya29.wrong-token-of-ours")


def test_it_takes_a_busy_login_for_temporary(gmail: PracticeGmail, endpoints: Endpoints) -> None:
    gmail.control(faults=[{"where": "auth", "reply": "454 4.7.0 Too many login attempts"}])
    with pytest.raises(Temporary) as caught:
        enter(endpoints)
    assert caught.value.said.startswith("454")


def test_it_takes_a_closing_greeting_for_temporary(
    gmail: PracticeGmail, endpoints: Endpoints
) -> None:
    gmail.control(faults=[{"where": "connect", "reply": "421 4.7.0 Try again later"}])
    with pytest.raises(Temporary, match="421 4.7.0 Try again"):
        enter(endpoints)


@pytest.mark.parametrize("fault", [{"drop": True}, {"hang": 5}])
def test_it_is_unreachable_when_nothing_greets_it(
    gmail: PracticeGmail, endpoints: Endpoints, fault: dict[str, object]
) -> None:
    gmail.control(faults=[{"where": "connect", **fault}])
    with pytest.raises(Unreachable):
        enter(endpoints, timeout=0.3)


def test_it_is_unreachable_where_nobody_listens(endpoints: Endpoints) -> None:
    with pytest.raises(Unreachable, match="refused"):
        enter(replace(endpoints, smtp_ssl_port=1))


@pytest.mark.parametrize("security", ["ssl", "starttls"])
def test_it_does_not_trust_an_unknown_certificate(endpoints: Endpoints, security: str) -> None:
    with pytest.raises(Unreachable, match="not trusted"):
        enter(replace(endpoints, ca_file=""), security=security)


@pytest.mark.parametrize(
    ("where", "phase"), [("mail", Phase.MAIL), ("rcpt", Phase.RCPT), ("data", Phase.DATA)]
)
def test_it_goes_on_after_a_refusal(
    gmail: PracticeGmail, endpoints: Endpoints, where: str, phase: Phase
) -> None:
    refused, welcome = someone(), someone()
    session = enter(endpoints)
    gmail.control(faults=[{"where": where, "reply": "550 5.1.1 No such account"}])
    with pytest.raises(Refused) as caught:
        session.begin(ANA, refused)
    assert (caught.value.phase, caught.value.reply.enhanced) == (phase, "5.1.1")
    assert session.alive
    assert send(session, welcome).startswith("250")
    session.close()
    assert (accepted(gmail, refused), accepted(gmail, welcome)) == (0, 1)


@pytest.mark.parametrize("where", ["mail", "rcpt", "data"])
def test_it_ends_the_session_after_421(
    gmail: PracticeGmail, endpoints: Endpoints, where: str
) -> None:
    session = enter(endpoints)
    gmail.control(faults=[{"where": where, "reply": "421 4.7.0 Try again later"}])
    with pytest.raises(Refused) as caught:
        session.begin(ANA, someone())
    assert meaning(caught.value.reply, caught.value.phase) == Meaning.TEMPORARY
    assert not session.alive


@pytest.mark.parametrize("where", ["mail", "rcpt", "data"])
@pytest.mark.parametrize("fault", [{"drop": True}, {"hang": 3}])
def test_it_knows_a_message_is_safe_when_the_line_breaks_before_the_body(
    gmail: PracticeGmail, endpoints: Endpoints, where: str, fault: dict[str, object]
) -> None:
    to = someone()
    session = enter(endpoints, timeout=1)
    gmail.control(faults=[{"where": where, **fault}])
    with pytest.raises(ConnectionLost) as caught:
        session.begin(ANA, to)
    assert caught.value.phase == where
    assert not session.alive
    assert accepted(gmail, to) == 0


def test_it_knows_a_message_is_safe_when_the_line_breaks_in_the_body(
    gmail: PracticeGmail, endpoints: Endpoints
) -> None:
    to = someone()
    session = enter(endpoints)
    session.begin(ANA, to)
    gmail.control(faults=[{"where": "body", "drop": True}])
    with pytest.raises(ConnectionLost) as caught:
        session.body(mail(to, "x" * 20_000_000))
    assert caught.value.phase == Phase.BODY
    assert not session.alive
    assert accepted(gmail, to) == 0


def test_it_notices_before_the_dot_that_the_line_broke_after_a_small_body(
    gmail: PracticeGmail, endpoints: Endpoints
) -> None:
    to = someone()
    session = enter(endpoints)
    session.begin(ANA, to)
    gmail.control(faults=[{"where": "body", "drop": True}])
    with pytest.raises(ConnectionLost) as caught:
        session.body(mail(to))
        time.sleep(0.3)
        session.finish()
    assert caught.value.phase == Phase.BODY
    assert accepted(gmail, to) == 0


@pytest.mark.parametrize("size", [100, 20_000_000])
def test_it_returns_a_refusal_that_came_before_the_dot(
    gmail: PracticeGmail, endpoints: Endpoints, size: int
) -> None:
    to = someone()
    session = enter(endpoints)
    session.begin(ANA, to)
    gmail.control(faults=[{"where": "body", "reply": "552 5.3.4 Message too large"}])
    session.body(mail(to, "x" * size))
    time.sleep(0.3)
    reply = session.finish()
    assert (reply.code, reply.enhanced) == (552, "5.3.4")
    assert not session.alive
    assert accepted(gmail, to) == 0


@pytest.mark.parametrize(
    "text", ["550 5.4.5 Daily user sending limit exceeded.", "552 5.7.0 Blocked", "451 4.3.0 No"]
)
def test_it_returns_what_gmail_answers_to_the_dot(
    gmail: PracticeGmail, endpoints: Endpoints, text: str
) -> None:
    refused, welcome = someone(), someone()
    session = enter(endpoints)
    gmail.control(faults=[{"where": "dot", "reply": text}])
    assert send(session, refused) == text
    assert session.alive
    assert send(session, welcome).startswith("250")
    session.close()
    assert (accepted(gmail, refused), accepted(gmail, welcome)) == (0, 1)


def test_it_ends_the_session_when_the_dot_is_answered_by_421(
    gmail: PracticeGmail, endpoints: Endpoints
) -> None:
    session = enter(endpoints)
    gmail.control(faults=[{"where": "dot", "reply": "421 4.7.28 Unusual rate"}])
    assert send(session, someone()).startswith("421")
    assert not session.alive


@pytest.mark.parametrize("where", ["dot", "accepted"])
@pytest.mark.parametrize("fault", [{"drop": True}, {"hang": 2}])
def test_it_does_not_know_the_fate_of_a_message_when_the_answer_to_the_dot_is_lost(
    gmail: PracticeGmail, endpoints: Endpoints, where: str, fault: dict[str, object]
) -> None:
    to = someone()
    session = enter(endpoints, timeout=1)
    gmail.control(faults=[{"where": where, **fault}])
    with pytest.raises(FateUnknown):
        send(session, to)
    assert not session.alive
    # The practice Gmail writes its ledger first at "accepted"; both are the same to the client.
    if where == "accepted":
        assert accepted(gmail, to) == 1


def test_it_never_lets_the_dot_leave_once_a_message_is_abandoned(
    gmail: PracticeGmail, endpoints: Endpoints
) -> None:
    to = someone()
    session = enter(endpoints)
    session.begin(ANA, to)
    session.body(mail(to))
    session.abandon()
    assert not session.alive
    with pytest.raises(ConnectionLost):
        session.finish()
    time.sleep(0.3)
    assert accepted(gmail, to) == 0


def test_it_says_that_the_line_is_lost_when_gmail_ended_an_idle_session(tmp_path: Path) -> None:
    """`451 4.4.2 Timeout - closing connection` blames nobody: connect again."""
    from tests.gmail.cast import endpoints_of

    with PracticeGmail(tmp_path / "g", accounts=[f"{ANA}:{ANA_PASSWORD}"], idle_timeout=0.3) as g:
        session = enter(endpoints_of(g))
        time.sleep(1)
        with pytest.raises(ConnectionLost) as caught:
            session.begin(ANA, someone())
        assert caught.value.phase == Phase.MAIL
        assert not session.alive


@pytest.mark.parametrize("address", ["a>b@example.org", "a\r\nDATA@example.org", "a\x00@b.org"])
def test_it_refuses_an_address_that_would_break_a_command(
    gmail: PracticeGmail, endpoints: Endpoints, address: str
) -> None:
    welcome = someone()
    session = enter(endpoints)
    with pytest.raises(Refused) as caught:
        session.begin(ANA, address)
    assert meaning(caught.value.reply, caught.value.phase) == Meaning.RECIPIENT
    assert send(session, welcome).startswith("250")
    session.close()


def test_it_delivers_dots_and_line_ends_as_they_were_meant(
    gmail: PracticeGmail, endpoints: Endpoints
) -> None:
    to = someone()
    session = enter(endpoints)
    # Lone line ends around a dot: what "SMTP smuggling" ends a message early with.
    text = ".\n.\r\n..two\r.\nMAIL FROM:<evil@example.org>\n.hidden"
    assert send(session, to, text).startswith("250")
    assert send(session, someone()).startswith("250")
    session.close()
    assert accepted(gmail, to) == 1
    filed = _filed(gmail, to)
    body = filed.split(b"\r\n\r\n", 1)[1]
    assert body.split(b"\r\n")[:6] == [
        b".",
        b".",
        b"..two",
        b".",
        b"MAIL FROM:<evil@example.org>",
        b".hidden",
    ]


def _filed(gmail: PracticeGmail, to: str) -> bytes:
    """The bytes that the practice Gmail keeps of its message to this address."""
    for path in gmail.directory.rglob("*"):
        if path.is_file() and not path.name.endswith(".jsonl"):
            content = path.read_bytes()
            if f"To: {to}".encode() in content:
                return content
    raise AssertionError(f"No message to {to} was filed.")


def test_it_gives_up_a_line_that_takes_no_more_of_the_body(
    gmail: PracticeGmail, endpoints: Endpoints
) -> None:
    to = someone()
    session = enter(endpoints, timeout=1)
    session.begin(ANA, to)
    gmail.control(faults=[{"where": "body", "hang": 3}])
    with pytest.raises(ConnectionLost):
        session.body(mail(to, "x" * 20_000_000))
    assert not session.alive
    assert accepted(gmail, to) == 0
