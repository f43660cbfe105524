"""POP where no good server says it: broken, hostile and half-dead answers."""

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from gmail import pop_line
from gmail.endpoints import Endpoints
from gmail.errors import AuthRefused, GmailError, SessionEnded, Temporary, Unreachable
from gmail.pop import PopSession
from gmail.replies import LoginRefusal
from tests.gmail.scripted_server import Peer, ScriptedServer, Step, hang_up, read

ADDRESS = "ana@gmail.com"
PASSWORD = "abcdefghijklmnop"
RESPONSE = base64.b64encode(f"\0{ADDRESS}\0{PASSWORD}".encode())
GREETING = b"+OK Gpop ready\r\n"
FAREWELL: list[Step] = [read, b"+OK Farewell.\r\n"]


def logged_in(*then: Step) -> list[Step]:
    return [GREETING, read, b"+ \r\n", read, b"+OK Welcome.\r\n", *then]


def enter(server: ScriptedServer, endpoints: Endpoints) -> PopSession:
    return PopSession.open(
        server.endpoints(endpoints), address=ADDRESS, app_password=PASSWORD, timeout=2
    )


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    yield tmp_path_factory.mktemp("certificates")


@pytest.mark.parametrize(
    ("greeting", "error"),
    [
        (b"", Unreachable),
        (b"+OK half a gree", Unreachable),
        (b"HTTP/1.1 400 Bad Request\r\n", Unreachable),
        (b"-ERR [SYS/TEMP] Temporary system problem.\r\n", Temporary),
    ],
)
def test_it_opens_nothing_where_it_is_not_greeted(
    certificates: Path, endpoints: Endpoints, greeting: bytes, error: type[GmailError]
) -> None:
    with ScriptedServer(certificates, [greeting, hang_up]) as server, pytest.raises(error):
        enter(server, endpoints)


def test_it_tells_no_secret_that_the_server_quotes(
    certificates: Path, endpoints: Endpoints
) -> None:
    refusal = b"-ERR [AUTH] " + RESPONSE + b" is " + PASSWORD.encode() + b"\r\n"
    script = [GREETING, read, b"+ \r\n", read, refusal]
    with (
        ScriptedServer(certificates, script) as server,
        pytest.raises(AuthRefused) as caught,
    ):
        enter(server, endpoints)
    assert RESPONSE in server.heard
    assert (caught.value.why, caught.value.said) == (LoginRefusal.CREDENTIALS, "[AUTH] *** is ***")


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"", Unreachable),
        (b"???\r\n", Unreachable),
        (b"-ERR [SYS/TEMP] Try again later.\r\n", Temporary),
        (b"-ERR Nobody knows\r\n", Temporary),
        (b"+ \r\n+ \r\n+ \r\n", Unreachable),
    ],
)
def test_it_takes_what_it_does_not_understand_of_a_login_for_passing(
    certificates: Path, endpoints: Endpoints, answer: bytes, error: type[GmailError]
) -> None:
    script = [GREETING, read, b"+ \r\n", read, answer, hang_up]
    with ScriptedServer(certificates, script) as server, pytest.raises(error):
        enter(server, endpoints)


def test_it_asks_for_the_recent_mail_by_its_user_name(
    certificates: Path, endpoints: Endpoints
) -> None:
    with ScriptedServer(certificates, logged_in(*FAREWELL)) as server:
        PopSession.open(
            server.endpoints(endpoints),
            address=ADDRESS,
            app_password=PASSWORD,
            timeout=2,
            recent=True,
        ).close()
    expected = base64.b64encode(f"\0recent:{ADDRESS}\0{PASSWORD}".encode())
    assert expected in server.heard.splitlines()


@pytest.mark.parametrize(
    "answer",
    [
        b"+OK\r\n1 abc\r\n2 d",
        b"+OK\r\n1 abc\r\nno number\r\n.\r\n",
        b"+OK\r\n1\r\n.\r\n",
        b"+OK\r\n1 abc\r\n",
        b"???\r\n",
        b"",
    ],
)
def test_a_session_is_over_after_an_answer_that_makes_no_sense(
    certificates: Path, endpoints: Endpoints, answer: bytes
) -> None:
    with ScriptedServer(certificates, logged_in(read, answer, hang_up)) as server:
        session = enter(server, endpoints)
        with pytest.raises(SessionEnded):
            session.uidls()
        assert not session.alive
        with pytest.raises(SessionEnded):
            session.top(1)
        session.close()


