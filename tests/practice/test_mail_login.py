"""Logging in by IMAP and POP: the mechanisms, Gmail's refusals, and how sessions end."""

import base64
import imaplib
import json
import poplib
from contextlib import ExitStack

import pytest

from tests.practice.clients import ANA, ANA_PASSWORD, BEN, OAuthClient, logged_in, xoauth2
from tests.practice.mail_clients import (
    BROKEN,
    imap,
    imap_client,
    imap_line,
    pop,
    pop_line,
    read_until,
    send,
    wire,
)
from tests.practice_gmail import PracticeGmail

BAD_TOKEN = {"status": "400", "schemes": "Bearer", "scope": "https://mail.google.com/"}


def plain(user: str, password: str) -> str:
    return base64.b64encode(f"\0{user}\0{password}".encode()).decode()


def bearer(user: str, token: str) -> str:
    text = f"n,a={user},\1host=imap.gmail.com\1port=993\1auth=Bearer {token}\1\1"
    return base64.b64encode(text.encode()).decode()


@pytest.fixture(scope="module")
def token(shared_gmail: PracticeGmail) -> str:
    return str(OAuthClient(shared_gmail).connect()["access_token"])


def test_it_takes_every_mechanism_with_and_without_an_initial_response(
    gmail: PracticeGmail, token: str
) -> None:
    ways = {
        "XOAUTH2": xoauth2(ANA, token),
        "PLAIN": plain(ANA, ANA_PASSWORD),
        "OAUTHBEARER": bearer(ANA, token),
    }
    for mechanism, response in ways.items():
        with imap_line(gmail) as client:
            assert f"AUTH={mechanism}" in client.capabilities
            said = client.authenticate(mechanism, lambda _, said=response: base64.b64decode(said))
            assert said == ("OK", [b"ana@gmail.com authenticated (Success)"])
        with wire(gmail, "GMAIL_IMAP_PORT") as line:
            line.sendall(f"a AUTHENTICATE {mechanism} {response}\r\n".encode())
            assert b"\r\na OK ana@gmail.com authenticated" in read_until(line, b"(Success)\r\n")
        with pop_line(gmail) as client:
            assert mechanism in client.capa()["SASL"]
            assert client._shortcmd(f"AUTH {mechanism} {response}") == b"+OK Welcome."
        with pop_line(gmail) as client:
            client._putcmd(f"AUTH {mechanism}")
            assert client._getline()[0] == b"+ "
            assert client._shortcmd(response) == b"+OK Welcome."


def test_it_tells_why_a_token_is_no_good(gmail: PracticeGmail, token: str) -> None:
    for user, given in ((ANA, "ya29.wrong"), (BEN, token)):
        with wire(gmail, "GMAIL_IMAP_PORT") as line:
            read_until(line, b"\r\n")
            line.sendall(f"a AUTHENTICATE XOAUTH2 {xoauth2(user, given)}\r\n".encode())
            challenge = read_until(line, b"\r\n")
            assert json.loads(base64.b64decode(challenge[2:])) == BAD_TOKEN
            line.sendall(b"\r\n")
            refusal = b"a NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)\r\n"
            assert read_until(line, b"\r\n") == refusal
        with pop_line(gmail) as client:
            client._putcmd(f"AUTH XOAUTH2 {xoauth2(user, given)}")
            challenge = client._getline()[0]
            assert json.loads(base64.b64decode(challenge[2:])) == BAD_TOKEN
            with pytest.raises(poplib.error_proto, match=r"\[AUTH\] Username and password not"):
                client._shortcmd("")


def test_it_refuses_wrong_passwords_and_goes_on(gmail: PracticeGmail) -> None:
    with imap_line(gmail) as client:
        for user, password in ((ANA, "wrong"), ("nobody@gmail.com", ANA_PASSWORD), (BEN, '""')):
            with pytest.raises(imaplib.IMAP4.error, match="AUTHENTICATIONFAILED"):
                client.login(user, password)
        for nonsense in ("LOGIN", "CRAM-MD5", "NOTHING"):
            with pytest.raises(imaplib.IMAP4.error, match="Unsupported"):
                client.authenticate(nonsense, lambda _: b"")
        assert client.login(ANA, ANA_PASSWORD)[0] == "OK"
    with pop_line(gmail) as client:
        for user in (ANA, "nobody@gmail.com"):
            client.user(user)
            with pytest.raises(poplib.error_proto, match=r"\[AUTH\] Username and password not"):
                client.pass_("wrong")
        client.user(ANA)
        assert client.pass_(ANA_PASSWORD) == b"+OK Welcome."


