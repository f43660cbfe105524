from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from accounts import quota
from accounts.quota import Use
from campaigns.reports import charts
from campaigns.reports.charts import Series, Span

NOW = datetime(2036, 11, 25, 14, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)
A, B = Series("a", "A", "series-1"), Series("b", "B", "series-2")
LONDON = ZoneInfo("Europe/London")


def span(at: datetime, count: int = 1, series: str = "a") -> Span:
    return Span(at, quota.counts_until(at), count, series)


def heights(points: str) -> list[float]:
    """The upper edge of an area, as counts: a chart whose highest value is 108."""
    pairs = [tuple(map(float, pair.split(","))) for pair in points.split()]
    return [round((100 - y) / 100 * 108, 1) for _x, y in pairs[: len(pairs) // 2]]


def test_it_counts_a_message_for_the_24_hours_after_it_left():
    moments = [NOW, NOW + HOUR, NOW + 24 * HOUR, NOW + 25 * HOUR, NOW + 26 * HOUR]
    assert charts.counted([span(NOW + HOUR, 3)], moments) == {"a": [0, 3, 3, 3, 0]}


@given(st.lists(st.tuples(st.integers(-3000, 3000), st.integers(1, 9)), max_size=30))
def test_it_counts_as_the_quota_does(uses):
    moments = [NOW + timedelta(minutes=10 * step) for step in range(-20, 20)]
    spans = [span(NOW + timedelta(minutes=minute), count) for minute, count in uses]
    counted = charts.counted(spans, moments).get("a", [0] * len(moments))
    for moment, count in zip(moments, counted, strict=True):
        there = [
            Use(NOW + timedelta(minutes=minute), recipients)
            for minute, recipients in uses
            if NOW + timedelta(minutes=minute) <= moment
        ]
        assert count == quota.used(there, moment)


def test_it_draws_what_was_up_to_now_and_what_is_planned_from_there():
    past = [span(NOW - HOUR, 40)]
    planned = [span(NOW, 30), span(NOW + 2 * HOUR, 20)]
    [area] = charts.rolling(past, planned, [A], [(NOW, 100)], NOW, LONDON).areas
    assert (heights(area.past)[0], heights(area.past)[-1]) == (0, 40)
    # What leaves at this very moment stands ahead of it.
    assert area.now == 40
    assert heights(area.ahead)[0] == 70
    assert heights(area.ahead)[12] == 90
    # An hour before the end the 40 count no more.
    assert heights(area.ahead)[-1] == 50


def test_it_stacks_the_series_from_the_bottom_up():
    chart = charts.rolling(
        [span(NOW, 40), span(NOW, 20, "b")], [], [A, B], [(NOW, 100)], NOW, LONDON
    )
    assert [heights(area.past)[-1] for area in chart.areas] == [40, 60]
    assert [area.now for area in chart.areas] == [40, 20]


def test_it_has_room_for_the_limit_and_for_what_is_above_it():
    below = charts.rolling([], [], [A], [(NOW, 100)], NOW, LONDON)
    assert 5 < float(below.limit_y) < 10
    above = charts.rolling([span(NOW, 400)], [], [A], [(NOW, 100)], NOW, LONDON)
    assert float(above.limit_y) == 75
    assert min(float(pair.split(",")[1]) for pair in above.areas[0].past.split()) == 0


def test_it_can_be_drawn_with_nothing_in_it():
    chart = charts.rolling([], [], [], [(NOW, 0)], NOW, LONDON)
    assert chart.areas == []
    assert [level.value for level in chart.levels] == [0, 1]


def test_its_hours_stand_on_the_wall_clock_of_the_account():
    chart = charts.rolling([], [], [], [(NOW, 500)], NOW, ZoneInfo("Asia/Kolkata"))
    assert {(hour.at.hour % 6, hour.at.minute) for hour in chart.hours} == {(0, 0)}
    midnight = next(hour for hour in chart.hours if hour.at.date() == date(2036, 11, 26))
    # 14:06 UTC is 19:36 there: midnight is 4 h 24 min ahead, of 24 in half the width.
    assert midnight.position == f"{50 + 50 * (4.4 / 24):.2f}"


def test_its_limit_steps_up_where_it_grows_within_a_day():
    limits = [(NOW, 50), (NOW + 12 * HOUR, 75), (NOW + 36 * HOUR, 112)]
    chart = charts.rolling([], [], [], limits, NOW, LONDON)
    assert (chart.limit, chart.limit_ahead) == (50, 75)
    top = f"{100 - 100 / 1.08:.2f}"
    low = f"{100 - 100 * 50 / 81:.2f}"
    assert chart.limit_line == f"0,{low} 75.00,{low} 75.00,{top} 100,{top}"
    assert chart.limit_y == top


def test_its_levels_are_few_and_round():
    for limit, expected in ((500, [0, 200, 400]), (2000, [0, 500, 1000, 1500, 2000])):
        chart = charts.rolling([], [], [], [(NOW, limit)], NOW, LONDON)
        assert [level.value for level in chart.levels] == expected


def test_its_table_says_the_same_as_its_drawing():
    chart = charts.rolling(
        [span(NOW - HOUR, 40)], [span(NOW + HOUR, 5, "b")], [A, B], [(NOW, 100)], NOW, LONDON
    )
    by_moment = {row.at: row for row in chart.rows}
    assert by_moment[NOW].counts == [40, 0]
    assert (by_moment[NOW + 3 * HOUR].counts, by_moment[NOW + 3 * HOUR].total) == ([40, 5], 45)
    assert by_moment[NOW + 24 * HOUR].counts == [0, 5]


def test_it_shows_every_day_also_those_on_which_nothing_leaves():
    first, second, third = (date(2036, 11, day) for day in (28, 29, 30))
    counts = {first: {"a": 300, "b": 100}, third: {"a": 200}}
    shown = charts.days(counts, [A, B], first, third, second)
    assert [day.total for day in shown] == [400, 0, 200]
    assert [day.today for day in shown] == [False, True, False]
    assert [(bar.series.key, bar.height) for bar in shown[0].bars] == [
        ("a", "75.00"),
        ("b", "25.00"),
    ]
    assert [bar.height for bar in shown[2].bars] == ["50.00"]
