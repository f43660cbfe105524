"""Why somebody is not written to, in words: "bounced on 3 March: address not found"."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from campaigns.models import Message, Suppression
from campaigns.models.address_hash import address_hash

Reason = Suppression.Reason


def why(suppression: Suppression, now: datetime) -> str:
    """The day is that of the workspace's zone."""
    zone = ZoneInfo(suppression.workspace.time_zone)
    day = day_of(suppression.created_at, now, zone)
    note = suppression.note.strip()
    if suppression.reason == Reason.OPTED_OUT:
        # `campaigns.opting_out` has written the day and the way down.
        return note or _("opted out on %(day)s") % {"day": day}
    sentence = {
        Reason.BOUNCED: _("bounced on %(day)s"),
        Reason.IMPORTED: _("brought from elsewhere on %(day)s"),
        Reason.BY_HAND: _("added by hand on %(day)s"),
    }[Reason(suppression.reason)] % {"day": day}
    return f"{sentence}: {note}" if note else sentence


def day_of(at: datetime, now: datetime, zone: ZoneInfo) -> str:
    """ "3 March", with the year where it is another."""
    local = timezone.localtime(at, zone)
    this_year = local.year == timezone.localtime(now, zone).year
    return date_format(local, "j F" if this_year else "j F Y")


def why_skipped(message: Message, now: datetime) -> str:
    """What a message says that did not leave because its address is suppressed."""
    found = Suppression.objects.select_related("workspace").filter(
        workspace=message.workspace_id, email_hash=address_hash(message.to_email)
    )
    reason = "".join(f" {why(one, now).rstrip('.')}." for one in found[:1])
    return _("This address must not be written to:") + reason
