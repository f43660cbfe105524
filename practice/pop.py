# mypy: allow-untyped-calls
"""POP as pop.gmail.com speaks it (RFC 1939, RFC 5034), on Twisted's server.

Gmail shows by POP everything in All Mail, what was sent included. What RETR has fetched is not
shown again once the session ended with QUIT; with ``recent:`` before the user name the last 30 days
are shown whatever was fetched (https://support.google.com/mail/answer/7104828).
"""

import base64
import binascii
import re
import secrets
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from io import BytesIO
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import ServerFactory
from twisted.mail.pop3 import POP3
from twisted.protocols.basic import FileSender, LineReceiver
from twisted.python.failure import Failure

from practice.accounts import Account
from practice.faults import Fault
from practice.pop_maildrop import Maildrop
from practice.sasl import Conversation, Gatekeeper
from practice.service import Service
from practice.steps import GRACE, Reactor, Steps

LONGEST_SESSION = timedelta(days=7)
RECENT = "recent:"
MECHANISMS = ("PLAIN", "XOAUTH2", "OAUTHBEARER")
TO_LOG_IN = ("AUTH", "USER", "PASS")
BEFORE_LOGIN = (*TO_LOG_IN, "CAPA", "QUIT", "NOOP")
STEPS = {"UIDL": "uidl", "TOP": "top", "RETR": "retr"}
MIDWAY = ("top", "retr")

BAD_CREDENTIALS = "[AUTH] Username and password not accepted."
SWITCHED_OFF = (
    "[SYS/PERM] Your account is not enabled for POP access. Please visit your Gmail settings page "
    "and enable your account for POP access."
)
EXPIRED = "[SYS/TEMP] Session expired, please login again."
NO_SUCH_MESSAGE = "Message number out of range."


