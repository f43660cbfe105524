"""Days, weeks or months on the wall clock of a zone, and counting in the database by them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Case, Expression, TextChoices, Value, When
from django.utils.translation import gettext_lazy as _

# More than these nobody reads one by one: days become weeks, and weeks months.
MOST = 62


class Step(TextChoices):
    DAY = "day", _("day")
    WEEK = "week", _("week")
    MONTH = "month", _("month")


@dataclass(frozen=True)
class Period:
    """From the beginning of its first day to the end of its last."""

    first: date
    last: date


def cut(first: date, last: date, step: Step) -> list[Period]:
    """Whole periods, in order, that hold every day from `first` to `last`."""
    periods = [period_of(first, step)]
    while periods[-1].last < last:
        periods.append(period_of(periods[-1].last + timedelta(days=1), step))
    return periods


def cut_readably(first: date, last: date) -> tuple[Step, list[Period]]:
    """By the finest step that needs no more than `MOST` periods."""
    for step in (Step.DAY, Step.WEEK):
        periods = cut(first, last, step)
        if len(periods) <= MOST:
            return step, periods
    return Step.MONTH, cut(first, last, Step.MONTH)


def period_of(day: date, step: Step) -> Period:
    """The one that holds `day`; a week begins on Monday."""
    match step:
        case Step.DAY:
            return Period(day, day)
        case Step.WEEK:
            monday = day - timedelta(days=day.weekday())
            return Period(monday, monday + timedelta(days=6))
        case Step.MONTH:
            # The 28th of every month and four days are in the next.
            next_month = (day.replace(day=28) + timedelta(days=4)).replace(day=1)
            return Period(day.replace(day=1), next_month - timedelta(days=1))


def begins(period: Period, zone: ZoneInfo) -> datetime:
    return datetime.combine(period.first, time.min, zone)


def ends(period: Period, zone: ZoneInfo) -> datetime:
    """The first moment after it."""
    return datetime.combine(period.last + timedelta(days=1), time.min, zone)


def position(field: str, periods: Sequence[Period], zone: ZoneInfo) -> Expression:
    """Which of the adjoining `periods`, from 0, the moment in `field` lies in.

    What is before them counts as in the first, and after them as in the last. A few comparisons
    for each row: SQLite would call back into Python for every one that it cuts to its day.
    """
    starts = [begins(period, zone) for period in periods]

    def between(low: int, high: int) -> Expression:
        if high - low == 1:
            return Value(low)
        middle = (low + high) // 2
        earlier = When(**{f"{field}__lt": starts[middle]}, then=between(low, middle))
        return Case(earlier, default=between(middle, high))

    return between(0, len(starts))
