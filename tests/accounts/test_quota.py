from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from accounts import quota
from accounts.quota import Use

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
DAY = timedelta(hours=24)
FREE_AFTER = DAY + quota.MARGIN


def ago(**how_long: float) -> datetime:
    return NOW - timedelta(**how_long)


def test_it_counts_the_last_24_hours_and_not_the_calendar_day() -> None:
    uses = [Use(ago(hours=23, minutes=59)), Use(ago(hours=25)), Use(ago(minutes=1), recipients=3)]
    assert quota.used(uses, NOW) == 4


def test_it_counts_a_use_for_24_hours_and_the_margin_to_the_microsecond() -> None:
    use = Use(NOW)
    assert quota.used([use], NOW + FREE_AFTER - timedelta(microseconds=1)) == 1
    assert quota.used([use], NOW + FREE_AFTER) == 0


def test_it_counts_what_is_reserved_however_long_ago() -> None:
    assert quota.used([Use(None, 2)], NOW) == 2


def test_it_counts_a_doubt_from_a_moment_still_to_come() -> None:
    later = Use(NOW + timedelta(minutes=30))
    assert quota.used([later], NOW) == 1
    assert quota.used([later], NOW + DAY + timedelta(minutes=30)) == 1


def test_it_is_free_at_once_below_the_limit() -> None:
    assert quota.free_at([Use(NOW)] * 499, 500, NOW) == NOW
    assert quota.free_at([Use(NOW)] * 499, 500, NOW, wanted=2) == NOW + FREE_AFTER


def test_it_is_free_when_the_oldest_use_has_aged() -> None:
    uses = [Use(ago(hours=20)), Use(ago(hours=2))]
    assert quota.free_at(uses, 2, NOW) == ago(hours=20) + FREE_AFTER
    assert quota.free_at(uses, 2, NOW, wanted=2) == ago(hours=2) + FREE_AFTER


def test_it_does_not_know_when_a_reserved_use_ends() -> None:
    assert quota.free_at([Use(None), Use(None)], 2, NOW) is None


def test_it_never_has_room_under_a_limit_of_nothing() -> None:
    assert quota.free_at([], 0, NOW) is None


@given(
    st.lists(st.tuples(st.integers(-90_000, 1_800), st.integers(1, 5)), max_size=40),
    st.integers(1, 60),
)
def test_it_says_the_first_moment_at_which_there_is_room(
    spent: list[tuple[int, int]], limit: int
) -> None:
    uses = [Use(NOW + timedelta(seconds=seconds), count) for seconds, count in spent]
    free = quota.free_at(uses, limit, NOW)
    assert free is not None
    assert quota.used(uses, free) < limit
    if free > NOW:
        assert quota.used(uses, free - timedelta(microseconds=1)) >= limit
