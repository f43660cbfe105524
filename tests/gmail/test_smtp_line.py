"""What the practice Gmail is too well-behaved to do: half replies, echoes, words before TLS."""

import base64
import time
import traceback
from pathlib import Path

import pytest

from gmail.endpoints import Endpoints
from gmail.errors import (
    AuthRefused,
    ConnectionLost,
    FateUnknown,
    GmailError,
    Temporary,
    Unreachable,
)
from gmail.replies import Phase
from gmail.smtp import SmtpSession
from tests.gmail.scripted_server import (
    EHLO,
    GO_AHEAD,
    GREETING,
    OK,
    ScriptedServer,
    Step,
    hang_up,
    logged_in,
    read,
    read_until,
    start_tls,
)

ADDRESS = "ana@gmail.com"
PASSWORD = "abcd efgh ijkl mnop"
TO = "ben@example.org"


def enter(server: ScriptedServer, endpoints: Endpoints, security: str = "ssl") -> SmtpSession:
    return SmtpSession.open(
        server.endpoints(endpoints),
        security=security,  # type: ignore[arg-type]
        address=ADDRESS,
        app_password=PASSWORD,
        timeout=2,
    )


def transaction(*after_body: Step) -> list[Step]:
    return [*logged_in(), read, OK, read, OK, read, GO_AHEAD, read_until(b"\r\n.\r\n"), *after_body]


@pytest.mark.parametrize(
    "answer", [b"", b"2", b"25", b"25 OK\r\n", b"250-2.0.0 O", b"???\r\n", b"354 Go on\r\n"]
)
def test_it_takes_nothing_but_a_whole_answer_for_an_answer(
    tmp_path: Path, endpoints: Endpoints, answer: bytes
) -> None:
    with ScriptedServer(tmp_path, transaction(answer, hang_up)) as server:
        session = enter(server, endpoints)
        session.begin(ADDRESS, TO)
        session.body(b"Subject: x\r\n\r\nx\r\n")
        with pytest.raises(FateUnknown):
            session.finish()
        assert not session.alive


def test_it_does_not_give_the_dot_after_an_answer_that_came_too_early(
    tmp_path: Path, endpoints: Endpoints
) -> None:
    """A 250 before the end of the message accepts nothing, and belongs to nothing."""
    script = [*logged_in(), read, OK, read, OK, read, GO_AHEAD, read_until(b"x\r\n"), OK]
    with ScriptedServer(tmp_path, script) as server:
        session = enter(server, endpoints)
        session.begin(ADDRESS, TO)
        with pytest.raises(ConnectionLost) as caught:
            session.body(b"Subject: x\r\n\r\nx\r\n")
            time.sleep(0.2)
            session.finish()
        assert caught.value.phase == Phase.BODY
    assert not server.heard.endswith(b"\r\n.\r\n")


def test_it_gives_no_body_unless_it_was_asked_for_one(tmp_path: Path, endpoints: Endpoints) -> None:
    with ScriptedServer(tmp_path, [*logged_in(), read, OK, read, OK, read, OK]) as server:
        session = enter(server, endpoints)
        with pytest.raises(ConnectionLost) as caught:
            session.begin(ADDRESS, TO)
        assert caught.value.phase == Phase.DATA
    assert server.heard.endswith(b"DATA\r\n")


def test_it_ends_a_message_that_has_no_line_end_of_its_own(
    tmp_path: Path, endpoints: Endpoints
) -> None:
    with ScriptedServer(tmp_path, transaction(OK, read, b"221 Bye\r\n")) as server:
        session = enter(server, endpoints)
        session.begin(ADDRESS, TO)
        session.body(b"Subject: x\n\n.x\n..")
        assert session.finish().code == 250
        session.close()
    assert b"DATA\r\nSubject: x\r\n\r\n..x\r\n...\r\n.\r\nQUIT\r\n" in server.heard


