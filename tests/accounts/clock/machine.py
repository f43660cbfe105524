"""A machine whose clocks a test sets, and a server that says what the test lets it say."""

from datetime import UTC, datetime, timedelta

import pytest

from accounts.clock import readings
from accounts.clock.rules import Answer, Reading


class Machine:
    """Its wall clock is the real one, moved by `set_by`; it can sleep and be started anew."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, name: str = "laptop") -> None:
        self.host = name
        self.boots = 1
        self.set_by = timedelta()
        self.slept = timedelta()
        self._started = datetime.now(UTC) - timedelta(hours=5)
        # The server's clock is the true one, moved by `server_ahead`.
        self.answers = True
        self.server_ahead = timedelta()
        self.asked = 0
        self.run(monkeypatch)

    def run(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """This process runs on this machine from now on."""
        monkeypatch.setattr(readings, "read", self.read)
        monkeypatch.setattr(readings, "ask", self.ask)
        monkeypatch.setattr(readings, "machine", lambda: f"{self.host} boot {self.boots}")
        monkeypatch.setattr(readings, "host", lambda: self.host)

    @property
    def truly(self) -> datetime:
        """Sleeping is the passing of time."""
        return datetime.now(UTC) + self.slept

    def read(self) -> Reading:
        true = self.truly
        return Reading(true + self.set_by, (true - self._started).total_seconds())

    def ask(self, account: object) -> Answer | None:
        self.asked += 1
        if not self.answers:
            return None
        now = self.read().wall
        theirs = self.truly + self.server_ahead
        return Answer(theirs.replace(microsecond=0), now, now)

    def sleep(self, how_long: timedelta) -> None:
        self.slept += how_long

    def start_anew(self) -> None:
        self.boots += 1
        self._started = self.truly - timedelta(seconds=30)
