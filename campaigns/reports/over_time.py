"""What campaigns sent in each week or month, and what became of it. Read only."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Count, Q
from django.utils.translation import gettext as _

from accounts.models import Workspace
from accounts.tenancy import visible
from campaigns.models import Campaign, Event, Message
from campaigns.reports.delivered import FAILED
from campaigns.reports.periods import Period, Step, begins, cut, ends, period_of, position

Kind = Event.Kind

# So many weeks or months at a time.
SHOWN = 12
# A campaign, and which of the periods.
Where = tuple[int, int]


@dataclass
class Counts:
    """Messages that were sent in some time, and of how many what came until now, each once."""

    sent: int = 0
    failed: int = 0
    bounced: int = 0
    replied: int = 0
    opted_out: int = 0

    @property
    def delivered(self) -> int:
        return self.sent - self.failed

    def add(self, other: "Counts") -> None:
        for each in fields(self):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))


@dataclass(frozen=True)
class OverTime:
    """`periods` from the oldest to the newest, `campaigns` from the newest to the oldest."""

    step: Step
    periods: list[tuple[Period, Counts]]
    campaigns: list[tuple[Campaign, Counts]]

    @property
    def whole(self) -> Period:
        return Period(self.periods[0][0].first, self.periods[-1][0].last)


def over_time(workspace: Workspace, step: Step, day: date) -> OverTime:
    """The periods up to the one that holds `day`, in the zone of the workspace."""
    zone = ZoneInfo(workspace.time_zone)
    periods = _periods(step, day)
    found = _counted(workspace, periods, zone)
    by_period = [Counts() for _period in periods]
    by_campaign: dict[int, Counts] = defaultdict(Counts)
    for (campaign_id, index), counts in found.items():
        by_period[index].add(counts)
        by_campaign[campaign_id].add(counts)
    campaigns = visible(Campaign.objects.filter(pk__in=by_campaign), workspace).order_by("-pk")
    return OverTime(
        step=step,
        periods=list(zip(periods, by_period, strict=True)),
        campaigns=[(campaign, by_campaign[campaign.pk]) for campaign in campaigns],
    )


def _periods(step: Step, day: date) -> list[Period]:
    first = period_of(day, step).first
    for _earlier in range(SHOWN - 1):
        first = period_of(first - timedelta(days=1), step).first
    return cut(first, day, step)


def _counted(workspace: Workspace, periods: list[Period], zone: ZoneInfo) -> dict[Where, Counts]:
    first, end = begins(periods[0], zone), ends(periods[-1], zone)
    messages = visible(Message.objects.order_by(), workspace).filter(
        campaign__isnull=False, state=Message.State.SENT, sent_at__gte=first, sent_at__lt=end
    )
    sent = messages.values_list("campaign_id", position("sent_at", periods, zone))
    found: dict[Where, Counts] = {
        (campaign_id, index): Counts(sent=count)
        for campaign_id, index, count in sent.annotate(count=Count("id"))
        if campaign_id is not None
    }
    events = visible(Event.objects.order_by(), workspace).filter(
        kind__in=(*FAILED, Kind.REPLIED, Kind.OPTED_OUT),
        message__campaign__isnull=False,
        message__state=Message.State.SENT,
        message__sent_at__gte=first,
        message__sent_at__lt=end,
    )
    came = events.values_list(
        "message__campaign_id", position("message__sent_at", periods, zone)
    ).annotate(
        failed=_messages(Q(kind__in=FAILED)),
        bounced=_messages(Q(kind=Kind.BOUNCED)),
        replied=_messages(Q(kind=Kind.REPLIED)),
        opted_out=_messages(Q(kind=Kind.OPTED_OUT)),
    )
    for campaign_id, index, failed, bounced, replied, opted_out in came:
        of_them = Counts(0, failed, bounced, replied, opted_out)
        found.setdefault((campaign_id, index), Counts()).add(of_them)
    return found


def _messages(which: Q) -> Count:
    return Count("message", filter=which, distinct=True)


# --- As a table ------------------------------------------------------------------------------

COLUMNS = (
    "From",
    "Until",
    "Campaign",
    "Sent",
    "Delivered as far as known",
    "Bounced",
    "Replied",
    "Opted out",
)


def as_rows(report: OverTime) -> Iterator[list[str]]:
    """For `spreadsheet.table`: all campaigns in each period, then each campaign in all of them."""
    for period, counts in report.periods:
        yield _row(period, _("all campaigns"), counts)
    for campaign, counts in report.campaigns:
        yield _row(report.whole, campaign.name, counts)


def _row(period: Period, name: str, counts: Counts) -> list[str]:
    figures = counts.sent, counts.delivered, counts.bounced, counts.replied, counts.opted_out
    days = [period.first.isoformat(), period.last.isoformat()]
    return [*days, name, *(str(figure) for figure in figures)]
