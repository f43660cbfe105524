"""On which days and between which hours a campaign may send. Pure; the one place with time zones.

Moments that come in and go out are aware, in UTC; days and hours are read in the account's zone.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)
EVERY_DAY = frozenset(range(7))


@dataclass(frozen=True)
class SendingHours:
    """`days`: 0 is Monday. `start` None: from midnight; `end` None: to midnight."""

    days: frozenset[int] = EVERY_DAY
    start: time | None = None
    end: time | None = None

    @property
    def a_day(self) -> timedelta:
        """How long a day's window is by the clock on the wall."""
        start, end = self.start or time.min, self.end or time.min
        length = timedelta(hours=end.hour - start.hour, minutes=end.minute - start.minute)
        return length if self.end else length + DAY


def local_date(at: datetime, zone: ZoneInfo) -> date:
    return at.astimezone(zone).date()


def opening_of(hours: SendingHours, day: date, zone: ZoneInfo) -> tuple[datetime, datetime] | None:
    """When the window of `day` opens and closes, in UTC; None on a day without one."""
    if day.weekday() not in hours.days:
        return None
    opens = datetime.combine(day, hours.start or time.min, zone)
    if hours.end:
        closes = datetime.combine(day, hours.end, zone)
    else:
        closes = datetime.combine(day + DAY, time.min, zone)
    opens, closes = opens.astimezone(UTC), closes.astimezone(UTC)
    return (opens, closes) if opens < closes else None


def next_open(hours: SendingHours, at: datetime, zone: ZoneInfo) -> datetime | None:
    """The first moment from `at` on at which sending is allowed; None when no day ever is."""
    day = local_date(at, zone)
    # A week and a day: today's window may be over, and a clock change may swallow one.
    for ahead in range(9):
        opening = opening_of(hours, day + ahead * DAY, zone)
        if opening and at < opening[1]:
            return max(at, opening[0])
    return None
