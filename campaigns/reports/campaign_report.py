"""What a campaign came to: its figures with their formulas, over time, and by link. Read only."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db.models import Count, Max, Q
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from campaigns.models import Campaign, Event, Message, TrackedLink
from campaigns.reports import status
from campaigns.reports.delivered import FAILED
from campaigns.reports.periods import Period, Step, cut_readably, position

Kind = Event.Kind

RECIPIENTS, SENT, DELIVERED = "recipients", "sent", "delivered"
# What is shown over time, beside what was sent.
OVER_TIME = (Kind.REPLIED, Kind.OPTED_OUT, Kind.BOUNCED)


@dataclass(frozen=True)
class Figure:
    """How many messages, and of how many: none where there is nothing to compare them with."""

    key: str
    name: str
    count: int
    of: int | None
    formula: str


@dataclass(frozen=True)
class Part:
    """A day, week or month: messages that were sent in it, and of which something came in it.

    Who answers in two of them counts in both.
    """

    period: Period
    counts: Mapping[str, int]


@dataclass(frozen=True)
class LinkClicks:
    """Messages in which a link was clicked."""

    link: TrackedLink
    count: int


@dataclass(frozen=True)
class Report:
    campaign: Campaign
    figures: list[Figure]
    step: Step
    parts: list[Part]
    links: list[LinkClicks] = field(default_factory=list)

    def count(self, key: str) -> int:
        return next((one.count for one in self.figures if one.key == key), 0)


def report_of(campaign: Campaign, now: datetime, zone: ZoneInfo) -> Report:
    """`zone`: in which days begin."""
    step, parts = _over_time(campaign, now, zone)
    return Report(
        campaign=campaign,
        figures=_figures(campaign),
        step=step,
        parts=parts,
        links=_links(campaign) if campaign.track_clicks else [],
    )


# --- Figures ---------------------------------------------------------------------------------


def _figures(campaign: Campaign) -> list[Figure]:
    states, events = status.message_counts(campaign), status.event_counts(campaign)
    recipients, sent = sum(states.values()), states[Message.State.SENT]
    delivered = sent - _failed(campaign)

    def of_sent(kind: Kind) -> Figure:
        name = capfirst(str(kind.label))
        return Figure(
            kind, name, events[kind], sent, _("A delivery report says so. Share = these ÷ sent.")
        )

    def of_delivered(kind: Kind, words: str) -> Figure:
        return Figure(kind, capfirst(str(kind.label)), events[kind], delivered, words)

    figures = [
        Figure(
            RECIPIENTS,
            _("Recipients"),
            recipients,
            None,
            _("Everybody whom the campaign was launched to."),
        ),
        Figure(SENT, _("Sent"), sent, recipients, _("Gmail took it. Share = sent ÷ recipients.")),
        Figure(DELIVERED, _("Delivered as far as known"), delivered, sent, _delivered_formula()),
        *(of_sent(kind) for kind in FAILED),
        of_delivered(Kind.REPLIED, _("A person wrote back. Share = these ÷ delivered.")),
        of_delivered(
            Kind.AUTO_REPLIED, _("Absence notes and the like. Share = these ÷ delivered.")
        ),
        of_delivered(Kind.OPTED_OUT, _("By a page or by mail. Share = these ÷ delivered.")),
    ]
    if campaign.track_opens:
        figures.append(
            of_delivered(Kind.OPENED, _("An estimate, see below. Share = these ÷ delivered."))
        )
    if campaign.track_clicks:
        figures.append(
            of_delivered(Kind.CLICKED, _("An estimate, see below. Share = these ÷ delivered."))
        )
    return figures


def _delivered_formula() -> str:
    return _(
        "Sent − bounced − could not be delivered − refused by the recipient's side − refused by "
        "Gmail itself, each message once. Share = delivered ÷ sent."
    )


def _failed(campaign: Campaign) -> int:
    """Messages that were sent and did not arrive, each once."""
    failed = Event.objects.filter(
        message__campaign=campaign, message__state=Message.State.SENT, kind__in=FAILED
    )
    return failed.values("message").distinct().count()


# --- Over time -------------------------------------------------------------------------------


def _over_time(campaign: Campaign, now: datetime, zone: ZoneInfo) -> tuple[Step, list[Part]]:
    """From its first day to the last on which something was sent or came."""
    events = Event.objects.filter(
        message__campaign=campaign, kind__in=OVER_TIME, by_machine=False
    ).order_by()
    began = (campaign.launched_at or campaign.created_at, campaign.starts_at)
    newest: datetime | None = events.aggregate(Max("at"))["at__max"]
    first = min(max(began), now)
    last = max(first, campaign.finished_at or now, newest or first)
    step, periods = cut_readably(first.astimezone(zone).date(), last.astimezone(zone).date())

    counts: list[dict[str, int]] = [dict.fromkeys((SENT, *OVER_TIME), 0) for _period in periods]
    sent = campaign.messages.filter(state=Message.State.SENT).order_by()
    by_period = sent.values_list(position("sent_at", periods, zone))
    for index, count in by_period.annotate(count=Count("id")):
        counts[index][SENT] = count
    told = events.values_list(position("at", periods, zone), "kind")
    for index, kind, count in told.annotate(count=Count("message", distinct=True)):
        counts[index][kind] = count
    return step, [Part(period, each) for period, each in zip(periods, counts, strict=True)]


# --- By link ---------------------------------------------------------------------------------


def _links(campaign: Campaign) -> list[LinkClicks]:
    """Every link that is counted, the most clicked first."""
    clicks = Count(
        "clicks__message",
        filter=Q(clicks__kind=Kind.CLICKED, clicks__by_machine=False),
        distinct=True,
    )
    links = TrackedLink.objects.filter(revision__campaign=campaign).annotate(count=clicks)
    return [LinkClicks(link, link.count) for link in links.order_by("-count", "revision", "number")]


# --- As a table ------------------------------------------------------------------------------

COLUMNS = ("Figure", "From", "Until", "Link", "Messages", "Percent", "Formula")


def as_rows(report: Report) -> Iterator[list[str]]:
    """For `spreadsheet.table`: the whole, then each part of the time, then each link."""
    for one in report.figures:
        percent = f"{100 * one.count / one.of:.2f}" if one.of else ""
        yield [one.key, "", "", "", str(one.count), percent, one.formula]
    for part in report.parts:
        days = [part.period.first.isoformat(), part.period.last.isoformat()]
        for key, count in part.counts.items():
            yield [str(key), *days, "", str(count), "", ""]
    delivered = report.count(DELIVERED)
    for clicked in report.links:
        percent = f"{100 * clicked.count / delivered:.2f}" if delivered else ""
        yield [str(Kind.CLICKED), "", "", clicked.link.url, str(clicked.count), percent, ""]
