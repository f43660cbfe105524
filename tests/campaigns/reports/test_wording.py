from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import translation

from campaigns.reports import wording

LONDON = ZoneInfo("Europe/London")
# A Tuesday, 14:06 in London.
NOW = datetime(2036, 11, 25, 14, 6, tzinfo=UTC)


@pytest.mark.parametrize(
    ("ahead", "words"),
    [
        (timedelta(minutes=1), "today 14:07"),
        (timedelta(hours=-3), "today 11:06"),
        (timedelta(hours=10), "tomorrow 00:06"),
        (timedelta(hours=-15), "yesterday 23:06"),
        (timedelta(days=2), "Thursday 14:06"),
        (timedelta(days=6), "Monday 14:06"),
        (timedelta(days=7), "Tue 2 Dec, 14:06"),
        (timedelta(days=-2), "Sun 23 Nov, 14:06"),
        (timedelta(days=50), "Wed 14 Jan 2037, 14:06"),
    ],
)
def test_it_names_a_moment_by_its_distance(ahead, words):
    assert wording.moment(NOW + ahead, NOW, LONDON) == words


def test_it_goes_by_the_day_of_the_zone():
    late = datetime(2036, 11, 25, 23, 30, tzinfo=UTC)
    assert wording.moment(late, NOW, LONDON) == "today 23:30"
    assert wording.moment(late, NOW, ZoneInfo("Europe/Athens")) == "tomorrow 01:30"


def test_a_clock_names_the_day_only_when_it_is_another():
    assert wording.clock(NOW, NOW, LONDON) == "14:06"
    assert wording.clock(NOW + timedelta(days=1), NOW, LONDON) == "tomorrow 14:06"


def test_it_says_a_plan_of_a_few_days():
    days = {date(2036, 11, 25): 500, date(2036, 11, 26): 500, date(2036, 11, 27): 200}
    last = datetime(2036, 11, 27, 11, 20, tzinfo=UTC)
    assert wording.plan(days, last, NOW, LONDON) == (
        "500 today, 500 tomorrow, 200 on Thursday; the last one leaves Thursday 11:20."
    )


def test_it_sums_up_the_days_of_a_long_plan():
    days = {date(2036, 11, 25) + timedelta(days=n): 500 for n in range(60)}
    sentence = wording.plan(days, None, NOW, LONDON)
    assert sentence == "500 today, 500 tomorrow, 500 on Thursday, 28,500 on 57 further days."


def test_it_says_that_nothing_can_leave():
    assert wording.plan({}, None, NOW, LONDON) == "Nothing can leave as things stand."


def test_it_groups_the_digits_of_large_numbers():
    with translation.override("en"):
        assert wording.number(1234567) == "1,234,567"


def test_it_shortens_an_address():
    assert wording.short_address("ana@example.org") == "ana@…"


def test_a_share_is_rounded_and_not_cut_off():
    assert wording.percent(9, 1340) == "0.7 %"
    assert wording.percent(1, 1) == "100.0 %"
    assert wording.percent(0, 8) == "0.0 %"
    assert wording.percent(0, 0) == wording.percent(3, None) == "–"


def test_days_are_named_one_by_one_or_from_one_to_another():
    monday, sunday = date(2026, 3, 2), date(2026, 3, 8)
    assert wording.days(monday, monday) == "Mon 2 Mar 2026"
    assert wording.days(monday, sunday) == "Mon 2 Mar 2026 to Sun 8 Mar 2026"
