"""IMAP where no good server says it: broken, hostile and half-dead answers."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from gmail.endpoints import Endpoints
from gmail.errors import AuthRefused, GmailError, SessionEnded, Temporary, Unreachable
from gmail.imap import ImapSession
from gmail.replies import LoginRefusal
from tests.gmail.scripted_server import Peer, ScriptedServer, Step, hang_up, read

ADDRESS = "ana@gmail.com"
PASSWORD = "abcdefghijklmnop"
GREETING = b"* OK Gimap ready\r\n"
CAPABILITY = b"* CAPABILITY IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2\r\n"


def answering(*before: bytes, end: bytes = b"OK done") -> Step:
    """Read a command; say what comes before its answer, and the answer with the command's tag."""

    def step(peer: Peer) -> None:
        peer.take(b"\r\n")
        tag = peer.heard.splitlines()[-1].split()[0]
        peer.connection.sendall(b"".join(before) + tag + b" " + end + b"\r\n")

    return step


def authenticating(end: bytes) -> list[Step]:
    """AUTHENTICATE, `+`, the secret, and the end, with the command's tag."""

    def step(peer: Peer) -> None:
        peer.take(b"\r\n")
        tag = peer.heard.splitlines()[-1].split()[0]
        peer.connection.sendall(b"+ \r\n")
        peer.take(b"\r\n")
        response = peer.heard.splitlines()[-1]
        said = end.replace(b"RESPONSE", response)
        peer.connection.sendall(tag + b" " + said + b"\r\n" if said else b"")

    return [GREETING, answering(CAPABILITY), step]


def logged_in(extension: bytes = b"") -> list[Step]:
    offered = CAPABILITY.replace(b"\r\n", b" " + extension + b"\r\n")
    return [*authenticating(b"OK Success"), answering(offered)]


LOG_OUT = answering(b"* BYE Goodbye\r\n")
EXAMINED = b"* 9 EXISTS\r\n* OK [UIDVALIDITY 1] ok\r\n* OK [UIDNEXT 120001] ok\r\n"


def enter(server: ScriptedServer, endpoints: Endpoints) -> ImapSession:
    return ImapSession.open(
        server.endpoints(endpoints), address=ADDRESS, app_password=PASSWORD, timeout=2
    )


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    yield tmp_path_factory.mktemp("certificates")


@pytest.mark.parametrize(
    ("greeting", "error"),
    [
        (b"", Unreachable),
        (b"HTTP/1.1 400 Bad Request\r\n", Unreachable),
        (b"* OK \xff\r\n* CAPABILITY \xff\r\n", Unreachable),
        (b"* BYE Temporary System Error\r\n", Temporary),
    ],
)
def test_it_opens_nothing_where_it_is_not_greeted(
    certificates: Path, endpoints: Endpoints, greeting: bytes, error: type[GmailError]
) -> None:
    with (
        ScriptedServer(certificates, [greeting, hang_up]) as server,
        pytest.raises(error),
    ):
        enter(server, endpoints)


@pytest.mark.parametrize(
    ("end", "why"),
    [
        (b"NO [AUTHENTICATIONFAILED] RESPONSE is wrong", LoginRefusal.CREDENTIALS),
        (b"NO [ALERT] Your account is not enabled for IMAP use.", LoginRefusal.SWITCHED_OFF),
    ],
)
def test_it_tells_no_secret_that_the_server_quotes(
    certificates: Path, endpoints: Endpoints, end: bytes, why: LoginRefusal
) -> None:
    with (
        ScriptedServer(certificates, authenticating(end)) as server,
        pytest.raises(AuthRefused) as caught,
    ):
        enter(server, endpoints)
    assert caught.value.why is why
    assert caught.value.__context__ is None
    assert b"AG" in server.heard  # the secret, in base64, was given
    assert not re.search("AG[A-Za-z0-9]{20}", str(caught.value))


@pytest.mark.parametrize(
    ("end", "error"),
    [
        (b"", Unreachable),
        (b"BAD RESPONSE", Temporary),
        (b"NO [UNAVAILABLE] Temporary System Error (Failure)", Temporary),
        (b"NO Nobody knows", Temporary),
    ],
)
def test_it_takes_what_it_does_not_understand_of_a_login_for_passing(
    certificates: Path, endpoints: Endpoints, end: bytes, error: type[GmailError]
) -> None:
    script = [*authenticating(end), hang_up]
    with ScriptedServer(certificates, script) as server, pytest.raises(error) as caught:
        enter(server, endpoints)
    assert not re.search("AG[A-Za-z0-9]{20}", str(caught.value))


def test_it_is_unreachable_when_gmail_says_goodbye_at_the_login(
    certificates: Path, endpoints: Endpoints
) -> None:
    goodbye = b"* BYE Session expired, please login again.\r\n"
    script = [GREETING, answering(CAPABILITY), read, goodbye, hang_up]
    with (
        ScriptedServer(certificates, script) as server,
        pytest.raises(Unreachable, match="lost while logging in"),
    ):
        enter(server, endpoints)


@pytest.mark.parametrize(
    "answer",
    [
        b"* BYE Session expired, please login again.\r\n",
        b"* SEARCH one two\r\n",
        b"utter nonsense\r\n",
        b"* SEARCH 1 2",
        b"",
    ],
)
def test_a_session_is_over_after_an_answer_that_makes_no_sense(
    certificates: Path, endpoints: Endpoints, answer: bytes
) -> None:
    script = [*logged_in(), read, answer, hang_up]
    if answer == b"* SEARCH one two\r\n":
        script = [*logged_in(), answering(answer)]
    with ScriptedServer(certificates, script) as server:
        session = enter(server, endpoints)
        with pytest.raises(SessionEnded):
            session.find("a@b.example")
        assert not session.alive
        with pytest.raises(SessionEnded):
            session.folders()
        session.close()


