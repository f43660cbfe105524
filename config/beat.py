"""The beat, by a clock that nobody can set.

Celery's own reckons with the wall clock: set back by a day, it would wake nobody for a day, nor
whoever finds out that the clock is right again.
"""

import time
from typing import Any

from celery import beat
from celery.schedules import schedstate, schedule


class Every(schedule):
    """Due every `seconds`, first so long after it was made; what was missed is left out."""

    def __init__(self, seconds: float) -> None:
        super().__init__(run_every=seconds)
        self._due_at = time.monotonic() + seconds

    def is_due(self, last_run_at: Any) -> schedstate:
        now = time.monotonic()
        if now < self._due_at:
            return schedstate(is_due=False, next=self._due_at - now)
        self._due_at = now + self.seconds
        return schedstate(is_due=True, next=self.seconds)


class Scheduler(beat.Scheduler):
    """Keeps its entries in the order in which they are due by that clock."""

    def _when(self, entry: Any, next_time_to_run: float, **kwargs: Any) -> float:
        return time.monotonic() + (next_time_to_run or 0)
