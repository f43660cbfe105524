# mypy: allow-untyped-calls
"""What the connections of all three protocols share: faults at their steps, silence, their end.

Lines, pausing and time-outs are Twisted's. Every step that can be made to fail goes through
``step``, which lets a fault of ``practice.faults`` strike first.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from practice.accounts import Account
from practice.faults import Fault
from practice.service import Service

# Real seconds for the other side to close as well, before the connection is cut.
GRACE = 10
# Real seconds in which a client begins its handshake. One that is cut before cannot tell this from
# a port where nobody listens, and Python's ssl then leaves the socket to the garbage collector.
HANDSHAKE = 0.2


# An IReactorTime. mypy knows nothing of zope's interfaces and misreads their methods.
Reactor = Any


class Steps:
    """Mixed into one of Twisted's line protocols. ``idle_timeout`` is in real seconds.

    ``owner`` is the account that logged in.
    """

    protocol: str
    transport: Any
    pauseProducing: Callable[[], None]
    resumeProducing: Callable[[], None]
    setTimeout: Callable[[float | None], object]

    def begin(self, service: Service, reactor: Reactor, idle_timeout: float) -> None:
        self.service = service
        self.owner: Account | None = None
        self.closing = False
        self._since: datetime | None = None
        self._reactor = reactor
        self._idle_timeout = idle_timeout
        # What is carried on with once a fault lets go of it, and the call that will do so.
        self._hung: tuple[Callable[[], None], Any] | None = None

    def welcome(self, owner: Account) -> None:
        """The account is known, and the session's time begins."""
        self.owner = owner
        self._since = self.service.clock.now()
        self.service.sessions.count_login(self.protocol, owner)

    def is_over(self, longest: timedelta, token: str) -> bool:
        """Whether a session has lived too long, or longer than the token it was opened with."""
        if self._since is None:
            return False
        expired = bool(token) and self.service.oauth.grant_of(token) is None
        return expired or self.service.clock.now() - self._since > longest

    def close(self) -> None:
        """Close after what was written; a client that does not close as well is cut off."""
        self.closing = True
        self.transport.loseConnection()
        self.setTimeout(GRACE)

    def cut(self) -> None:
        """Break the line without a word."""
        self.closing = True
        self.transport.abortConnection()

    def step(
        self,
        where: str,
        carry_on: Callable[[], None],
        *,
        account: Account | None = None,
        recipients: Sequence[str] = (),
    ) -> None:
        """Let a fault strike at this step, or carry on."""
        account = account or self.owner
        email = account.email if account else None
        fault = self.service.faults.take(where, email, recipients, protocol=self.protocol)
        if fault is None:
            carry_on()
        elif fault.hang is not None:
            self._hang(fault.hang, carry_on)
        elif fault.reply is not None:
            self.fail(fault, fault.reply.split("\n"), recipients)
        elif where == "connect":
            self._reactor.callLater(HANDSHAKE, self._cut_unless_gone)
        else:
            self.drop(fault, carry_on)

    def _cut_unless_gone(self) -> None:
        if not self.closing:
            self.cut()

    def drop(self, fault: Fault, carry_on: Callable[[], None]) -> None:
        """A fault cuts the line."""
        self.cut()

    def fail(self, fault: Fault, lines: list[str], recipients: Sequence[str]) -> None:
        """A fault answers with these lines."""
        raise NotImplementedError

    def _hang(self, seconds: float, carry_on: Callable[[], None]) -> None:
        self.pauseProducing()
        self.setTimeout(None)
        self._hung = carry_on, self._reactor.callLater(seconds, self._wake)

    def hang_no_longer(self) -> None:
        """Carry on at once, also where the next step would hang as well."""
        while self._hung is not None:
            self._hung[1].cancel()
            self._wake()

    def _wake(self) -> None:
        if self._hung is None:
            return
        carry_on, self._hung = self._hung[0], None
        carry_on()
        # The next step may hang as well.
        if self._hung is None and not self.closing:
            self.setTimeout(self._idle_timeout)
            self.resumeProducing()
