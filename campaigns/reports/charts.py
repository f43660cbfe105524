"""From uses and counts to the points of a chart. Pure: no model, no clock, no SVG.

Positions are percentages of the chart's width and height, as text that CSS and SVG read in every
language; x runs to the right, y runs down as in SVG.
"""

from bisect import bisect_left
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import accumulate
from zoneinfo import ZoneInfo

# How far the chart looks back and ahead, and how finely.
REACH = timedelta(hours=24)
STEP = timedelta(minutes=10)
TICK_HOURS = 6
# Room above the limit, as a share of it.
HEADROOM = 0.08


@dataclass(frozen=True)
class Span:
    """`count` recipients that Gmail counts from `begins` until just before `ends`."""

    begins: datetime
    ends: datetime
    count: int
    series: Hashable


@dataclass(frozen=True)
class Series:
    """What one colour stands for."""

    key: Hashable
    name: str
    style: str


@dataclass(frozen=True)
class Level:
    value: int
    position: str


@dataclass(frozen=True)
class Hour:
    """A moment in the account's zone."""

    at: datetime
    position: str


@dataclass(frozen=True)
class Area:
    """One series of the stack: SVG points of what was, and of what is planned."""

    series: Series
    past: str
    ahead: str
    now: int


@dataclass(frozen=True)
class Row:
    """The chart at one moment, for those who would rather read."""

    at: datetime
    counts: list[int]
    total: int


@dataclass(frozen=True)
class RollingChart:
    """Messages that Gmail counts in the 24 hours before each moment, now in the middle."""

    areas: list[Area]
    # Now, and at the right edge where it has grown until then; the line from edge to edge.
    limit: int
    limit_ahead: int
    limit_y: str
    limit_line: str
    hours: list[Hour]
    levels: list[Level]
    rows: list[Row]


def counted(spans: Iterable[Span], moments: Sequence[datetime]) -> dict[Hashable, list[int]]:
    """For each series what counts at each of the ascending `moments`."""
    changes: dict[Hashable, list[int]] = {}
    for span in spans:
        change = changes.setdefault(span.series, [0] * (len(moments) + 1))
        change[bisect_left(moments, span.begins)] += span.count
        change[bisect_left(moments, span.ends)] -= span.count
    return {key: list(accumulate(change))[:-1] for key, change in changes.items()}


def rolling(
    past: Iterable[Span],
    planned: Iterable[Span],
    series: Sequence[Series],
    limits: Sequence[tuple[datetime, int]],
    now: datetime,
    zone: ZoneInfo,
) -> RollingChart:
    """The chart of one account; `series` from the bottom of the stack to its top.

    `limits`: the limit now, and from when on a greater one. What is planned for this very moment
    is drawn ahead of it.
    """
    limits = [(at, limit) for at, limit in limits if at <= now + REACH]
    limit_ahead = limits[-1][1]
    past = list(past)
    back, ahead = _moments(now - REACH, now), _moments(now, now + REACH)
    was = counted(past, back)
    will = counted([*past, *planned], ahead)
    stacked_back = _stack([was.get(one.key, [0] * len(back)) for one in series])
    stacked_ahead = _stack([will.get(one.key, [0] * len(ahead)) for one in series])
    highest = max([limit_ahead * (1 + HEADROOM), *stacked_back[-1], *stacked_ahead[-1], 1])
    areas = [
        Area(
            series=one,
            past=_points(stacked_back[index], stacked_back[index + 1], highest),
            ahead=_points(stacked_ahead[index], stacked_ahead[index + 1], highest),
            now=was.get(one.key, [0])[-1],
        )
        for index, one in enumerate(series)
    ]
    return RollingChart(
        areas=areas,
        limit=limits[0][1],
        limit_ahead=limit_ahead,
        limit_y=_percent(1 - limit_ahead / highest),
        limit_line=_steps(limits, highest, now),
        hours=_hours(now, zone),
        levels=[Level(level, _percent(1 - level / highest)) for level in _levels(highest)],
        rows=_rows([*past, *planned], series, now),
    )


def _steps(limits: Sequence[tuple[datetime, int]], highest: float, now: datetime) -> str:
    """SVG points of a line that runs level, and up at once where the limit grows."""
    heights = [_percent(1 - limit / highest) for _at, limit in limits]
    points = [f"0,{heights[0]}"]
    for (at, _limit), below, above in zip(limits[1:], heights, heights[1:], strict=False):
        x = _percent((at - now + REACH) / (2 * REACH))
        points += [f"{x},{below}", f"{x},{above}"]
    return " ".join([*points, f"100,{heights[-1]}"])