def test_it_says_that_a_protocol_is_switched_off(gmail: PracticeGmail, token: str) -> None:
    gmail.control(imap={ANA: False}, pop={ANA: False})
    sentence = "Your account is not enabled for {0} {1}. Please visit your Gmail settings page and "
    with imap_line(gmail) as client:
        with pytest.raises(imaplib.IMAP4.error) as refused:
            client.login(ANA, ANA_PASSWORD)
        assert "[ALERT] " + sentence.format("IMAP", "use") in str(refused.value)
        with pytest.raises(imaplib.IMAP4.error, match="not enabled for IMAP use"):
            client.authenticate("XOAUTH2", lambda _: base64.b64decode(xoauth2(ANA, token)))
    with pop_line(gmail) as client:
        client.user(ANA)
        with pytest.raises(poplib.error_proto) as refused:
            client.pass_(ANA_PASSWORD)
        assert "[SYS/PERM] " + sentence.format("POP", "access") in str(refused.value)
    with imap(gmail, BEN), pop(gmail, BEN):
        pass


def test_it_counts_logins_by_protocol(gmail: PracticeGmail) -> None:
    def logins() -> dict[str, int]:
        rows = gmail.control()["accounts"]
        return dict(next(row["logins"] for row in rows if row["email"] == BEN))

    before = logins()
    with imap(gmail, BEN), pop(gmail, BEN), imap(gmail, BEN), logged_in(gmail, BEN):
        pass
    with pytest.raises(imaplib.IMAP4.error), imap_line(gmail) as client:
        client.login(BEN, "wrong")
    after = logins()
    assert {key: after[key] - before[key] for key in after} == {"smtp": 1, "imap": 2, "pop": 1}


def test_it_allows_fifteen_imap_connections(gmail: PracticeGmail) -> None:
    with ExitStack() as open_ones:
        for _ in range(15):
            open_ones.enter_context(imap(gmail, BEN))
        with imap_line(gmail) as client:
            with pytest.raises(imaplib.IMAP4.error, match="Too many simultaneous connections"):
                client.login(BEN, gmail.app_password(BEN))
            assert client.login(ANA, ANA_PASSWORD)[0] == "OK"


def test_it_ends_a_session_with_its_token(gmail: PracticeGmail) -> None:
    send(gmail, "cleo@example.org")
    token = str(OAuthClient(gmail).connect()["access_token"])
    with imap_line(gmail) as client, pop_line(gmail) as dropped, imap(gmail) as other:
        client.authenticate("XOAUTH2", lambda _: base64.b64decode(xoauth2(ANA, token)))
        dropped._shortcmd(f"AUTH XOAUTH2 {xoauth2(ANA, token)}")
        client.select("INBOX", readonly=True)
        gmail.control(clock_offset=3_500)
        assert (client.noop()[0], dropped.noop()) == ("OK", b"+OK ")
        gmail.control(clock_offset=3_700)
        with pytest.raises(imaplib.IMAP4.abort, match="Session expired, please login again"):
            client.noop()
        with pytest.raises(poplib.error_proto, match="Session expired"):
            dropped.noop()
        # A session by app password lives on, up to a day.
        assert other.noop()[0] == "OK"
        gmail.control(clock_offset=90_000)
        with pytest.raises(imaplib.IMAP4.abort, match="Session expired"):
            other.noop()


def test_it_says_goodbye_to_a_silent_session_too(gmail: PracticeGmail) -> None:
    token = str(OAuthClient(gmail).connect()["access_token"])
    with wire(gmail, "GMAIL_IMAP_PORT") as line:
        line.sendall(f"a AUTHENTICATE XOAUTH2 {xoauth2(ANA, token)}\r\nb IDLE\r\n".encode())
        read_until(line, b"+\r\n")
        gmail.control(clock_offset=3_700)
        assert read_until(line, b"again.\r\n") == b"* BYE Session expired, please login again.\r\n"
        assert line.recv(10) == b""


def test_it_ends_sessions_on_demand(gmail: PracticeGmail) -> None:
    with imap(gmail) as client, pop(gmail) as dropped, logged_in(gmail) as sender:
        gmail.control(end_sessions="imap")
        with pytest.raises(imaplib.IMAP4.abort, match="Session expired"):
            client.noop()
        assert (dropped.noop(), sender.noop()[0]) == (b"+OK ", 250)
        gmail.control(end_sessions="pop")
        with pytest.raises(poplib.error_proto, match="Session expired"):
            dropped.noop()
        gmail.control(end_sessions="smtp")
        assert sender.noop()[0] == 421


