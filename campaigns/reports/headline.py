"""One line each: what is going on with a campaign or a workspace, or why not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campaigns.models import Campaign, Message
from campaigns.planning.forecast import Forecast
from campaigns.planning.sharing import Reason
from campaigns.reports import wording
from campaigns.reports.status import Status, next_recipient, status_of

# A moment this near is now: the worker looks every few seconds.
NOW = timedelta(seconds=30)


def of_campaign(report: Status, now: datetime, zone: ZoneInfo) -> str:
    """ "Next message 14:07 to ana@…, 212 of 1,340 sent, finishes Thursday 11:20." """
    sending = report.campaign.state == Campaign.State.SENDING
    parts = [_sent(report)]
    if report.finishes and sending:
        parts.append(_("finishes %(at)s") % {"at": wording.moment(report.finishes, now, zone)})
    elif sending and report.counts[Message.State.WAITING]:
        parts.append(_("no end in sight as things stand"))
    first = first_words(report, now, zone)
    # A reason is a sentence, or several, of its own.
    if first.endswith("."):
        return f"{first} {_(', ').join(parts)}."
    return _(", ").join([first, *parts]) + "."


def first_words(report: Status, now: datetime, zone: ZoneInfo) -> str:
    """What happens next, or why nothing does."""
    if report.campaign.state == Campaign.State.FINISHED and report.finishes:
        return _("Finished %(at)s") % {"at": wording.moment(report.finishes, now, zone)}
    # A gap between two bursts is how it sends, not a reason why it does not.
    if report.why_not_now and report.held_by != Reason.BETWEEN_BURSTS:
        return report.why_not_now
    if report.next_at is None or report.next_to is None:
        return _("The last messages are leaving")
    return _next_message(report.next_to, report.next_at, now, zone)


def _next_message(to: str, at: datetime, now: datetime, zone: ZoneInfo) -> str:
    named = {"to": wording.short_address(to), "at": wording.clock(at, now, zone)}
    if at <= now + NOW:
        return _("Sending now, next to %(to)s") % named
    return _("Next message %(at)s to %(to)s") % named


def _sent(report: Status) -> str:
    return _("%(sent)s of %(all)s sent") % {
        "sent": wording.number(report.counts[Message.State.SENT]),
        "all": wording.number(report.campaign.recipients),
    }


@dataclass(frozen=True)
class Headline:
    """What stands above the dashboard: one line, and a second that explains it."""

    first: str
    second: str = ""


def of_workspace(
    sending: Sequence[Campaign], plan: Forecast, addresses: Mapping[int, str], now: datetime
) -> Headline:
    """What leaves next, or why nothing does.

    `sending`: the campaigns that are, of one workspace; `addresses`: its accounts' by their id.
    """
    if not sending:
        return Headline(_("Nothing is sending"), _("Launch a campaign, and it shows here."))
    zone = ZoneInfo(sending[0].workspace.time_zone)
    upcoming = min(plan.departures, key=lambda one: one.at, default=None)
    if upcoming is None:
        report = status_of(sending[0], now, plan, zone)
        return Headline(_("Nothing leaves now"), report.why_not_now or "")
    campaign = next(one for one in sending if one.pk == upcoming.campaign_id)
    first = _next_message(next_recipient(campaign) or "", upcoming.at, now, zone)
    return Headline(first, _who_sends(sending, plan, addresses, now, zone))


def _who_sends(
    sending: Sequence[Campaign],
    plan: Forecast,
    addresses: Mapping[int, str],
    now: datetime,
    zone: ZoneInfo,
) -> str:
    used = sorted({addresses[one.account_id] for one in plan.departures})
    sentence = ngettext(
        "%(count)s campaign is sending from %(accounts)s.",
        "%(count)s campaigns are sending from %(accounts)s.",
        len(sending),
    ) % {"count": wording.number(len(sending)), "accounts": _(", ").join(used)}
    finishes = plan.finishes()
    if finishes is None:
        return sentence
    last = _("The last message leaves %(at)s.") % {"at": wording.moment(finishes, now, zone)}
    return f"{sentence} {last}"
