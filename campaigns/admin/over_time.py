"""The report of all campaigns by week or month, each number a link to the messages behind it."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.pages_context import page_context
from accounts.tenancy import workspace_of
from campaigns import spreadsheet
from campaigns.admin.campaign_report import all_series
from campaigns.admin.messages_link import CAME_BACK, SENT_ON, days, messages_url
from campaigns.models import Campaign, Event
from campaigns.reports import charts, over_time, wording
from campaigns.reports.campaign_report import DELIVERED, SENT
from campaigns.reports.consistent import consistent_reads
from campaigns.reports.over_time import Counts, OverTime
from campaigns.reports.periods import Period, Step

STEPS = (Step.WEEK, Step.MONTH)


@dataclass(frozen=True)
class Cell:
    name: str
    count: int
    url: str
    # Of the messages that were sent or delivered; nothing for what was sent.
    share: str


@dataclass(frozen=True)
class Row:
    name: str
    cells: list[Cell]
    campaign: Campaign | None = None


def page(site: AdminSite, request: HttpRequest) -> HttpResponse:
    report, zone = _report(request)
    context = page_context(
        site,
        request,
        _("Report"),
        step=report.step,
        steps=[(step, step == report.step) for step in STEPS],
        rows=[
            Row(wording.days(period.first, period.last), _cells(counts, None, period, zone))
            for period, counts in reversed(report.periods)
        ],
        campaigns=[
            Row(campaign.name, _cells(counts, campaign, report.whole, zone), campaign)
            for campaign, counts in report.campaigns
        ],
        asked=request.GET.urlencode(),
        whole=wording.days(report.whole.first, report.whole.last),
        zone=zone,
        **_chart(report),
        **_other_times(report, timezone.now().astimezone(zone).date()),
    )
    return TemplateResponse(request, "campaigns/report/over_time.html", context)


def download(site: AdminSite, request: HttpRequest) -> StreamingHttpResponse:
    """The same figures as CSV."""
    report, _zone = _report(request)
    return StreamingHttpResponse(
        spreadsheet.table(over_time.COLUMNS, over_time.as_rows(report)),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="report.csv"'},
    )


@consistent_reads()
def _report(request: HttpRequest) -> tuple[OverTime, ZoneInfo]:
    workspace = workspace_of(request)
    zone = ZoneInfo(workspace.time_zone)
    step = Step.MONTH if request.GET.get("by") == Step.MONTH else Step.WEEK
    day = _until(request) or timezone.now().astimezone(zone).date()
    return over_time.over_time(workspace, step, day), zone


def _until(request: HttpRequest) -> date | None:
    """The day that was asked for; None where it is none, or so early that nothing is before it."""
    try:
        day = date.fromisoformat(request.GET.get("until", ""))
    except ValueError:
        return None
    return day if 1990 < day.year < 9000 else None


def _cells(counts: Counts, campaign: Campaign | None, period: Period, zone: ZoneInfo) -> list[Cell]:
    def cell(key: str, name: str, count: int, of: int | None) -> Cell:
        asked = {SENT_ON: days(period.first, period.last, zone)}
        if key != SENT:
            asked[CAME_BACK] = key
        share = wording.percent(count, of) if of else ""
        return Cell(name, count, messages_url(campaign, **asked), share)

    return [
        cell(SENT, _("Sent"), counts.sent, None),
        cell(DELIVERED, _("Delivered as far as known"), counts.delivered, counts.sent),
        cell(Event.Kind.BOUNCED, _("Bounced"), counts.bounced, counts.sent),
        cell(Event.Kind.REPLIED, _("Replied"), counts.replied, counts.delivered),
        cell(Event.Kind.OPTED_OUT, _("Opted out"), counts.opted_out, counts.delivered),
    ]


def _chart(report: OverTime) -> dict[str, Any]:
    series = all_series()
    counts = {
        one.key: [getattr(counts, str(one.key)) for _period, counts in report.periods]
        for one in series
    }
    first, last = report.periods[0][0], report.periods[-1][0]
    return {
        "strips": charts.strips(counts, series),
        "first": wording.days(first.first, first.last),
        "last": wording.days(last.first, last.last),
        "is_empty": not any(counts[SENT]),
    }


def _other_times(report: OverTime, today: date) -> dict[str, Any]:
    """Where the links to earlier and later lead; nothing is later than today."""
    whole = report.whole
    steps_on = whole.last + timedelta(days=1 + (whole.last - whole.first).days)

    def query(until: date) -> str:
        return "?" + urlencode({"by": report.step.value, "until": until.isoformat()})

    return {
        "earlier": query(whole.first - timedelta(days=1)),
        "later": query(min(steps_on, today)) if whole.last < today else "",
    }
