"""A forecast as a person reads it: one sentence, and a calendar of the days."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from accounts.models import GmailAccount
from campaigns.delivery.forecasting import NO_CAMPAIGN_YET, forecast_with
from campaigns.models import Campaign
from campaigns.reports import charts, wording
from campaigns.reports.charts import Day, Series

# Days shown one by one; a calendar longer than this is nobody's to look at.
DAYS_SHOWN = 28
WEEK = 7


@dataclass(frozen=True)
class Calendar:
    """`before` and `after`: messages on days that are not shown, and until when."""

    days: list[Day]
    series: list[Series]
    before: int = 0
    after: int = 0
    last_day: date | None = None


@dataclass(frozen=True)
class Outlook:
    """What would leave of a campaign. `unplanned`: for how many no account has room."""

    sentence: str
    calendar: Calendar
    unplanned: int
    # Whether days within these hours may carry less than the limit.
    uneven: bool
    finishes: datetime | None
    zone: ZoneInfo


def outlook_of(
    draft: Campaign,
    recipients: int,
    accounts: list[GmailAccount],
    now: datetime,
    zone: ZoneInfo,
) -> Outlook:
    """The forecast of a campaign that is not launched yet, as if it were launched now."""
    plan = forecast_with(draft, recipients, accounts, now)
    key = draft.pk or NO_CAMPAIGN_YET
    by_day, finishes = plan.by_day(key), plan.finishes(key)
    return Outlook(
        sentence=wording.plan(by_day, finishes, now, zone),
        calendar=calendar({}, by_day, now.astimezone(zone).date()),
        unplanned=plan.unplanned.get(key, 0),
        uneven=len(by_day) > 1 and bool(draft.hours_from or draft.hours_to),
        finishes=finishes,
        zone=zone,
    )


def calendar(
    sent: Mapping[date, int], planned: Mapping[date, int], today: date, days: int = DAYS_SHOWN
) -> Calendar:
    """Whole weeks that hold the days on which something leaves, `days` at most.

    Where there are more, the last week that is over is the first that is shown.
    """
    both = (
        (Series("sent", _("sent"), "sent"), sent),
        (Series("planned", _("planned"), "planned"), planned),
    )
    counts: dict[date, dict[Hashable, int]] = {}
    for series, by_day in both:
        for day, count in by_day.items():
            counts.setdefault(day, {})[series.key] = count
    first, last = min([*counts, today]), max([*counts, today])
    if (last - first).days >= days:
        first = max(first, today - timedelta(days=WEEK - 1))
    shown_until = min(max(last, first + timedelta(days=WEEK - 1)), first + timedelta(days=days - 1))
    # Fill the last week, so that the weekdays stand in columns.
    shown_until += timedelta(days=-((shown_until - first).days + 1) % WEEK)
    shown = {day: parts for day, parts in counts.items() if first <= day <= shown_until}
    return Calendar(
        days=charts.days(shown, [series for series, _by_day in both], first, shown_until, today),
        series=[series for series, by_day in both if by_day],
        before=sum(sum(parts.values()) for day, parts in counts.items() if day < first),
        after=sum(sum(parts.values()) for day, parts in counts.items() if day > shown_until),
        last_day=last,
    )
