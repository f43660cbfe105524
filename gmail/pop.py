"""One POP session with Gmail, for reading only: no DELE is ever said.

Gmail hides a message that was fetched whole (RETR) from later sessions; its header (TOP) may be
fetched as often as one likes. IMAP has no such trap.
"""

from __future__ import annotations

import contextlib

from gmail.endpoints import Endpoints
from gmail.errors import AuthRefused, SessionEnded, Temporary, Unreachable
from gmail.login import MOST_CHALLENGES, Login
from gmail.pop_line import GO_ON, OK, PopLine
from gmail.replies import reading_refusal

# https://support.google.com/mail/answer/7104828: the last 30 days, also what was fetched already.
_RECENT = "recent:"


class PopSession:
    """A logged-in connection that reads. Messages have numbers that hold in this session only.

    Every method may raise SessionEnded, after which a new session carries on where this one
    stopped, or Temporary when the server said no to this one request.
    """

    def __init__(self, line: PopLine) -> None:
        self._line = line

    @classmethod
    def open(
        cls,
        endpoints: Endpoints,
        *,
        address: str,
        access_token: str | None = None,
        app_password: str | None = None,
        timeout: float = 60,
        recent: bool = False,
    ) -> PopSession:
        """Connect under TLS and log in, by an OAuth access token or by an app password.

        `timeout`, in seconds, holds for each wait on the network, here and later. `recent` shows
        the last 30 days, whatever was fetched before. Raises Unreachable, Temporary or
        AuthRefused; then nothing is left open.
        """
        user = f"{_RECENT}{address}" if recent else address
        login = Login.by(user, access_token=access_token, app_password=app_password)
        line = PopLine(endpoints, timeout)
        try:
            _log_in(line, login)
        except BaseException as err:
            line.drop()
            if isinstance(err, SessionEnded):
                raise Unreachable(f"{endpoints.pop_host}: {err}") from err
            raise
        return cls(line)

    @property
    def alive(self) -> bool:
        """Whether something can be asked, as far as this side has heard."""
        return self._line.alive

    def uidls(self) -> dict[str, int]:
        """What each message is called for good -> its number, in the server's order."""
        listing = self._line.ask_for_lines("UIDL").decode("ascii", "replace")
        try:
            pairs = [line.split(maxsplit=1) for line in listing.splitlines()]
            return {name.strip(): int(number) for number, name in pairs}
        except ValueError as err:
            self._line.drop()
            raise SessionEnded("The server's answer made no sense.") from err

    def top(self, number: int, lines: int = 0) -> bytes:
        """The header, the empty line after it, and so many lines of the body."""
        return self._line.ask_for_lines(f"TOP {number:d} {lines:d}")

    def retrieve(self, number: int) -> bytes:
        """The whole message. On Gmail it disappears from later sessions."""
        return self._line.ask_for_lines(f"RETR {number:d}")

    def close(self) -> None:
        """Say QUIT and hang up. Never raises."""
        if self.alive:
            with contextlib.suppress(SessionEnded, Temporary):
                self._line.ask("QUIT")
        self._line.drop()


def _log_in(line: PopLine, login: Login) -> None:
    """RFC 5034, without an initial response: a token makes a line longer than some take."""
    answer = line.ask(f"AUTH {login.mechanism}")
    for _ in range(MOST_CHALLENGES):
        if answer.status != GO_ON:
            break
        answer = line.ask(login.answer_base64(answer.words))
    if answer.status == OK:
        return
    said = login.without_secrets(answer.words)
    why = reading_refusal(said)
    if why is None:
        raise Temporary(said)
    raise AuthRefused(why, said)
