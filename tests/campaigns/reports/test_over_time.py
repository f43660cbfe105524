from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Workspace
from campaigns.models import Event, Message
from campaigns.reports.over_time import SHOWN, Counts, as_rows, over_time
from campaigns.reports.periods import Period, Step
from tests.campaigns.making import make_account, make_single, make_workspace
from tests.campaigns.reports.reporting import LATE, LAUNCHED, ZONE, K, M, make_reported

pytestmark = pytest.mark.django_db

DAY = date(2026, 3, 20)
WEEK = Period(date(2026, 3, 2), date(2026, 3, 8))
ONE = Counts(sent=8, failed=4, bounced=1, replied=2, opted_out=1)


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace(time_zone=ZONE)


def in_period(workspace: Workspace, period: Period, step: Step = Step.WEEK) -> Counts:
    return dict(over_time(workspace, step, DAY).periods)[period]


def test_it_tells_what_became_of_what_was_sent_in_each_week(workspace):
    make_reported(workspace)
    report = over_time(workspace, Step.WEEK, DAY)
    assert len(report.periods) == SHOWN
    assert report.periods[-1][0] == Period(date(2026, 3, 16), date(2026, 3, 22))
    filled = [(period, counts) for period, counts in report.periods if counts != Counts()]
    # Also what came in the weeks after it.
    assert max(event.at for event in Event.objects.all()) > LATE + timedelta(days=7)
    assert filled == [(WEEK, ONE)]
    assert ONE.delivered == 4


def test_it_tells_it_by_month_and_for_each_campaign(workspace):
    first = make_reported(workspace, name="First")
    second = make_reported(workspace, name="Second")
    Message.objects.filter(campaign=second, state=M.SENT).update(sent_at=LAUNCHED.replace(month=2))
    report = over_time(workspace, Step.MONTH, DAY)
    assert [counts for _period, counts in report.periods[-2:]] == [ONE, ONE]
    assert report.campaigns == [(second, ONE), (first, ONE)]
    assert report.whole == Period(date(2025, 4, 1), date(2026, 3, 31))


def test_weeks_begin_on_monday_in_the_zone_of_the_workspace(workspace):
    make_reported(workspace)
    # Monday, 2 o'clock in UTC: Sunday evening in New York.
    Message.objects.filter(state=M.SENT).update(sent_at=LATE - timedelta(days=2))
    assert in_period(workspace, WEEK) == Counts()
    assert in_period(workspace, Period(date(2026, 2, 23), date(2026, 3, 1))) == ONE


def test_what_was_sent_before_or_after_is_not_in_it(workspace):
    make_reported(workspace)
    for at in (LAUNCHED - timedelta(days=90), LAUNCHED + timedelta(days=30)):
        Message.objects.filter(state=M.SENT).update(sent_at=at)
        report = over_time(workspace, Step.WEEK, DAY)
        assert all(counts == Counts() for _period, counts in report.periods)
        assert report.campaigns == []


def test_it_leaves_out_other_workspaces_and_mail_of_no_campaign(workspace):
    make_reported(make_workspace(time_zone=ZONE))
    make_single(make_account(workspace))
    Message.objects.filter(campaign=None).update(state=M.SENT, sent_at=LATE)
    Event.objects.create(message=Message.objects.get(campaign=None), kind=K.REPLIED, at=LATE)
    assert in_period(workspace, WEEK) == Counts()


def test_it_takes_as_many_queries_for_many_campaigns_as_for_one(workspace):
    for _ in range(3):
        make_reported(workspace)
    with CaptureQueriesContext(connection) as queries:
        over_time(workspace, Step.WEEK, DAY)
    assert len(queries) == 3


def test_its_table_has_each_period_then_each_campaign(workspace):
    make_reported(workspace, name="Spring")
    rows = list(as_rows(over_time(workspace, Step.WEEK, DAY)))
    assert ["2026-03-02", "2026-03-08", "all campaigns", "8", "4", "1", "2", "1"] in rows
    assert rows[-1] == ["2025-12-29", "2026-03-22", "Spring", "8", "4", "1", "2", "1"]
    assert len(rows) == SHOWN + 1
