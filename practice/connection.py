# mypy: allow-untyped-calls
"""An SMTP connection that answers in Gmail's form, times out, and fails on demand."""

import secrets
from collections.abc import Sequence

from twisted.protocols.basic import LineReceiver
from twisted.protocols.policies import TimeoutMixin
from twisted.python.failure import Failure

from practice import replies
from practice.faults import Fault
from practice.replies import Reply
from practice.service import Service
from practice.steps import Reactor, Steps


class Connection(Steps, LineReceiver, TimeoutMixin):
    """``owner`` is who logged in on it. ``idle_timeout`` is in real seconds."""

    protocol = "smtp"

    def __init__(self, service: Service, reactor: Reactor, idle_timeout: float) -> None:
        self.begin(service, reactor, idle_timeout)
        self.id = secrets.token_hex(8)

    def connectionMade(self) -> None:
        self.service.sessions.opened(self)
        self.setTimeout(self._idle_timeout)
        self.step("connect", self._greet)

    def connectionLost(self, reason: Failure | None = None) -> None:
        self.service.sessions.closed(self)
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

    def end(self) -> None:
        """What it is at is answered first: a 421 is a no, and it might take the message yet."""
        self.hang_no_longer()
        if not self.closing:
            self.reply(replies.EXPIRED)
            self.close()

    def look_at_the_clock(self) -> None:
        """An SMTP session may outlive its token."""

    def send(self, *lines: str) -> None:
        self.sendLine("\r\n".join(lines).encode())

    def reply(self, reply: Reply) -> None:
        self.send(*reply.render(self.id))

    def refuse(self, reply: Reply, recipients: Sequence[str] = ()) -> None:
        """Answer no, and note it where the person looks for what was refused."""
        self._note_refusal(reply.render(self.id), recipients)
        self.reply(reply)

    def forget_message(self) -> None:
        """A fault ended the message that was under way."""

    def fail(self, fault: Fault, lines: list[str], recipients: Sequence[str]) -> None:
        if fault.where not in ("connect", "auth"):
            self._note_refusal(lines, recipients)
        if fault.where in ("data", "body", "dot", "accepted"):
            self.forget_message()
        self.send(*lines)
        if fault.where in ("connect", "body") or lines[0].startswith("421"):
            self.close()

    def _greet(self) -> None:
        self.send(f"220 smtp.gmail.com ESMTP {self.id} - gsmtp")

    def _note_refusal(self, lines: list[str], recipients: Sequence[str]) -> None:
        if self.owner is not None:
            self.service.refuse(self.owner, tuple(recipients), replies.one_line(lines))
