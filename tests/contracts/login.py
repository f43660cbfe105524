"""What holds for logging in over every protocol."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Protocol

import pytest

from gmail.endpoints import Endpoints
from gmail.errors import AuthRefused, Unreachable
from gmail.replies import LoginRefusal
from tests.contracts.server import MailServer

STRANGER = "nobody.here@gmail.com"
WRONG = "wxyz-Sesame-wxyz"


class Session(Protocol):
    @property
    def alive(self) -> bool: ...

    def close(self) -> None: ...


class LoggingIn:
    """A subclass says how to open a session."""

    def open(self, endpoints: Endpoints, **login: Any) -> Session:
        raise NotImplementedError

    def open_at(self, server: MailServer, **login: Any) -> Session:
        return self.open(server.endpoints, **{"address": server.address, "timeout": 20} | login)

    def test_it_logs_in_by_a_token(self, server: MailServer) -> None:
        session = self.open_at(server, access_token=server.fresh_token())
        assert session.alive
        session.close()
        assert not session.alive

    def test_it_logs_in_by_an_app_password_as_google_shows_it(self, server: MailServer) -> None:
        letters = "".join(server.app_password.split())
        in_groups = " ".join(letters[start : start + 4] for start in range(0, len(letters), 4))
        self.open_at(server, app_password=in_groups).close()

    def test_it_may_be_closed_twice(self, server: MailServer) -> None:
        session = self.open_at(server, app_password=server.app_password)
        session.close()
        session.close()

    def test_it_is_refused_with_a_wrong_app_password(self, server: MailServer) -> None:
        error = self.refusal(server, app_password=WRONG)
        assert error.why is LoginRefusal.CREDENTIALS

    def test_it_is_refused_with_a_wrong_token_and_hears_the_reason(
        self, server: MailServer
    ) -> None:
        error = self.refusal(server, access_token=WRONG)
        assert error.why is LoginRefusal.CREDENTIALS
        assert "token status 40" in error.said

    def test_it_can_give_a_token_of_several_kilobytes(self, server: MailServer) -> None:
        error = self.refusal(server, access_token="ya29." + "x" * 3_000)
        assert error.why is LoginRefusal.CREDENTIALS

    @pytest.mark.parametrize("secret", ["access_token", "app_password"])
    def test_it_is_refused_for_an_address_that_is_not_there(
        self, server: MailServer, secret: str
    ) -> None:
        good = {"access_token": server.fresh_token(), "app_password": server.app_password}
        error = self.refusal(server, address=STRANGER, **{secret: good[secret]})
        assert error.why is LoginRefusal.CREDENTIALS

    def test_it_gives_a_secret_that_looks_like_a_command_as_a_secret(
        self, server: MailServer
    ) -> None:
        error = self.refusal(server, app_password='"x"\r\nA1 LOGOUT\r\nQUIT\r\n{3}')
        assert error.why is LoginRefusal.CREDENTIALS

    def test_it_takes_exactly_one_secret(self, server: MailServer) -> None:
        for secrets in ({}, {"access_token": "a", "app_password": "b"}):
            with pytest.raises(ValueError, match="either"):
                self.open_at(server, **secrets)

    def test_it_trusts_the_certificate_for_the_sake_of_one_more_root_only(
        self, server: MailServer
    ) -> None:
        without = replace(server.endpoints, ca_file="")
        with pytest.raises(Unreachable, match="certificate is not trusted"):
            self.open(without, address=server.address, app_password=WRONG)

    def refusal(self, server: MailServer, **login: Any) -> AuthRefused:
        """How this login is refused, which tells no secret."""
        with pytest.raises(AuthRefused) as caught:
            self.open_at(server, **login)
        for told in everything_told(caught.value):
            for secret in (login.get("access_token"), login.get("app_password")):
                assert secret is None or secret not in told
        return caught.value


def everything_told(error: BaseException | None) -> Iterator[str]:
    """The texts of an error and of all that led to it."""
    if error is not None:
        yield f"{error} {error!r} {vars(error)}"
        yield from everything_told(error.__cause__)
        yield from everything_told(error.__context__)
