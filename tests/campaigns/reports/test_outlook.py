from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from campaigns.models import Campaign
from campaigns.reports.outlook import calendar, outlook_of
from tests.campaigns.making import make_account, make_campaign, make_workspace

NOW = datetime(2036, 11, 25, 14, 6, tzinfo=UTC)
TODAY = date(2036, 11, 25)


def days_from(start: date, count: int, each: int) -> dict[date, int]:
    return {start + timedelta(days=n): each for n in range(count)}


def test_a_calendar_has_whole_weeks():
    shown = calendar({}, days_from(TODAY, 3, 500), TODAY)
    assert len(shown.days) == 7
    assert [day.total for day in shown.days] == [500, 500, 500, 0, 0, 0, 0]
    assert [series.key for series in shown.series] == ["planned"]


def test_a_calendar_tells_what_was_sent_from_what_is_planned():
    shown = calendar({TODAY: 200}, {TODAY: 300}, TODAY)
    [today, *_rest] = shown.days
    assert [(bar.series.key, bar.count) for bar in today.bars] == [("sent", 200), ("planned", 300)]


def test_a_long_calendar_says_what_it_does_not_show():
    sent, planned = days_from(TODAY - timedelta(days=30), 30, 10), days_from(TODAY, 60, 10)
    shown = calendar(sent, planned, TODAY)
    assert len(shown.days) == 28
    counted = sum(day.total for day in shown.days)
    assert (shown.before, counted, shown.after) == (240, 280, 380)
    assert shown.last_day == TODAY + timedelta(days=59)


@pytest.mark.django_db
def test_it_forecasts_a_draft_as_if_it_were_launched_now():
    workspace = make_workspace()
    account = make_account(workspace)
    draft = Campaign.objects.create(workspace=workspace, name="Draft", pace=Campaign.Pace.ASAP)
    outlook = outlook_of(draft, 1200, [account], NOW, ZoneInfo("UTC"))
    assert outlook.sentence == (
        "500 today, 500 tomorrow, 200 on Thursday; the last one leaves Thursday 14:10."
    )
    assert [day.total for day in outlook.calendar.days][:3] == [500, 500, 200]
    assert not outlook.uneven


@pytest.mark.django_db
def test_it_counts_with_the_campaigns_that_share_the_account():
    workspace = make_workspace()
    account = make_account(workspace)
    make_campaign(workspace, [account], 450)
    draft = Campaign.objects.create(workspace=workspace, name="Draft", pace=Campaign.Pace.ASAP)
    outlook = outlook_of(draft, 400, [account], NOW, ZoneInfo("UTC"))
    assert outlook.calendar.days[0].total == 250


@pytest.mark.django_db
def test_it_says_what_no_account_has_room_for():
    workspace = make_workspace()
    account = make_account(workspace, limit=0)
    draft = Campaign.objects.create(workspace=workspace, name="Draft", hours_from=time(9))
    outlook = outlook_of(draft, 40, [account], NOW, ZoneInfo("UTC"))
    assert (outlook.unplanned, outlook.sentence) == (40, "Nothing can leave as things stand.")
