from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db.models import Count

from campaigns.models import Message
from campaigns.reports.periods import (
    MOST,
    Period,
    Step,
    begins,
    cut,
    cut_readably,
    ends,
    period_of,
    position,
)
from tests.campaigns.making import make_account, make_campaign, make_workspace

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("day", "step", "first", "last"),
    [
        (date(2026, 3, 4), Step.DAY, date(2026, 3, 4), date(2026, 3, 4)),
        (date(2026, 3, 4), Step.WEEK, date(2026, 3, 2), date(2026, 3, 8)),
        (date(2026, 3, 8), Step.WEEK, date(2026, 3, 2), date(2026, 3, 8)),
        (date(2028, 2, 29), Step.MONTH, date(2028, 2, 1), date(2028, 2, 29)),
        (date(2026, 12, 31), Step.MONTH, date(2026, 12, 1), date(2026, 12, 31)),
        (date(2026, 1, 31), Step.MONTH, date(2026, 1, 1), date(2026, 1, 31)),
    ],
)
def test_a_day_lies_in_one_period(day, step, first, last):
    assert period_of(day, step) == Period(first, last)


@pytest.mark.parametrize("step", Step)
def test_periods_adjoin_and_hold_every_day(step):
    periods = cut(date(2027, 12, 30), date(2028, 3, 1), step)
    assert periods[0].first <= date(2027, 12, 30)
    assert periods[-1].last >= date(2028, 3, 1)
    for one, following in zip(periods, periods[1:], strict=False):
        assert (following.first - one.last).days == 1


@pytest.mark.parametrize(
    ("last", "step"),
    [
        (date(2026, 1, 1), Step.DAY),
        (date(2026, 3, 3), Step.DAY),
        (date(2026, 3, 4), Step.WEEK),
        (date(2027, 3, 1), Step.WEEK),
        (date(2028, 3, 1), Step.MONTH),
    ],
)
def test_it_takes_the_finest_step_that_can_be_read(last, step):
    taken, periods = cut_readably(date(2026, 1, 1), last)
    assert taken == step
    assert len(periods) <= MOST


def test_a_day_is_as_long_as_the_clocks_make_it():
    spring = Period(date(2026, 3, 29), date(2026, 3, 29))
    length = ends(spring, BERLIN).astimezone(UTC) - begins(spring, BERLIN).astimezone(UTC)
    assert length.total_seconds() == 23 * 3600


@pytest.mark.django_db
@pytest.mark.parametrize("days", [1, 2, 5, 31])
def test_the_database_finds_the_period_of_every_moment(days):
    workspace = make_workspace()
    campaign = make_campaign(workspace, [make_account(workspace)], 6)
    first = date(2026, 3, 28)
    periods = cut(first, first + timedelta(days=days - 1), Step.DAY)
    edges = [
        begins(periods[0], BERLIN),
        datetime(2020, 1, 1, tzinfo=UTC),
        begins(periods[-1], BERLIN),
        ends(periods[-1], BERLIN),
        begins(periods[len(periods) // 2], BERLIN),
        datetime(2026, 3, 29, 21, 59, 59, 999_999, tzinfo=UTC),
    ]
    for message, at in zip(campaign.messages.all(), edges, strict=True):
        Message.objects.filter(pk=message.pk).update(sent_at=at)
    found = dict(
        campaign.messages.order_by()
        .values_list(position("sent_at", periods, BERLIN))
        .annotate(count=Count("id"))
    )
    wanted: dict[int, int] = {}
    for at in edges:
        day = at.astimezone(BERLIN).date()
        index = min(max((day - periods[0].first).days, 0), len(periods) - 1)
        wanted[index] = wanted.get(index, 0) + 1
    assert found == wanted