def _moments(start: datetime, end: datetime) -> list[datetime]:
    return [start + STEP * index for index in range(int((end - start) / STEP) + 1)]


def _stack(layers: Sequence[Sequence[int]]) -> list[list[int]]:
    """The heights at the foot of the first layer, and at the top of each."""
    if not layers:
        return [[0]]
    heights = [[0] * len(layers[0])]
    for layer in layers:
        heights.append([below + own for below, own in zip(heights[-1], layer, strict=True)])
    return heights


def _points(foot: Sequence[int], top: Sequence[int], highest: float) -> str:
    """An SVG polygon in a box of 100 by 100: along the top, and back along the foot."""
    width = max(len(top) - 1, 1)

    def point(index: int, height: int) -> str:
        return f"{_percent(index / width)},{_percent(1 - height / highest)}"

    there = [point(index, height) for index, height in enumerate(top)]
    back = [point(index, height) for index, height in enumerate(foot)]
    return " ".join([*there, *reversed(back)])


def _hours(now: datetime, zone: ZoneInfo) -> list[Hour]:
    """Every sixth hour on the wall clock."""
    start = now - REACH
    at = (start.astimezone(zone)).replace(minute=0, second=0, microsecond=0)
    ticks = []
    for _hour in range(50):
        at += timedelta(hours=1)
        # Added on the wall clock; the position is that of the moment it stands for.
        position = (at.astimezone(now.tzinfo) - start) / (2 * REACH)
        if at.hour % TICK_HOURS == 0 and 0.02 < position < 0.98:
            ticks.append(Hour(at, _percent(position)))
    return ticks


def _levels(highest: float) -> list[int]:
    """Up to five round numbers from 0 on."""
    step = 1
    while highest / step > 5:
        step = step * 5 // 2 if str(step)[0] == "2" else step * 2
    return list(range(0, int(highest) + 1, step))


def _rows(spans: list[Span], series: Sequence[Series], now: datetime) -> list[Row]:
    every = timedelta(hours=3)
    moments = [now - REACH + every * index for index in range(int(2 * REACH / every) + 1)]
    counts = counted(spans, moments)
    rows = []
    for index, at in enumerate(moments):
        row = [counts.get(one.key, [0] * len(moments))[index] for one in series]
        rows.append(Row(at, row, sum(row)))
    return rows


def _percent(share: float) -> str:
    return f"{100 * share:.2f}"


# --- Days ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Bar:
    series: Series
    count: int
    height: str


@dataclass(frozen=True)
class Day:
    """One day of a calendar: its bars from the bottom up, and what they come to."""

    day: date
    bars: list[Bar]
    total: int
    today: bool


def days(
    counts: Mapping[date, Mapping[Hashable, int]],
    series: Sequence[Series],
    first: date,
    last: date,
    today: date,
) -> list[Day]:
    """Every day from `first` to `last`, also those on which nothing leaves."""
    highest = max((sum(parts.values()) for parts in counts.values()), default=0)
    calendar = []
    for ahead in range((last - first).days + 1):
        day = first + timedelta(days=ahead)
        parts = counts.get(day, {})
        bars = [
            Bar(one, parts[one.key], _percent(parts[one.key] / highest))
            for one in series
            if parts.get(one.key)
        ]
        calendar.append(Day(day, bars, sum(parts.values()), day == today))
    return calendar


# --- Strips ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Block:
    """A bar of a strip: an SVG rectangle in a box of 100 by 100."""

    x: str
    y: str
    width: str
    height: str


@dataclass(frozen=True)
class Strip:
    """One series over time, on a scale of its own: replies are few where hundreds were sent."""

    series: Series
    highest: int
    blocks: list[Block]


def strips(counts: Mapping[Hashable, Sequence[int]], series: Sequence[Series]) -> list[Strip]:
    """`counts`: for each series as many as for every other, one for each part of the time."""
    return [Strip(one, max(counts[one.key]), _blocks(counts[one.key])) for one in series]


def _blocks(counts: Sequence[int]) -> list[Block]:
    highest, wide = max(counts), 1 / len(counts)
    return [
        Block(
            x=_percent((index + 0.1) * wide),
            y=_percent(1 - count / highest),
            width=_percent(0.8 * wide),
            height=_percent(count / highest),
        )
        for index, count in enumerate(counts)
        if count
    ]
