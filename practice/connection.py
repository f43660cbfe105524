# mypy: allow-untyped-calls
"""An SMTP connection that answers in Gmail's form, times out, and fails on demand.

Lines, pausing, time-outs and TLS are Twisted's. Every step that can be made to fail goes through
``step``, which lets a fault of ``practice.faults`` strike first.
"""

import secrets
from collections.abc import Callable, Sequence
from typing import Any

from twisted.protocols.basic import LineReceiver
from twisted.protocols.policies import TimeoutMixin
from twisted.python.failure import Failure

from practice import replies
from practice.accounts import Account
from practice.faults import Fault
from practice.replies import Reply
from practice.service import Service

# Real seconds for the other side to close as well, before the connection is cut.
GRACE = 10


# An IReactorTime. mypy knows nothing of zope's interfaces and misreads their methods.
Reactor = Any


class Connection(LineReceiver, TimeoutMixin):
    """``account`` is who logged in on it. ``idle_timeout`` is in real seconds."""

    transport: Any

    def __init__(self, service: Service, reactor: Reactor, idle_timeout: float) -> None:
        self.service = service
        self.account: Account | None = None
        self.id = secrets.token_hex(8)
        self.closing = False
        self._reactor = reactor
        self._idle_timeout = idle_timeout
        self._hanging = False

    def connectionMade(self) -> None:
        self.setTimeout(self._idle_timeout)
        self.step("connect", self._greet)

    def connectionLost(self, reason: Failure | None = None) -> None:
        self.closing = True
        self.setTimeout(None)

    def timeoutConnection(self) -> None:
        if self.closing:
            self.transport.abortConnection()
        else:
            self.reply(replies.IDLE)
            self.close()

    def lineLengthExceeded(self, line: bytes) -> None:
        self.reply(replies.LINE_TOO_LONG)
        self.close()

    def send(self, *lines: str) -> None:
        self.sendLine("\r\n".join(lines).encode())

    def reply(self, reply: Reply) -> None:
        self.send(*reply.render(self.id))

    def refuse(self, reply: Reply, recipients: Sequence[str] = ()) -> None:
        """Answer no, and note it where the person looks for what was refused."""
        self._note_refusal(reply.render(self.id), recipients)
        self.reply(reply)

    def close(self) -> None:
        self.closing = True
        self.transport.loseConnection()
        self.setTimeout(GRACE)

    def step(
        self,
        where: str,
        carry_on: Callable[[], None],
        *,
        account: Account | None = None,
        recipients: Sequence[str] = (),
    ) -> None:
        """Let a fault strike at this step, or carry on."""
        account = account or self.account
        fault = self.service.faults.take(where, account.email if account else None, recipients)
        if fault is None:
            carry_on()
        elif fault.hang is not None:
            self._hang(fault.hang, carry_on)
        elif fault.reply is not None:
            self._fail(fault, fault.reply.split("\n"), recipients)
        else:
            self.closing = True
            self.transport.abortConnection()

    def forget_message(self) -> None:
        """A fault ended the message that was under way."""

    def _greet(self) -> None:
        self.send(f"220 smtp.gmail.com ESMTP {self.id} - gsmtp")

    def _hang(self, seconds: float, carry_on: Callable[[], None]) -> None:
        self._hanging = True
        self.pauseProducing()
        self.setTimeout(None)
        self._reactor.callLater(seconds, self._wake, carry_on)

    def _wake(self, carry_on: Callable[[], None]) -> None:
        self._hanging = False
        carry_on()
        # The next step may hang as well.
        if not self._hanging and not self.closing:
            self.setTimeout(self._idle_timeout)
            self.resumeProducing()

    def _fail(self, fault: Fault, lines: list[str], recipients: Sequence[str]) -> None:
        if fault.where not in ("connect", "auth"):
            self._note_refusal(lines, recipients)
        if fault.where in ("data", "body", "dot", "accepted"):
            self.forget_message()
        self.send(*lines)
        if fault.where in ("connect", "body") or lines[0].startswith("421"):
            self.close()

    def _note_refusal(self, lines: list[str], recipients: Sequence[str]) -> None:
        if self.account is not None:
            self.service.refuse(self.account, tuple(recipients), replies.one_line(lines))