class Session(Steps, LineReceiver, POP3):
    """One client of POP. LineReceiver, unlike what POP3 is by itself, can pause."""

    protocol = "pop"

    def __init__(self, service: Service, reactor: Reactor, idle_timeout: float) -> None:
        self.begin(service, reactor, idle_timeout)
        self._gatekeeper = Gatekeeper(service.accounts, service.oauth, prefix=RECENT)
        self._conversation: Conversation = self._gatekeeper.nobody()
        self._user = ""
        self._cut_next = False
        self._over = False
        self._sending = False
        # Twisted's name for what a session is about.
        self.mbox: Any = None

    # Greeting and end

    def connectionMade(self) -> None:
        self.service.sessions.opened(self)
        self.setTimeout(self._idle_timeout)
        self.step("connect", self._greet)

    def connectionLost(self, reason: Failure | None = None) -> None:
        self.service.sessions.closed(self)
        self.closing = True
        self.setTimeout(None)

    def timeoutConnection(self) -> None:
        if self.closing or self._over:
            self.cut()
        else:
            self.close()

    def lineLengthExceeded(self, line: bytes) -> None:
        self.failResponse("Line too long.")
        self.close()

    def look_at_the_clock(self) -> None:
        if not self.closing and self.is_over(LONGEST_SESSION, self._gatekeeper.token):
            self.end()

    def end(self) -> None:
        """At once, or behind the message that is being sent."""
        if self._sending:
            self._over = True
            self.setTimeout(GRACE)
        elif not self.closing:
            self.failResponse(EXPIRED)
            self.close()

    def fail(self, fault: Fault, lines: list[str], recipients: Sequence[str]) -> None:
        self.sendLine(lines[0].encode())
        if fault.where == "connect":
            self.close()

    def drop(self, fault: Fault, carry_on: Callable[[], None]) -> None:
        if fault.where in MIDWAY:
            self._cut_next = True
            carry_on()
        else:
            self.cut()

    def _greet(self) -> None:
        self.successResponse(f"Gpop ready for requests from 127.0.0.1 {secrets.token_hex(8)}")

    # Commands

    def lineReceived(self, line: bytes) -> None:
        if not self.closing:
            self.service.post.deliver()
            self.look_at_the_clock()
        if not self.closing:
            POP3.lineReceived(self, line)

    def state_COMMAND(self, line: bytes) -> None:
        """RFC 1939 section 3: a keyword and its arguments, in plain ASCII."""
        try:
            keyword, *arguments = line.decode("ascii").split(" ")
        except UnicodeDecodeError:
            self.failResponse("bad command")
            return
        keyword = keyword.upper()
        carry_on = partial(self.processCommand, keyword.encode(), *arguments)
        where = STEPS.get(keyword)
        if where is None or self.mbox is None or self.blocked is not None:
            carry_on()
        else:
            self.step(where, carry_on)

    def processCommand(self, command: bytes, *args: str) -> None:
        if self.blocked is not None:
            self.blocked.append((command, args))
            return
        keyword = command.decode()
        handlers: dict[str, tuple[str, Callable[..., None]]] = {
            "CAPA": ("", self._capa),
            "AUTH": (r"\S+( \S+)?", self._authenticate),
            "USER": (r"\S+", self._user_named),
            "PASS": (r".+", self._password),
            "NOOP": ("", self._noop),
            "QUIT": ("", self.do_QUIT),
            "STAT": ("", self._stat),
            "LIST": (r"(\d{1,9})?", partial(self._listing, Maildrop.size)),
            "UIDL": (r"(\d{1,9})?", partial(self._listing, Maildrop.uidl)),
            "RETR": (r"\d{1,9}", self._retr),
            "TOP": (r"\d{1,9} \d{1,9}", self._top),
            "DELE": (r"\d{1,9}", self._dele),
            "RSET": ("", self._rset),
        }
        argument = " ".join(args)
        if keyword not in handlers or not re.fullmatch(handlers[keyword][0], argument):
            self.failResponse("bad command")
        elif self.mbox is None and keyword not in BEFORE_LOGIN:
            self.failResponse("bad command: not logged in")
        elif self.mbox is not None and keyword in TO_LOG_IN:
            self.failResponse("bad command: logged in already")
        else:
            handlers[keyword][1](*([argument] if argument else []))

    def _capa(self) -> None:
        self.successResponse("Capability list follows")
        self._lines(
            [
                "USER",
                "RESP-CODES",
                "EXPIRE 0",
                "LOGIN-DELAY 300",
                "TOP",
                "UIDL",
                f"SASL {' '.join(MECHANISMS)}",
            ]
        )

    def _noop(self) -> None:
        self.successResponse("")

    # Who is it?

    def _user_named(self, user: str) -> None:
        self._user = user
        self.successResponse("send PASS")

    def _password(self, password: str) -> None:
        user, self._user = self._user, ""
        account = self.service.accounts.authenticate(user.removeprefix(RECENT), password)
        self._answer_login(account, recent=user.startswith(RECENT))

    def _authenticate(self, argument: str) -> None:
        mechanism, _, initial = argument.partition(" ")
        name = mechanism.upper()
        conversation = self._gatekeeper.begin(name) if name in MECHANISMS else None
        if conversation is None:
            self.failResponse("bad command")
            return
        self._conversation = conversation
        question = next(conversation)
        self.state = "AUTH"
        if initial:
            self.state_AUTH(b"" if initial == "=" else initial.encode())
        else:
            self._ask(question)

    def state_AUTH(self, line: bytes) -> None:
        """One answer of the conversation (RFC 5034)."""
        try:
            self._ask(self._conversation.send(base64.b64decode(line, validate=True)))
        except binascii.Error:
            self.state = "COMMAND"
            self.failResponse("malformed command")
        except StopIteration as end:
            self.state = "COMMAND"
            self._answer_login(end.value, recent=self._gatekeeper.user.startswith(RECENT))

    def _ask(self, question: bytes) -> None:
        self.sendLine(b"+ " + base64.b64encode(question))

    def _answer_login(self, account: Account | None, *, recent: bool) -> None:
        self.step("auth", partial(self._welcome, account, recent), account=account)

    def _welcome(self, account: Account | None, recent: bool) -> None:
        if account is None:
            self.failResponse(BAD_CREDENTIALS)
        elif not self.service.settings.of(account.email).pop:
            self.failResponse(SWITCHED_OFF)
        else:
            self.welcome(account)
            self.mbox = Maildrop(self.service, account, recent=recent)
            self.successResponse("Welcome.")

    # The maildrop

    def _stat(self) -> None:
        shown = self.mbox.numbers()
        octets = sum(self.mbox.size(number) for number in shown)
        self.successResponse(f"{len(shown)} {octets}")

    def _listing(self, value: Callable[[Maildrop, int], object], number: str = "") -> None:
        if number:
            if self._has(number):
                self.successResponse(f"{number} {value(self.mbox, int(number))}")
            return
        shown = self.mbox.numbers()
        self.successResponse(f"{len(shown)} messages")
        self._lines([f"{each} {value(self.mbox, each)}" for each in shown])

    def _retr(self, number: str) -> None:
        if self._has(number):
            self.mbox.note_fetched(int(number))
            self._send_message(self.mbox.content(int(number)))

    def _top(self, argument: str) -> None:
        number, lines = argument.split(" ")
        if self._has(number):
            header, blank, body = self.mbox.content(int(number)).partition(b"\r\n\r\n")
            top = b"\r\n".join(body.split(b"\r\n")[: int(lines)])
            self._send_message(header + blank + top)

    def _dele(self, number: str) -> None:
        if self._has(number):
            self.mbox.delete(int(number))
            self.successResponse("marked for deletion")

    def _rset(self) -> None:
        self.mbox.undelete()
        self.successResponse("")

    def do_QUIT(self) -> None:
        """RFC 1939 section 6: only now is anything changed."""
        if self.mbox is not None:
            self.mbox.commit()
        self.successResponse("Farewell.")
        self.close()

    def _has(self, number: str) -> bool:
        if int(number) in self.mbox.numbers():
            return True
        self.failResponse(NO_SUCH_MESSAGE)
        return False

    def _lines(self, lines: Sequence[str]) -> None:
        self.transport.write("".join(f"{line}\r\n" for line in [*lines, "."]).encode())

    def _send_message(self, content: bytes) -> None:
        """With its dots stuffed; commands that come meanwhile wait."""
        stuffed = re.sub(rb"(?m)^\.", b"..", content)
        ended = stuffed if stuffed.endswith(b"\r\n") else stuffed + b"\r\n"
        answer = b"+OK message follows\r\n" + ended + b".\r\n"
        if self._cut_next:
            self.transport.write(answer[: len(answer) // 2])
            self.close()
            return
        self._sending = True
        sent: Deferred[Any] = FileSender().beginFileTransfer(BytesIO(answer), self.transport)
        self._longOperation(sent.addCallback(self._message_sent))
        sent.addErrback(self._client_gone)

    def _message_sent(self, result: object) -> object:
        self._sending = False
        if self._over:
            self.end()
        return result

    def _client_gone(self, failure: Failure) -> None:
        """The connection is lost, and with it whoever would want to know."""


class SessionFactory(ServerFactory):
    """Makes a session for each connection. ``idle_timeout`` is in real seconds."""

    noisy = False

    def __init__(self, service: Service, reactor: Reactor, idle_timeout: float) -> None:
        self._new_session = partial(Session, service, reactor, idle_timeout)

    def buildProtocol(self, addr: IAddress | None) -> Any:
        return self._new_session()
