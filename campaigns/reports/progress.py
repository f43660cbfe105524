"""How far many campaigns have come, in a bounded number of queries."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db.models import Count

from accounts.models import Workspace
from campaigns.delivery.forecasting import forecast_workspace
from campaigns.models import Campaign, Message
from campaigns.planning.forecast import Forecast
from campaigns.reports import wording
from campaigns.states import DONE

# Counted instead of what is done: few rows for a finished campaign, however many it was sent to.
NOT_DONE = tuple(state for state in Message.State if state not in DONE)


@dataclass(frozen=True)
class Line:
    """`done`: recipients whose message left, or never can. `finishes`: a moment in words."""

    campaign: Campaign
    done: int
    finishes: str


def lines_of(
    campaigns: Sequence[Campaign], workspace: Workspace, now: datetime, plan: Forecast | None = None
) -> list[Line]:
    """`plan`: the workspace's forecast, when the caller has it already."""
    sending = any(campaign.state == Campaign.State.SENDING for campaign in campaigns)
    if plan is None and sending:
        plan = forecast_workspace(workspace, now)
    zone = ZoneInfo(workspace.time_zone)
    not_done = _not_done(campaigns)
    return [
        Line(
            campaign=campaign,
            done=max(campaign.recipients - not_done[campaign.pk], 0),
            finishes=_finishes(campaign, plan, now, zone),
        )
        for campaign in campaigns
    ]


def _not_done(campaigns: Sequence[Campaign]) -> Counter[int]:
    launched = [one.pk for one in campaigns if one.state != Campaign.State.DRAFT]
    waiting = Message.objects.filter(campaign__in=launched, state__in=NOT_DONE).order_by()
    counts = waiting.values_list("campaign_id").annotate(count=Count("id"))
    return Counter({campaign_id: count for campaign_id, count in counts if campaign_id})


def _finishes(campaign: Campaign, plan: Forecast | None, now: datetime, zone: ZoneInfo) -> str:
    at = campaign.finished_at
    if campaign.state == Campaign.State.SENDING and plan:
        at = plan.finishes(campaign.pk)
    return wording.moment(at, now, zone) if at else ""
