"""Each Gmail account's rolling 24 hours: what was used, what is free, what is planned."""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts import ledger, quota, rest_words, sent
from accounts.models import GmailAccount, LedgerRow
from campaigns.models import Campaign
from campaigns.planning.calendar import local_date
from campaigns.planning.forecast import Forecast
from campaigns.planning.sharing import Reason
from campaigns.reports import charts, status, wording
from campaigns.reports.charts import RollingChart, Series, Span
from campaigns.reports.status import AccountUse

BY_HAND = "by_hand"
SINGLE = "single"
# Campaigns with a colour of their own; series 3 is for what was written by hand.
CAMPAIGN_STYLES = ("series-1", "series-2", "series-4", "series-5")
# "61 more within 6 hours"
SOON = timedelta(hours=6)


@dataclass(frozen=True)
class Panel:
    """One account's card. `free_soon`: how many more are free within `SOON` if nothing leaves;
    `kept`: what is kept free for mail written by hand, in words.
    """

    use: AccountUse
    chart: RollingChart
    free_soon: int
    kept: str
    now: datetime
    zone: ZoneInfo

    @property
    def account(self) -> GmailAccount:
        return self.use.account

    @property
    def goes_on(self) -> str:
        """When an account that rests may send again."""
        at = self.use.next_free_at
        return wording.moment(at, self.now, self.zone) if at else ""

    @property
    def rests_because(self) -> str:
        """Why an account that rests does; empty for any other."""
        resting = self.use.held_by is Reason.RESTING
        return rest_words.why(self.account.resting_reason) if resting else ""

    @property
    def clock(self) -> str:
        return str(date_format(self.now.astimezone(self.zone), "H:i"))

    @property
    def hours(self) -> list[tuple[str, str]]:
        """What stands below the chart, and where: the day where it begins, else the hour."""
        named, day = [], None
        for hour in self.chart.hours:
            pattern = "H:i" if hour.at.date() == day else "D H:i"
            named.append((str(date_format(hour.at, pattern)), hour.position))
            day = hour.at.date()
        return named

    @property
    def rows(self) -> list[tuple[str, list[tuple[int, str]], int]]:
        """The table: a moment, each series' count and name, and what they come to."""
        names = [area.series.name for area in self.chart.areas]
        return [
            (
                str(date_format(row.at.astimezone(self.zone), "D H:i")),
                list(zip(row.counts, names, strict=True)),
                row.total,
            )
            for row in self.chart.rows
        ]


class Past:
    """The ledgers of several accounts as far back as their charts look, read at once."""

    def __init__(self, accounts: Sequence[GmailAccount], now: datetime) -> None:
        self.accounts, self.now = accounts, now
        self.spans: dict[int, list[Span]] = defaultdict(list)
        since = now - charts.REACH - quota.WINDOW - quota.MARGIN
        rows = ledger.counting().filter(account__in=accounts).exclude(at__lte=since)
        fields = "account_id", "reserved_at", "at", "recipients", "source", "campaign_ref"
        for account_id, reserved_at, at, recipients, source, ref in rows.values_list(*fields):
            # What is reserved counts until it settles, any moment now.
            begins, until = min(reserved_at, at or reserved_at), quota.counts_until(at or now)
            self.spans[account_id].append(Span(begins, until, recipients, _series(source, ref)))

    def sent_on(self, day: date) -> Counter[Hashable]:
        """What left on a day of the last two, in each account's own zone, by series."""
        sent = Counter[Hashable]()
        for account in self.accounts:
            zone = ZoneInfo(account.time_zone)
            for span in self.spans[account.pk]:
                if span.begins <= self.now and local_date(span.begins, zone) == day:
                    sent[span.series] += span.count
        return sent


def _series(source: str, campaign_ref: int | None) -> Hashable:
    if source == LedgerRow.Source.CAMPAIGN and campaign_ref is not None:
        return campaign_ref
    return BY_HAND if source == LedgerRow.Source.BY_HAND else SINGLE


def all_series(campaigns: Iterable[Campaign]) -> list[Series]:
    """From the bottom of a chart to its top; a campaign keeps its colour in every chart.

    Campaigns beyond the colours share the last one.
    """
    by_hand = Series(BY_HAND, _("written by hand"), "series-3")
    single = Series(SINGLE, _("single mails"), "series-rest")
    styles = [*CAMPAIGN_STYLES]
    named = [
        Series(campaign.pk, campaign.name, styles.pop(0) if styles else "series-rest")
        for campaign in campaigns
    ]
    return [by_hand, single, *reversed(named)]


def panels(past: Past, plan: Forecast, series: Sequence[Series]) -> list[Panel]:
    """A card for each account, in the order in which they were given."""
    now = past.now
    return [_panel(use, past, plan, series) for use in status.uses_of(past.accounts, now)]


def _panel(use: AccountUse, past: Past, plan: Forecast, series: Sequence[Series]) -> Panel:
    account, now = use.account, past.now
    spans = past.spans[account.pk]
    planned = [
        Span(one.at, quota.counts_until(one.at), one.count, one.campaign_id)
        for one in plan.departures
        if one.account_id == account.pk and one.at <= now + charts.REACH
    ]
    there = {span.series for span in (*spans, *planned)}
    zone = ZoneInfo(account.time_zone)
    limits = ledger.limits(account)
    return Panel(
        use=use,
        chart=charts.rolling(
            spans,
            planned,
            [one for one in series if one.key in there],
            limits.steps(now),
            now,
            zone,
        ),
        free_soon=sum(span.count for span in spans if now < span.ends <= now + SOON)
        + (limits.in_force(now + SOON) - use.limit),
        kept=sent.kept_in_words(account, limits.kept_by_hand),
        now=now,
        zone=zone,
    )