def test_it_notices_a_goodbye_that_came_while_it_idled(
    certificates: Path, endpoints: Endpoints
) -> None:
    goodbye = b"* BYE Session expired, please login again.\r\n"
    with ScriptedServer(certificates, [*logged_in(), goodbye, hang_up]) as server:
        session = enter(server, endpoints)
        with pytest.raises(SessionEnded):
            session.examine("INBOX")


def test_it_goes_on_when_the_server_says_no(certificates: Path, endpoints: Endpoints) -> None:
    script = [
        *logged_in(),
        answering(end=b"NO [UNAVAILABLE] Try later"),
        answering(b"* SEARCH 7\r\n"),
        LOG_OUT,
    ]
    with ScriptedServer(certificates, script) as server:
        session = enter(server, endpoints)
        with pytest.raises(Temporary, match="Try later"):
            session.find("a@b.example")
        assert session.alive
        assert session.find("a@b.example") == [7]
        session.close()


def test_it_asks_gmail_in_gmails_words_only_where_they_cannot_be_misread(
    certificates: Path, endpoints: Endpoints
) -> None:
    found = answering(b"* SEARCH 7\r\n")
    script = [*logged_in(b"X-GM-EXT-1"), found, found, LOG_OUT]
    with ScriptedServer(certificates, script) as server:
        session = enter(server, endpoints)
        session.find("a.1@b.example")
        session.find('a" in:anywhere@b.example')
        session.close()
    searches = [line for line in server.heard.splitlines() if b"SEARCH" in line]
    assert searches[0].endswith(b'UID SEARCH X-GM-RAW "rfc822msgid:<a.1@b.example>"')
    assert searches[1].endswith(b'UID SEARCH HEADER MESSAGE-ID "<a\\" in:anywhere@b.example>"')


def test_it_asks_for_many_uids_in_several_answers(certificates: Path, endpoints: Endpoints) -> None:
    script = [
        *logged_in(),
        answering(EXAMINED),
        answering(b"* SEARCH 5 49999\r\n"),
        answering(b"* SEARCH\r\n"),
        answering(b"* SEARCH 120000\r\n"),
        LOG_OUT,
    ]
    with ScriptedServer(certificates, script) as server:
        session = enter(server, endpoints)
        session.examine("INBOX")
        assert session.uids_after(0) == [5, 49_999, 120_000]
        session.close()
    asked = re.findall(rb"SEARCH UID (\S+)", server.heard)
    assert asked == [b"1:50000", b"50001:100000", b"100001:*"]


def test_it_leaves_out_folders_that_cannot_be_opened(
    certificates: Path, endpoints: Endpoints
) -> None:
    listed = (
        b'* LIST (\\HasChildren \\Noselect \\All) "/" "[Gmail]"\r\n'
        b'* LIST (\\HasNoChildren \\SENT) "/" "[Gmail]/Gesendet &AOQ-"\r\n'
        b'* LIST (\\HasNoChildren) "/" "INBOX"\r\n'
        b'* LIST (\\HasNoChildren) "/" "Sent"\r\n'
    )
    with ScriptedServer(certificates, [*logged_in(), answering(listed), LOG_OUT]) as server:
        session = enter(server, endpoints)
        folders = session.folders()
        session.close()
    assert (folders.sent, folders.all_mail, folders.junk) == ("[Gmail]/Gesendet ä", None, None)


def test_it_takes_no_news_for_an_answer(certificates: Path, endpoints: Endpoints) -> None:
    news = (
        b"* 1 FETCH (UID 4 FLAGS (\\Seen))\r\n* 12 EXISTS\r\n"
        b"* 2 FETCH (UID 5 BODY[HEADER] {5}\r\na\r\n\r\n)\r\n"
    )
    script = [*logged_in(), answering(EXAMINED), answering(news), LOG_OUT]
    with ScriptedServer(certificates, script) as server:
        session = enter(server, endpoints)
        session.examine("INBOX")
        assert session.headers([4, 5]) == {5: b"a\r\n\r\n"}
        session.close()


def test_it_only_ever_examines_and_peeks(certificates: Path, endpoints: Endpoints) -> None:
    content = b"* 1 FETCH (UID 5 BODY[]<0> {3}\r\na\r\n)\r\n"
    script = [
        *logged_in(),
        answering(EXAMINED),
        answering(),
        answering(content),
        answering(b"* SEARCH\r\n"),
        LOG_OUT,
    ]
    with ScriptedServer(certificates, script) as server:
        session = enter(server, endpoints)
        session.examine("INBOX")
        assert session.headers([5]) == {}
        assert session.message(5, 99) == b"a\r\n"
        session.find("a@b.example")
        session.close()
    said = [line.split(b" ", 1)[1] for line in server.heard.splitlines() if b" " in line]
    assert said[-5:] == [
        b'EXAMINE "INBOX"',
        b"UID FETCH 5 (BODY.PEEK[HEADER])",
        b"UID FETCH 5 (BODY.PEEK[]<0.99>)",
        b'UID SEARCH HEADER MESSAGE-ID "<a@b.example>"',
        b"LOGOUT",
    ]
