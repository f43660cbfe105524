from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from campaigns.models import Campaign, Event, Message
from campaigns.reports.campaign_report import Part, as_rows, report_of
from tests.campaigns.making import make_workspace
from tests.campaigns.reports.reporting import COUNTS, LATE, LAUNCHED, ZONE, K, make_reported

pytestmark = pytest.mark.django_db

NOW = LATE + timedelta(days=20)
NEW_YORK = ZoneInfo(ZONE)


@pytest.fixture
def campaign() -> Campaign:
    return make_reported(make_workspace())


def part_of(parts: list[Part], day: date) -> Part:
    return next(part for part in parts if part.period.first <= day <= part.period.last)


def test_it_counts_each_message_once_whatever_happened_to_it_how_often(campaign):
    report = report_of(campaign, NOW, NEW_YORK)
    assert {one.key: one.count for one in report.figures} == COUNTS


def test_every_figure_says_what_it_is_a_share_of(campaign):
    figures = {one.key: one for one in report_of(campaign, NOW, NEW_YORK).figures}
    assert figures["recipients"].of is None
    assert figures["sent"].of == 10
    assert figures[K.BOUNCED].of == figures["delivered"].of == 8
    assert figures[K.REPLIED].of == figures[K.CLICKED].of == 4
    for one in figures.values():
        assert one.formula
        assert ("÷" in one.formula) == (one.of is not None)


def test_a_report_on_what_was_not_sent_takes_nothing_from_what_was_delivered(campaign):
    waiting = campaign.messages.get(state="waiting")
    Event.objects.create(message=waiting, kind=K.BOUNCED, at=LATE)
    assert report_of(campaign, NOW, NEW_YORK).count("delivered") == 4


@pytest.mark.parametrize(("opens", "clicks"), [(False, False), (True, False), (False, True)])
def test_opens_and_clicks_are_there_only_where_they_were_counted(campaign, opens, clicks):
    campaign.track_opens, campaign.track_clicks = opens, clicks
    report = report_of(campaign, NOW, NEW_YORK)
    shown = {one.key for one in report.figures}
    assert (K.OPENED in shown, K.CLICKED in shown) == (opens, clicks)
    assert bool(report.links) == clicks


def test_days_are_those_of_the_zone(campaign):
    parts = report_of(campaign, NOW, NEW_YORK).parts
    assert parts[0].period.first == LAUNCHED.date()
    assert part_of(parts, date(2026, 3, 2)).counts["sent"] == 4
    # 2 o'clock on the 4th in UTC.
    assert part_of(parts, date(2026, 3, 3)).counts == {
        "sent": 4,
        K.REPLIED: 0,
        K.OPTED_OUT: 0,
        K.BOUNCED: 1,
    }
    assert parts[-1].period.first == NOW.astimezone(NEW_YORK).date()


def test_over_time_a_message_counts_on_each_day_on_which_something_came(campaign):
    parts = report_of(campaign, NOW, NEW_YORK).parts
    assert sum(part.counts["sent"] for part in parts) == 8
    # Two from one message on the first of the days, and one from another on the next.
    assert replies_by_part(parts) == [1, 1]
    twice = Event.objects.filter(kind=K.REPLIED).earliest("pk").message
    Event.objects.create(message=twice, kind=K.REPLIED, at=LATE + timedelta(days=5))
    assert replies_by_part(report_of(campaign, NOW, NEW_YORK).parts) == [1, 2]


def replies_by_part(parts: list[Part]) -> list[int]:
    return [part.counts[K.REPLIED] for part in parts if part.counts[K.REPLIED]]


def test_it_ends_when_the_last_came_after_the_campaign_was_finished(campaign):
    campaign.finished_at = LATE
    parts = report_of(campaign, NOW, NEW_YORK).parts
    newest = max(event.at for event in Event.objects.filter(kind__in=(K.REPLIED, K.OPTED_OUT)))
    assert parts[-1].period.last == newest.astimezone(NEW_YORK).date()


def test_a_long_one_is_told_by_the_week_and_loses_nothing(campaign):
    report = report_of(campaign, NOW + timedelta(days=100), NEW_YORK)
    assert report.step == "week"
    assert sum(part.counts["sent"] for part in report.parts) == 8


def test_what_left_before_the_first_day_is_not_lost(campaign):
    Message.objects.filter(state="sent").update(sent_at=LAUNCHED - timedelta(days=3))
    assert report_of(campaign, NOW, NEW_YORK).parts[0].counts["sent"] == 8


def test_it_counts_a_link_by_messages_and_without_machines(campaign):
    clicked = Event.objects.get(kind=K.CLICKED, by_machine=False)
    Event.objects.create(message=clicked.message, kind=K.CLICKED, at=LATE, link=clicked.link)
    (link,) = report_of(campaign, NOW, NEW_YORK).links
    assert (link.link.url, link.count) == ("https://shop.example/sale", 1)


def test_it_takes_as_many_queries_for_much_as_for_little(campaign):
    with CaptureQueriesContext(connection) as queries:
        report_of(campaign, NOW + timedelta(days=400), NEW_YORK)
    assert len(queries) <= 7


def test_its_table_has_the_whole_the_days_and_the_links(campaign):
    rows = list(as_rows(report_of(campaign, NOW, NEW_YORK)))
    assert rows[1][:6] == ["sent", "", "", "", "8", "80.00"]
    assert ["sent", "2026-03-02", "2026-03-02", "", "4", "", ""] in rows
    assert rows[-1] == ["clicked", "", "", "https://shop.example/sale", "1", "25.00", ""]