def test_it_tells_no_secret_that_the_server_quotes(tmp_path: Path, endpoints: Endpoints) -> None:
    packed = PASSWORD.replace(" ", "")
    response = base64.b64encode(f"\0{ADDRESS}\0{packed}".encode())
    refusal = b"535 5.7.8 AUTH PLAIN " + response + b" (" + packed.encode() + b") is wrong\r\n"
    with (
        ScriptedServer(tmp_path, [GREETING, read, EHLO, read, refusal]) as server,
        pytest.raises(AuthRefused) as caught,
    ):
        enter(server, endpoints)
    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value.said)
    assert "is wrong" in shown
    assert packed not in shown
    assert response.decode() not in shown


def test_it_gives_a_long_token_only_after_it_was_asked(
    tmp_path: Path, endpoints: Endpoints
) -> None:
    token = "ya29." + "x" * 3000
    script: list[Step] = [GREETING, read, EHLO, read, b"334 \r\n", read, b"235 Hello\r\n"]
    with ScriptedServer(tmp_path, script) as server:
        session = SmtpSession.open(
            server.endpoints(endpoints), security="ssl", address=ADDRESS, access_token=token
        )
        session.abandon()
    lines = server.heard.split(b"\r\n")
    assert lines[1] == b"AUTH XOAUTH2"
    assert token.encode() in base64.b64decode(lines[2])


@pytest.mark.parametrize(
    "injected", [b"", b"250-smtp.example\r\n250 AUTH PLAIN\r\n235 2.7.0 Accepted\r\n"]
)
def test_it_says_nothing_before_tls_and_believes_nothing_that_was_said_there(
    tmp_path: Path, endpoints: Endpoints, injected: bytes
) -> None:
    """RFC 3207 section 6; what an attacker slips in behind the 220 is thrown away."""
    before = b"250-smtp.example\r\n250 STARTTLS\r\n"
    denied = b"535 5.7.8 Username and Password not accepted.\r\n"
    script: list[Step] = [GREETING, read, before, read, b"220 Ready\r\n" + injected]
    script += [start_tls(tmp_path), read, EHLO, read, denied]
    with ScriptedServer(tmp_path, script, tls=False) as server, pytest.raises(AuthRefused):
        enter(server, endpoints, "starttls")
    assert server.heard.lower().startswith(
        b"ehlo [127.0.0.1]\r\nstarttls\r\nehlo [127.0.0.1]\r\nauth "
    )


@pytest.mark.parametrize("said", range(9))
def test_it_is_not_held_up_wherever_the_way_to_tls_breaks_off(
    tmp_path: Path, endpoints: Endpoints, said: int
) -> None:
    """Before and after each line, in and around the handshake."""
    offer = b"250-smtp.example\r\n250 STARTTLS\r\n"
    script: list[Step] = [GREETING, read, offer, read, b"220 Ready\r\n", start_tls(tmp_path)]
    script += [read, EHLO, read]
    with (
        ScriptedServer(tmp_path, [*script[: said + 1], hang_up], tls=False) as server,
        pytest.raises((Unreachable, ConnectionLost)),
    ):
        enter(server, endpoints, "starttls")


def test_it_does_not_log_in_where_tls_is_not_offered(tmp_path: Path, endpoints: Endpoints) -> None:
    script: list[Step] = [GREETING, read, EHLO]
    with (
        ScriptedServer(tmp_path, script, tls=False) as server,
        pytest.raises(GmailError, match="STARTTLS"),
    ):
        enter(server, endpoints, "starttls")
    assert server.heard.lower() == b"ehlo [127.0.0.1]\r\n"


def test_it_waits_no_longer_than_it_was_told(tmp_path: Path, endpoints: Endpoints) -> None:
    with ScriptedServer(tmp_path, [GREETING]) as server:
        began = time.monotonic()
        with pytest.raises(ConnectionLost) as caught:
            enter(server, endpoints)
        assert caught.value.phase == Phase.EHLO
        assert time.monotonic() - began < 8


def test_it_takes_a_server_that_does_not_want_us_for_temporary(
    tmp_path: Path, endpoints: Endpoints
) -> None:
    with (
        ScriptedServer(tmp_path, [GREETING, read, b"550 Go away\r\n"]) as server,
        pytest.raises(Temporary, match="550 Go away"),
    ):
        enter(server, endpoints)
