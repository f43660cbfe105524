"""One SMTP session with Gmail, driven so that a failure before the final dot can be told from one
after it.

A server cannot accept a message that has not ended (RFC 5321 section 3.3), so every failure before
the end-of-message dot is given to the socket is safe to try again, and every one after it leaves
the message's fate unknown (RFC 1047). The standard library's `SMTP.data()` hides which it was;
its connection handling is used here, its transactions are not.
"""

from __future__ import annotations

import contextlib
import re

from gmail.endpoints import Endpoints
from gmail.errors import AuthRefused, ConnectionLost, FateUnknown, Refused, Temporary
from gmail.login import MOST_CHALLENGES, Login
from gmail.replies import Meaning, Phase, Reply, login_refusal, meaning
from gmail.smtp_line import Security, SmtpLine

# A message is given in pieces, so that a refusal in the middle of a large one is noticed.
_PIECE = 64 * 1024
_ANY_LINE_END = re.compile(rb"\r\n|\r|\n")


class SmtpSession:
    """A logged-in connection that carries one message after another.

    For each message: `begin`, `body`, `finish`. What fails on the way says by its type whether the
    message may be tried again: all may, but for `FateUnknown`.
    """

    def __init__(self, line: SmtpLine) -> None:
        self._line = line
        # A refusal that came before the dot was given; then the dot never is.
        self._early_refusal: Reply | None = None

    @classmethod
    def open(
        cls,
        endpoints: Endpoints,
        *,
        security: Security,
        address: str,
        access_token: str | None = None,
        app_password: str | None = None,
        timeout: float = 60,
    ) -> SmtpSession:
        """Connect and log in as `address`, by an OAuth access token or by an app password.

        `timeout`, in seconds, holds for each wait on the network, here and later. Raises
        Unreachable, ConnectionLost, Temporary or AuthRefused; then nothing is left open.
        """
        login = Login.by(address, access_token=access_token, app_password=app_password)
        session = cls(SmtpLine(endpoints, security, timeout))
        try:
            session._log_in(login)
        except BaseException:
            session.abandon()
            raise
        return session

    @property
    def alive(self) -> bool:
        """Whether another message can be begun, as far as this side has heard."""
        return self._line.alive

    def begin(self, sender: str, recipient: str) -> Reply:
        """MAIL, RCPT and DATA. Returns the `354` that asks for the message.

        Raises Refused, after which the session goes on unless the server ended it (see `alive`),
        or ConnectionLost, also for a session that the server closed while it idled.
        """
        self._early_refusal = None
        if self._line.waiting_reply(Phase.MAIL) is not None:
            self.abandon()
            raise ConnectionLost(Phase.MAIL)
        options = self._mail_options(sender, recipient)
        self._transact(Phase.MAIL, f"MAIL FROM:<{sender}>{options}", sender)
        self._transact(Phase.RCPT, f"RCPT TO:<{recipient}>", recipient)
        return self._transact(Phase.DATA, "DATA")

    def body(self, data: bytes) -> None:
        """Give the whole message to the socket, all but the dot that would end it.

        Line ends become CRLF and lines that begin with a dot get another (RFC 5321 section
        4.5.2), so that nothing inside the message can end it. Raises ConnectionLost: certainly
        not accepted. A refusal that comes meanwhile stops it; `finish` returns that one.
        """
        wire = _on_the_wire(data)
        for start in range(0, len(wire), _PIECE):
            try:
                self._line.give(Phase.BODY, wire[start : start + _PIECE])
            except ConnectionLost:
                if self._refused_early():
                    return
                self.abandon()
                raise
            if self._refused_early():
                return

    def finish(self) -> Reply:
        """Give the final dot to the socket and return Gmail's answer, whatever it is.

        Only a 2xx means accepted; a 4xx or 5xx means certainly not. Raises FateUnknown when no
        whole answer came. Raises ConnectionLost, the message being certainly not accepted, when
        the line was found dead before the dot was given or all that Gmail answers is that the
        session is over.
        """
        if self._refused_early() and self._early_refusal is not None:
            return self._early_refusal
        answer: Reply | None = None
        try:
            self._line.give(Phase.DOT, b".\r\n")
            answer = self._line.read_reply(Phase.DOT)
        except ConnectionLost as err:
            raise FateUnknown from err
        finally:
            # Also when interrupted: a late answer must not be taken for the next message's.
            if answer is None:
                self.abandon()
        if answer.code // 100 not in (2, 4, 5):
            self.abandon()
            raise FateUnknown
        if answer.code >= 400:
            self._expect_refusal(answer, Phase.DOT)
        self._hang_up_after(answer)
        return answer

    def abandon(self) -> None:
        """Drop the connection at once: no dot, no QUIT, and nothing buffered leaves any more."""
        self._line.drop()

    def close(self) -> None:
        """Say QUIT and hang up. Never raises: what was accepted stays accepted."""
        if self.alive:
            with contextlib.suppress(ConnectionLost):
                self._line.ask(Phase.MAIL, "QUIT")
        self._line.hang_up()

    # --- Logging in ----------------------------------------------------------------------------

    def _log_in(self, login: Login) -> None:
        """A token is sent without an initial response: a long one makes Gmail refuse that line."""
        opening = f"AUTH {login.mechanism}"
        if login.mechanism == "PLAIN":
            opening += f" {login.answer_base64('')}"
        reply = self._line.ask(Phase.AUTH, opening)
        for _ in range(MOST_CHALLENGES):
            if reply.code != 334:
                break
            reply = self._line.ask(Phase.AUTH, login.answer_base64(reply.text))
        _expect_login(reply, login)

    # --- A transaction -------------------------------------------------------------------------

    def _mail_options(self, sender: str, recipient: str) -> str:
        options = " BODY=8BITMIME" if self._line.offers("8bitmime") else ""
        if not (sender + recipient).isascii() and self._line.offers("smtputf8"):
            options += " SMTPUTF8"
        return options

    def _transact(self, phase: Phase, command: str, address: str = "") -> Reply:
        """Give one command of the transaction. Raises Refused once the transaction is undone."""
        reply = self._unspeakable(address) or self._ask(phase, command)
        if reply.code in ((354,) if phase == Phase.DATA else (250, 251)):
            return reply
        self._expect_refusal(reply, phase)
        self._hang_up_after(reply)
        if self.alive:
            self._reset()
        raise Refused(reply, phase)

    def _unspeakable(self, address: str) -> Reply | None:
        """The refusal, in Gmail's terms, of an address that cannot be said in a command."""
        if any(each in "<>" or not each.isprintable() for each in address):
            return Reply(553, "The address holds characters that it may not.", "5.1.3")
        if not address.isascii() and not self._line.offers("smtputf8"):
            return Reply(553, "The server takes no addresses beyond ASCII.", "5.6.7")
        return None

    def _ask(self, phase: Phase, command: str) -> Reply:
        try:
            return self._line.ask(phase, command)
        except ConnectionLost:
            self.abandon()
            raise

    def _reset(self) -> None:
        """RSET; a server that does not take it gets a new connection next time."""
        with contextlib.suppress(ConnectionLost):
            if self._ask(Phase.MAIL, "RSET").code == 250:
                return
        self.abandon()

    def _refused_early(self) -> bool:
        """Whether the server refused before the dot was given. Raises ConnectionLost."""
        if self._early_refusal is not None:
            return True
        reply = self._line.waiting_reply(Phase.BODY)
        if reply is None:
            return False
        self.abandon()
        self._expect_refusal(reply, Phase.BODY)
        self._early_refusal = reply
        return True

    def _expect_refusal(self, reply: Reply, phase: Phase) -> None:
        """Raises ConnectionLost for what refuses nothing, or says only that the session is over."""
        if reply.code < 400 or meaning(reply, phase) is Meaning.SESSION:
            self.abandon()
            raise ConnectionLost(phase)

    def _hang_up_after(self, reply: Reply) -> None:
        if reply.ends_session:
            self._line.hang_up()


def _expect_login(reply: Reply, login: Login) -> None:
    if reply.code == 235:
        return
    said = login.without_secrets(str(reply))
    if meaning(reply, Phase.AUTH) == Meaning.AUTH:
        raise AuthRefused(login_refusal(reply), said)
    raise Temporary(said)


def _on_the_wire(data: bytes) -> bytes:
    """`data` with CRLF at every line's end, the last included, and its leading dots doubled."""
    line_feeds = data.count(b"\n")
    if not line_feeds == data.count(b"\r") == data.count(b"\r\n"):
        data = _ANY_LINE_END.sub(b"\r\n", data)
    if not data.endswith(b"\r\n"):
        data += b"\r\n"
    if data.startswith(b"."):
        data = b"." + data
    return data.replace(b"\r\n.", b"\r\n..")
