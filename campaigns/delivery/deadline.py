"""A deadline that a stopped or suspended process notices when it wakes up."""

import time
from datetime import timedelta

# CLOCK_BOOTTIME counts suspend, the monotonic clock does not; where there is none (macOS), the
# monotonic clock is the best there is.
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class Deadline:
    """Passes `after` this moment, whatever happens to the wall clock meanwhile."""

    def __init__(self, after: timedelta) -> None:
        self._ends = time.clock_gettime(_CLOCK) + after.total_seconds()

    @property
    def passed(self) -> bool:
        return time.clock_gettime(_CLOCK) >= self._ends
