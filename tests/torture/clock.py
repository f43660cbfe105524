"""One clock for all processes of a run, which the runner moves ahead by hours while they work.

It has two hands. `elapsed` is time that has passed: the wall clock shows it, CLOCK_BOOTTIME counts
it, and the practice Gmail is told. `wrong` is how far the machine's wall clock is off: nobody else
sees that one.
"""

import struct
import time
from datetime import UTC, datetime, timedelta, tzinfo
from mmap import mmap
from types import ModuleType

from django.utils import timezone

_HANDS = struct.Struct("dd")
_real_clock = time.clock_gettime


class Clock:
    """Both hands, in seconds, lie in memory that children share. Installed once, before Django."""

    def __init__(self) -> None:
        self._shared = mmap(-1, _HANDS.size)
        self._set(0.0, 0.0)

    def install(self) -> None:
        """From now on this process and its children read the time from here."""
        timezone.now = self.now
        time.clock_gettime = self._gettime

    def tell(self, module: ModuleType) -> None:
        """Let a module that asks `datetime` itself read the time from here."""
        clock = self

        class OnThisClock(datetime):
            @classmethod
            def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
                return clock.now().astimezone(tz)

        module.datetime = OnThisClock  # type: ignore[attr-defined]

    def now(self) -> datetime:
        """What the machine's wall clock shows, in UTC."""
        elapsed, wrong = self._hands()
        return datetime.now(UTC) + timedelta(seconds=elapsed + wrong)

    def true_now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.elapsed)

    @property
    def is_wrong(self) -> bool:
        return self._hands()[1] != 0

    @property
    def elapsed(self) -> float:
        return self._hands()[0]

    def start_at(self, moment: datetime) -> None:
        self._set((moment - datetime.now(UTC)).total_seconds(), 0.0)

    def advance(self, time_passed: timedelta) -> None:
        elapsed, wrong = self._hands()
        self._set(elapsed + time_passed.total_seconds(), wrong)

    def go_wrong_by(self, error: timedelta) -> None:
        self._set(self.elapsed, error.total_seconds())

    def _gettime(self, clock: int) -> float:
        elapsed, wrong = self._hands()
        if clock == time.CLOCK_REALTIME:
            return _real_clock(clock) + elapsed + wrong
        if clock == getattr(time, "CLOCK_BOOTTIME", None):
            return _real_clock(clock) + elapsed
        return _real_clock(clock)

    def _hands(self) -> tuple[float, float]:
        elapsed, wrong = _HANDS.unpack_from(self._shared)
        return elapsed, wrong

    def _set(self, elapsed: float, wrong: float) -> None:
        _HANDS.pack_into(self._shared, 0, elapsed, wrong)
