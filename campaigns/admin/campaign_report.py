"""The report of a campaign: every number with its formula, and a link to the messages behind it."""

from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.pages_context import page_context
from accounts.tenancy import visible_or_404
from campaigns import spreadsheet
from campaigns.admin.badges import campaign_badge
from campaigns.admin.messages_link import (
    CAME_BACK,
    CAME_ON,
    LINK,
    SENT_ON,
    STATE,
    days,
    messages_url,
)
from campaigns.admin.wizard_forms import zone_of
from campaigns.models import Campaign, Event, Message
from campaigns.reports import campaign_report, charts, wording
from campaigns.reports.campaign_report import DELIVERED, RECIPIENTS, SENT, Figure, Part, Report
from campaigns.reports.charts import Series
from campaigns.reports.consistent import consistent_reads


@dataclass(frozen=True)
class Line:
    """A figure as it is shown."""

    name: str
    count: int
    url: str
    share: str
    formula: str = ""


@dataclass(frozen=True)
class Row:
    """A part of the time as it is shown: for each series its name, count and list."""

    name: str
    cells: list[tuple[str, int, str]]


def page(site: AdminSite, request: HttpRequest, pk: int) -> HttpResponse:
    campaign = _campaign(request, pk)
    if campaign.state == Campaign.State.DRAFT:
        return redirect("admin:campaigns_campaign_change", campaign.pk)
    report, zone = _report(campaign)
    context = page_context(
        site,
        request,
        _("Report"),
        crumbs=[
            (_("Campaigns"), reverse("admin:campaigns_campaign_changelist")),
            (campaign.name, reverse("admin:campaigns_campaign_page", args=[campaign.pk])),
        ],
        campaign=campaign,
        badge=campaign_badge(campaign),
        lines=[_line(campaign, one) for one in report.figures],
        links=_links(report),
        step=report.step,
        zone=zone,
        **_over_time(report, zone),
    )
    return TemplateResponse(request, "campaigns/report/campaign.html", context)


def download(site: AdminSite, request: HttpRequest, pk: int) -> StreamingHttpResponse:
    """The same figures as CSV."""
    report, _zone = _report(_campaign(request, pk))
    return StreamingHttpResponse(
        spreadsheet.table(campaign_report.COLUMNS, campaign_report.as_rows(report)),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="report-{pk}.csv"'},
    )


def _campaign(request: HttpRequest, pk: int) -> Campaign:
    return visible_or_404(Campaign.objects.select_related("workspace"), request, pk)


@consistent_reads()
def _report(campaign: Campaign) -> tuple[Report, ZoneInfo]:
    zone = zone_of(campaign.workspace, list(campaign.accounts.order_by("id")))
    return campaign_report.report_of(campaign, timezone.now(), zone), zone


def _line(campaign: Campaign, figure: Figure) -> Line:
    url = messages_url(campaign, **_asked(figure.key))
    share = wording.percent(figure.count, figure.of)
    return Line(figure.name, figure.count, url, share, figure.formula)


def _asked(key: str) -> dict[str, str]:
    """What the list is asked for to show what a figure counts."""
    if key == RECIPIENTS:
        return {}
    return {STATE: Message.State.SENT} if key == SENT else {CAME_BACK: str(key)}


def _links(report: Report) -> list[Line]:
    delivered = report.count(DELIVERED)
    return [
        Line(
            name=one.link.url,
            count=one.count,
            url=messages_url(
                report.campaign, **{CAME_BACK: Event.Kind.CLICKED, LINK: str(one.link.pk)}
            ),
            share=wording.percent(one.count, delivered),
        )
        for one in report.links
    ]


# --- Over time -------------------------------------------------------------------------------


def all_series() -> list[Series]:
    return [
        Series(SENT, _("Sent"), "series-1"),
        Series(Event.Kind.REPLIED, _("Replied"), "series-4"),
        Series(Event.Kind.OPTED_OUT, _("Opted out"), "series-3"),
        Series(Event.Kind.BOUNCED, _("Bounced"), "series-5"),
    ]


def _over_time(report: Report, zone: ZoneInfo) -> dict[str, Any]:
    series = all_series()
    counts = {one.key: [part.counts[str(one.key)] for part in report.parts] for one in series}
    return {
        "strips": charts.strips(counts, series),
        "first": wording.days(report.parts[0].period.first, report.parts[0].period.first),
        "last": wording.days(report.parts[-1].period.last, report.parts[-1].period.last),
        "series": series,
        "rows": [
            _row(report.campaign, part, series, zone)
            for part in report.parts
            if any(part.counts.values())
        ],
    }


def _row(campaign: Campaign, part: Part, series: list[Series], zone: ZoneInfo) -> Row:
    within = days(part.period.first, part.period.last, zone)

    def url(key: str) -> str:
        if key == SENT:
            return messages_url(campaign, **{SENT_ON: within})
        return messages_url(campaign, **{CAME_BACK: key, CAME_ON: within})

    cells = [(one.name, part.counts[str(one.key)], url(str(one.key))) for one in series]
    return Row(wording.days(part.period.first, part.period.last), cells)
