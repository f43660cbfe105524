"""What holds for reading by POP."""

from typing import Any

import pytest

from gmail.endpoints import Endpoints
from gmail.errors import SessionEnded, Temporary
from gmail.pop import PopSession
from tests.contracts import login
from tests.contracts.imap import header_of
from tests.contracts.mail import (
    HARD_BODIES,
    HUGE,
    LONG_LINES,
    expect_the_end,
    flags_in_inbox,
    message,
)
from tests.contracts.server import MailServer

FAR = 99_999


class LoggingIn(login.LoggingIn):
    def open(self, endpoints: Endpoints, **login: Any) -> PopSession:
        return PopSession.open(endpoints, **login)


class Reading:
    @pytest.mark.parametrize("kind", [*HARD_BODIES, "long lines", "huge"])
    def test_it_reads_a_message_as_it_is(self, server: MailServer, kind: str) -> None:
        body = {**HARD_BODIES, "long lines": LONG_LINES, "huge": HUGE}[kind]
        sent = message(body)
        name = put(server, sent)
        session = open_pop(server)
        assert session.top(session.uidls()[name]) == header_of(sent)
        assert session.retrieve(session.uidls()[name]) == sent
        session.close()

    def test_it_reads_as_much_of_the_body_as_was_asked(self, server: MailServer) -> None:
        sent = message(b"one\r\n.two\r\nthree\r\n")
        name = put(server, sent)
        session = open_pop(server)
        number = session.uidls()[name]
        assert session.top(number, 2) == header_of(sent) + b"one\r\n.two\r\n"
        assert session.top(number, 1_000) == sent
        session.close()

    def test_it_calls_a_message_the_same_in_every_session(self, server: MailServer) -> None:
        put(server, message())
        before = names(server)
        assert names(server) == before
        new = put(server, message())
        after = names(server)
        assert [name for name in after if name != new] == before

    def test_a_header_may_be_read_again_and_again(self, server: MailServer) -> None:
        sent = message()
        name = put(server, sent)
        for _ in range(3):
            session = open_pop(server)
            assert session.top(session.uidls()[name]) == header_of(sent)
            session.close()

    def test_it_leaves_unread_and_in_place_what_it_reads(self, server: MailServer) -> None:
        name = put(server, message())
        before = names(server)
        flags = flags_in_inbox(server)
        session = open_pop(server)
        session.top(session.uidls()[name], 5)
        session.close()
        assert names(server) == before
        assert flags_in_inbox(server) == flags

    def test_it_goes_on_after_a_number_that_is_not_there(self, server: MailServer) -> None:
        name = put(server, message())
        session = open_pop(server)
        for ask in (session.top, session.retrieve):
            with pytest.raises(Temporary):
                ask(FAR)
        assert session.alive
        assert name in session.uidls()
        session.close()

    def test_a_new_session_carries_on_where_the_server_ended_one(self, server: MailServer) -> None:
        name = put(server, message())
        session = open_pop(server)
        number = session.uidls()[name]
        server.end_sessions("pop")
        expect_the_end(lambda: session.top(number), SessionEnded)
        assert not session.alive
        with pytest.raises(SessionEnded):
            session.uidls()
        assert name in names(server)


def open_pop(server: MailServer) -> PopSession:
    return PopSession.open(
        server.endpoints, address=server.address, app_password=server.app_password, timeout=20
    )


def names(server: MailServer) -> list[str]:
    session = open_pop(server)
    found = list(session.uidls())
    session.close()
    return found


def put(server: MailServer, content: bytes) -> str:
    """File `content` in the inbox; what POP calls it."""
    before = names(server)
    server.put(content)
    (new,) = [name for name in names(server) if name not in before]
    return new
