"""The practice clock: real time plus an offset that can be shifted while the server runs."""

from datetime import UTC, datetime, timedelta


class Clock:
    """Tells the time to everything that Gmail would date or let expire.

    ``offset`` is in seconds and may be negative. Certificates and idle time-outs use real time,
    because clients judge those by their own clocks.
    """

    def __init__(self, offset: float = 0.0) -> None:
        self.offset = offset

    def now(self) -> datetime:
        """This moment, in UTC."""
        return datetime.now(UTC) + timedelta(seconds=self.offset)
