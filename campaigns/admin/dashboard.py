"""The dashboard: what leaves next, the accounts, the coming days, what needs a person."""

from collections.abc import Hashable, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Workspace
from accounts.pages_context import page_context
from accounts.tenancy import visible, workspace_of
from campaigns.admin.badges import campaign_badge
from campaigns.admin.wizard_forms import accounts_of
from campaigns.delivery.forecasting import forecast_workspace
from campaigns.models import Campaign
from campaigns.planning.forecast import Forecast
from campaigns.reports import attention, charts, headline, progress, usage
from campaigns.reports.charts import Series
from campaigns.reports.consistent import consistent_reads
from campaigns.reports.first_steps import first_steps

DAYS = 14
GOING_ON_SHOWN, OTHERS_SHOWN = 50, 3


def dashboard(site: AdminSite, request: HttpRequest) -> HttpResponse:
    workspace, now = workspace_of(request), timezone.now()
    steps = first_steps(workspace)
    context = page_context(
        site,
        request,
        _("Dashboard"),
        steps=steps,
        done=sum(step.done for step in steps),
        **(what_moves(workspace, now) if not steps else {}),
    )
    return TemplateResponse(request, "campaigns/dashboard.html", context)


def live(site: AdminSite, request: HttpRequest) -> HttpResponse:
    """What moves on the dashboard, for HTMX to put each part in its place."""
    context = what_moves(workspace_of(request), timezone.now())
    return render(request, "campaigns/dashboard/live.html", context)


@consistent_reads()
def what_moves(workspace: Workspace, now: datetime) -> dict[str, Any]:
    accounts = list(accounts_of(workspace))
    campaigns = _campaigns(workspace)
    sending = [one for one in campaigns if one.state == Campaign.State.SENDING]
    plan = forecast_workspace(workspace, now)
    past = usage.Past(accounts, now)
    series = usage.all_series(_drawn(workspace, past, plan))
    styles = {one.key: one.style for one in series}
    lines = progress.lines_of(campaigns, workspace, now, plan)
    addresses = {account.pk: account.address for account in accounts}
    return {
        "headline": headline.of_workspace(sending, plan, addresses, now),
        "panels": usage.panels(past, plan, series),
        "days": _days(past, plan, series, workspace, now),
        "needs": attention.needs(workspace, accounts, lines, plan, now),
        "lines": [
            (line, campaign_badge(line.campaign), styles.get(line.campaign.pk)) for line in lines
        ],
        "now": now,
        "zone": workspace.time_zone,
        "moves": bool(sending),
    }


def _campaigns(workspace: Workspace) -> list[Campaign]:
    """Those that are going on, then the newest drafts, then the last that are over."""
    state = Campaign.State
    rows = visible(Campaign.objects.select_related("workspace"), workspace).order_by("-id")
    going_on = rows.filter(state__in=[state.SENDING, state.PAUSED])
    drafts = rows.filter(state=state.DRAFT)
    over = rows.filter(state__in=[state.FINISHED, state.CANCELLED])
    return [*going_on[:GOING_ON_SHOWN], *drafts[:OTHERS_SHOWN], *over[:OTHERS_SHOWN]]


def _drawn(workspace: Workspace, past: usage.Past, plan: Forecast) -> list[Campaign]:
    """Every campaign that stands in a chart, the oldest first, so that each keeps its colour."""
    keys: set[Any] = {one.campaign_id for one in plan.departures}
    keys.update(span.series for spans in past.spans.values() for span in spans)
    numbers = [key for key in keys if isinstance(key, int)]
    return list(visible(Campaign.objects.filter(pk__in=numbers), workspace).order_by("pk"))


def _days(
    past: usage.Past, plan: Forecast, series: Sequence[Series], workspace: Workspace, now: datetime
) -> list[charts.Day]:
    """Today and the next two weeks: what is planned, and today what was sent as well."""
    today = now.astimezone(ZoneInfo(workspace.time_zone)).date()
    counts: dict[Any, dict[Hashable, int]] = {today: dict(past.sent_on(today))}
    for one in plan.departures:
        day = counts.setdefault(one.day, {})
        day[one.campaign_id] = day.get(one.campaign_id, 0) + one.count
    last = today + timedelta(days=DAYS - 1)
    shown = {day: parts for day, parts in counts.items() if today <= day <= last}
    return charts.days(shown, series, today, last, today)
