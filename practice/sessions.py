"""Who is connected right now, how often each account logged in, and the end of sessions."""

from collections import Counter
from typing import Protocol

from practice.accounts import Account

PROTOCOLS = ("smtp", "imap", "pop")


class LiveSession(Protocol):
    """One connection. ``owner`` is the account that logged in on it."""

    protocol: str
    owner: Account | None

    def end(self) -> None:
        """Close it as Google closes a session that has lived long enough."""

    def look_at_the_clock(self) -> None:
        """End it if its time is over."""


class Sessions:
    """The live sessions, and the logins since the start."""

    def __init__(self) -> None:
        self._live: set[LiveSession] = set()
        self._logins: Counter[tuple[str, str]] = Counter()

    def opened(self, session: LiveSession) -> None:
        self._live.add(session)

    def closed(self, session: LiveSession) -> None:
        self._live.discard(session)

    def count_login(self, protocol: str, account: Account) -> None:
        self._logins[protocol, account.email] += 1

    def logins(self, account: Account) -> dict[str, int]:
        """Successful logins by protocol."""
        return {protocol: self._logins[protocol, account.email] for protocol in PROTOCOLS}

    def live(self, protocol: str, account: Account) -> int:
        """How many sessions an account has open at once."""
        return sum(
            each.protocol == protocol
            and each.owner is not None
            and each.owner.email == account.email
            for each in self._live
        )

    def end(self, protocol: str) -> None:
        for session in [each for each in self._live if each.protocol == protocol]:
            session.end()

    def look_at_the_clock(self) -> None:
        for session in list(self._live):
            session.look_at_the_clock()
