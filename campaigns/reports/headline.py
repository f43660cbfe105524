"""One line each: what is going on with a campaign, or why not."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from campaigns.models import Campaign, Message
from campaigns.planning.sharing import Reason
from campaigns.reports import wording
from campaigns.reports.status import Status

# A moment this near is now: the worker looks every few seconds.
NOW = timedelta(seconds=30)


def of_campaign(report: Status, now: datetime, zone: ZoneInfo) -> str:
    """ "Next message 14:07 to ana@…, 212 of 1,340 sent, finishes Thursday 11:20." """
    sending = report.campaign.state == Campaign.State.SENDING
    parts = [first_words(report, now, zone).rstrip("."), _sent(report)]
    if report.finishes and sending:
        parts.append(_("finishes %(at)s") % {"at": wording.moment(report.finishes, now, zone)})
    elif sending and report.counts[Message.State.WAITING]:
        parts.append(_("no end in sight as things stand"))
    return _(", ").join(parts) + "."


def first_words(report: Status, now: datetime, zone: ZoneInfo) -> str:
    """What happens next, or why nothing does."""
    if report.campaign.state == Campaign.State.FINISHED and report.finishes:
        return _("Finished %(at)s") % {"at": wording.moment(report.finishes, now, zone)}
    # A gap between two bursts is how it sends, not a reason why it does not.
    if report.why_not_now and report.held_by != Reason.BETWEEN_BURSTS:
        return report.why_not_now
    if report.next_at is None or report.next_to is None:
        return _("The last messages are leaving")
    named = {
        "to": wording.short_address(report.next_to),
        "at": wording.clock(report.next_at, now, zone),
    }
    if report.next_at <= now + NOW:
        return _("Sending now, next to %(to)s") % named
    return _("Next message %(at)s to %(to)s") % named


def _sent(report: Status) -> str:
    return _("%(sent)s of %(all)s sent") % {
        "sent": wording.number(report.counts[Message.State.SENT]),
        "all": wording.number(report.campaign.recipients),
    }
