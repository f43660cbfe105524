from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from campaigns.planning.calendar import SendingHours, next_open, opening_of

LONDON = ZoneInfo("Europe/London")
NEW_YORK = ZoneInfo("America/New_York")
OFFICE = SendingHours(frozenset({0, 1, 2, 3, 4}), time(9), time(17))


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


def test_it_is_open_at_once_within_the_hours() -> None:
    assert next_open(OFFICE, utc(2026, 11, 23, 12), LONDON) == utc(2026, 11, 23, 12)


def test_it_waits_for_the_morning_and_over_the_weekend() -> None:
    assert next_open(OFFICE, utc(2026, 11, 23, 17), LONDON) == utc(2026, 11, 24, 9)
    assert next_open(OFFICE, utc(2026, 11, 27, 18), LONDON) == utc(2026, 11, 30, 9)


def test_it_reads_the_hours_in_the_zone_of_the_account() -> None:
    assert next_open(OFFICE, utc(2026, 11, 23, 9), NEW_YORK) == utc(2026, 11, 23, 14)


def test_it_follows_the_clock_on_the_wall_over_a_clock_change() -> None:
    # Britain goes from UTC+1 to UTC on 25 October 2026.
    every_day = SendingHours(start=time(9), end=time(17))
    assert next_open(every_day, utc(2026, 10, 24, 20), LONDON) == utc(2026, 10, 25, 9)
    assert next_open(every_day, utc(2026, 10, 23, 20), LONDON) == utc(2026, 10, 24, 8)


def test_it_has_a_longer_day_when_the_clock_goes_back() -> None:
    opening = opening_of(SendingHours(), date(2026, 10, 25), LONDON)
    assert opening is not None
    assert opening[1] - opening[0] == timedelta(hours=25)


def test_it_copes_with_hours_that_a_clock_change_swallows() -> None:
    # 01:00 to 02:00 does not exist in Britain on 29 March 2026.
    hours = SendingHours(start=time(1), end=time(2))
    opens = next_open(hours, utc(2026, 3, 29, 0, 30), LONDON)
    assert opens == utc(2026, 3, 30, 0)


def test_it_never_opens_without_a_day() -> None:
    assert next_open(SendingHours(frozenset()), utc(2026, 11, 23), LONDON) is None


def test_it_knows_how_long_a_day_is() -> None:
    assert OFFICE.a_day == timedelta(hours=8)
    assert SendingHours().a_day == timedelta(hours=24)
    assert SendingHours(start=time(18)).a_day == timedelta(hours=6)
