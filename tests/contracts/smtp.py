"""What holds for sending by SMTP."""

import contextlib
from dataclasses import replace
from typing import Any

import pytest

from gmail.endpoints import Endpoints
from gmail.errors import ConnectionLost, Refused
from gmail.smtp import SmtpSession
from gmail.smtp_line import Security
from tests.contracts import login
from tests.contracts.mail import HARD_BODIES, expect_the_end, message, new_id
from tests.contracts.server import MailServer

LARGE = b"z" * 70 + b"\r\n"
LARGE *= 5 * 1024 * 1024 // len(LARGE)


class LoggingIn(login.LoggingIn):
    """With TLS from the start."""

    security: Security = "ssl"

    def open(self, endpoints: Endpoints, **login: Any) -> SmtpSession:
        return SmtpSession.open(endpoints, security=self.security, **login)


class LoggingInAfterStartTls(LoggingIn):
    security = "starttls"

    def test_it_uses_the_port_for_starttls(self, server: MailServer) -> None:
        elsewhere = replace(server.endpoints, smtp_ssl_port=1)
        session = self.open(elsewhere, address=server.address, access_token=server.fresh_token())
        session.close()


class Sending:
    @pytest.mark.parametrize("security", ["ssl", "starttls"])
    @pytest.mark.parametrize("kind", [*HARD_BODIES, "large"])
    def test_it_delivers_a_message_as_it_is(
        self, server: MailServer, kind: str, security: Security
    ) -> None:
        to = new_id()
        sent = message({**HARD_BODIES, "large": LARGE}[kind], to=to)
        session = open_smtp(server, security)
        deliver(session, server, to, sent)
        session.close()
        (received,) = server.accepted(to)
        assert received.endswith(sent)

    def test_it_delivers_one_message_after_another(self, server: MailServer) -> None:
        session = open_smtp(server)
        recipients = [new_id() for _ in range(5)]
        for to in recipients:
            deliver(session, server, to, message(to=to))
        session.close()
        assert [len(server.accepted(to)) for to in recipients] == [1] * 5

    def test_a_message_that_was_abandoned_is_never_accepted(self, server: MailServer) -> None:
        to = new_id()
        session = open_smtp(server)
        session.begin(server.address, to)
        session.body(message(to=to))
        session.abandon()
        other = open_smtp(server)
        deliver(other, server, new_id(), message())
        other.close()
        assert server.accepted(to) == []

    def test_a_new_session_carries_on_where_the_server_ended_one(self, server: MailServer) -> None:
        to = new_id()
        session = open_smtp(server)
        server.end_sessions("smtp")

        def begin_again() -> None:
            with contextlib.suppress(Refused):  # one that is begun already
                session.begin(server.address, to)

        expect_the_end(begin_again, ConnectionLost)
        assert not session.alive
        other = open_smtp(server)
        deliver(other, server, to, message(to=to))
        other.close()
        assert len(server.accepted(to)) == 1


def open_smtp(server: MailServer, security: Security = "ssl") -> SmtpSession:
    return SmtpSession.open(
        server.endpoints,
        security=security,
        address=server.address,
        app_password=server.app_password,
        timeout=20,
    )


def deliver(session: SmtpSession, server: MailServer, to: str, content: bytes) -> None:
    session.begin(server.address, to)
    session.body(content)
    assert session.finish().code == 250
