"""One clock for the app and for the practice Gmail, which can be moved ahead by days."""

from datetime import UTC, datetime, timedelta
from typing import Self

import time_machine

from tests.practice_gmail import PracticeGmail


class VirtualClock:
    """Runs at the speed of the real clock, from wherever it was set."""

    def __init__(self, gmail: PracticeGmail, start: datetime) -> None:
        self._gmail = gmail
        self._start = start
        self._traveller: time_machine.travel | None = None

    def __enter__(self) -> Self:
        self.go_to(self._start)
        return self

    def __exit__(self, *error: object) -> None:
        self._stop()
        self._gmail.control(clock_offset=0)

    def go_to(self, moment: datetime) -> None:
        """Both clocks show `moment` now; the practice Gmail's is never ahead of the app's."""
        self._stop()
        offset = moment - datetime.now(UTC)
        self._gmail.control(clock_offset=offset.total_seconds())
        self._traveller = time_machine.travel(datetime.now(UTC) + offset, tick=True)
        self._traveller.start()

    def wait_until(self, moment: datetime) -> None:
        """Go ahead to `moment`, unless it is past already."""
        if moment > datetime.now(UTC):
            self.go_to(moment + timedelta(milliseconds=1))

    def _stop(self) -> None:
        if self._traveller is not None:
            self._traveller.stop()
            self._traveller = None