def flood(peer: Peer) -> None:
    """Until the other side has had enough."""
    while True:
        peer.connection.sendall(b"x" * 100_000)


def flood_of_lines(peer: Peer) -> None:
    while True:
        peer.connection.sendall(b"x" * 98 + b"\r\n")


def flood_of_bare_line_feeds(peer: Peer) -> None:
    while True:
        peer.connection.sendall(b"\n" * 100_000)


@pytest.mark.parametrize("endless", [flood, flood_of_bare_line_feeds])
def test_it_does_not_read_a_greeting_without_end(
    certificates: Path, endpoints: Endpoints, endless: Step
) -> None:
    with (
        ScriptedServer(certificates, [b"+OK ", endless]) as server,
        pytest.raises(Unreachable, match="did not greet"),
    ):
        enter(server, endpoints)


@pytest.mark.parametrize("endless", [flood, flood_of_lines])
def test_a_session_is_over_after_an_answer_without_end(
    certificates: Path, endpoints: Endpoints, monkeypatch: pytest.MonkeyPatch, endless: Step
) -> None:
    monkeypatch.setattr(pop_line, "_LONGEST_ANSWER", 2_000_000)
    with ScriptedServer(certificates, logged_in(read, b"+OK\r\n", endless)) as server:
        session = enter(server, endpoints)
        with pytest.raises(SessionEnded, match="no end"):
            session.retrieve(1)
        assert not session.alive


def test_a_farewell_is_no_answer(certificates: Path, endpoints: Endpoints) -> None:
    script = logged_in(b"-ERR Disconnected for inactivity.\r\n", hang_up)
    with ScriptedServer(certificates, script) as server:
        session = enter(server, endpoints)
        server.wait()
        with pytest.raises(SessionEnded, match="inactivity"):
            session.uidls()


def test_it_keeps_every_octet_of_a_message(certificates: Path, endpoints: Endpoints) -> None:
    sent = b"+OK\r\na\n.\nb\r\n..\r\n...c\r\nd\r\r\n" + b"x" * 9_999 + b"\n\r\n.\r\n"
    with ScriptedServer(certificates, logged_in(read, sent, *FAREWELL)) as server:
        session = enter(server, endpoints)
        kept = b"a\n.\nb\r\n.\r\n..c\r\nd\r\r\n" + b"x" * 9_999 + b"\n\r\n"
        assert session.retrieve(1) == kept
        session.close()


def test_it_deletes_nothing(certificates: Path, endpoints: Endpoints) -> None:
    script = logged_in(
        *(read, b"+OK\r\n1 a\r\n.\r\n"),
        *(read, b"+OK\r\nSubject: x\r\n\r\n.\r\n"),
        *(read, b"+OK\r\nSubject: x\r\n\r\nx\r\n.\r\n"),
        *FAREWELL,
    )
    with ScriptedServer(certificates, script) as server:
        session = enter(server, endpoints)
        for number in session.uidls().values():
            session.top(number)
            session.retrieve(number)
        session.close()
    said = server.heard.splitlines()
    assert said[-4:] == [b"UIDL", b"TOP 1 0", b"RETR 1", b"QUIT"]
    assert not any(line.upper().startswith(b"DELE") for line in said)


def test_it_goes_on_when_the_server_says_no(certificates: Path, endpoints: Endpoints) -> None:
    script = logged_in(
        read, b"-ERR no such message\r\n", read, b"+OK\r\n2 b\r\n1 a\r\n.\r\n", *FAREWELL
    )
    with ScriptedServer(certificates, script) as server:
        session = enter(server, endpoints)
        with pytest.raises(Temporary, match="no such message"):
            session.top(9)
        assert list(session.uidls().items()) == [("b", 2), ("a", 1)]
        session.close()