def test_it_ends_a_session_between_the_messages_of_a_fetch(gmail: PracticeGmail) -> None:
    text = "\r\n".join(["x" * 990] * 3_000)
    for _ in range(3):
        send(gmail, "cleo@example.org", text=text)
    with wire(gmail, "GMAIL_IMAP_PORT") as line:
        line.sendall(f'a LOGIN {ANA} "{ANA_PASSWORD}"\r\n'.encode())
        line.sendall(b'b EXAMINE "[Gmail]/Sent Mail"\r\n')
        read_until(line, b"b OK")
        line.sendall(b"c FETCH 1:* (BODY.PEEK[])\r\n")
        read_until(line, b" FETCH (")
        gmail.control(end_sessions="imap")
        said = read_until(line, b"c OK")
        assert said.endswith(b")\r\n* BYE Session expired, please login again.\r\n")


@pytest.mark.parametrize(
    "reply",
    [
        "NO [ALERT] Application-specific password required: https://example.org (Failure)",
        "NO [WEBALERT https://accounts.google.com/x] Web login required. (Failure)",
        "NO [UNAVAILABLE] Temporary System Error (Failure)",
    ],
)
def test_it_refuses_a_login_by_imap_on_demand(gmail: PracticeGmail, reply: str) -> None:
    gmail.control(faults=[{"protocol": "imap", "where": "auth", "reply": reply, "account": ANA}])
    with imap(gmail, BEN), imap_line(gmail) as client:
        with pytest.raises(imaplib.IMAP4.error) as refused:
            client.login(ANA, ANA_PASSWORD)
        assert reply.removeprefix("NO ") in str(refused.value)
        assert client.login(ANA, ANA_PASSWORD)[0] == "OK"


@pytest.mark.parametrize("where", ["connect", "list", "select", "search", "fetch"])
@pytest.mark.parametrize("what", [{"drop": True}, {"reply": "BYE System Error"}])
def test_it_breaks_at_every_step_of_imap(
    gmail: PracticeGmail, where: str, what: dict[str, object]
) -> None:
    send(gmail, "cleo@example.org")

    def read_all() -> None:
        with imap_client(gmail) as client:
            client.list_folders()
            client.select_folder("[Gmail]/Sent Mail", readonly=True)
            client.fetch(client.search(), ["BODY.PEEK[]"])

    gmail.control(faults=[{"protocol": "imap", "where": where, **what}])
    with pytest.raises((*BROKEN, imaplib.IMAP4.error)):
        read_all()
    assert gmail.control()["faults"] == []
    read_all()


@pytest.mark.parametrize("where", ["auth", "uidl", "top", "retr"])
@pytest.mark.parametrize("what", [{"drop": True}, {"reply": "-ERR [SYS/TEMP] Try again later."}])
def test_it_breaks_at_every_step_of_pop(
    gmail: PracticeGmail, where: str, what: dict[str, object]
) -> None:
    send(gmail, "cleo@example.org")

    def read_one() -> None:
        with pop(gmail) as client:
            client.uidl()
            client.top(1, 0)
            client.retr(1)

    gmail.control(faults=[{"protocol": "pop", "where": where, **what}])
    with pytest.raises(BROKEN):
        read_one()
    assert gmail.control()["faults"] == []
    read_one()


def test_it_breaks_before_a_word_of_pop_was_said(gmail: PracticeGmail) -> None:
    reply = "-ERR [SYS/TEMP] Temporary system problem. Please try again later."
    gmail.control(faults=[{"protocol": "pop", "where": "connect", "reply": reply}])
    with wire(gmail, "GMAIL_POP_PORT") as line:
        assert read_until(line, b"never") == reply.encode() + b"\r\n"
    gmail.control(faults=[{"protocol": "pop", "where": "connect", "drop": True}])
    with wire(gmail, "GMAIL_POP_PORT") as line:
        assert read_until(line, b"never") == b""


def test_it_falls_silent_and_then_carries_on(gmail: PracticeGmail) -> None:
    send(gmail, "cleo@example.org")
    steps = [("imap", "auth"), ("imap", "fetch"), ("pop", "connect"), ("pop", "top")]
    faults = [{"protocol": each, "where": where, "hang": 0.2} for each, where in steps]
    gmail.control(faults=faults)
    with imap_client(gmail) as client, pop(gmail) as dropped:
        client.select_folder("[Gmail]/Sent Mail", readonly=True)
        assert client.fetch([client.search()[0]], ["UID"])
        assert dropped.top(1, 0)[0].startswith(b"+OK")
    assert gmail.control()["faults"] == []


def test_it_closes_a_silent_connection(tmp_path_factory: pytest.TempPathFactory) -> None:
    directory = tmp_path_factory.mktemp("practice") / "gmail"
    with PracticeGmail(directory, idle_timeout=0.3) as gmail:
        with wire(gmail, "GMAIL_IMAP_PORT") as line:
            assert read_until(line, b"* BYE Connection timed out").endswith(b"too long\r\n")
        with wire(gmail, "GMAIL_POP_PORT") as line:
            assert read_until(line, b"never").startswith(b"+OK Gpop ready")
