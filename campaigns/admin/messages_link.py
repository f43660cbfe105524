"""The address of the list of messages behind a number."""

from datetime import date
from urllib.parse import urlencode
from zoneinfo import ZoneInfo, available_timezones

from django.urls import reverse

from campaigns.models import Campaign

CAMPAIGN = "campaign__id__exact"
# "0" leaves out mail that belongs to no campaign.
NO_CAMPAIGN = "campaign__isnull"
STATE = "state__exact"
CAME_BACK = "came_back"
# Days, as `days` writes them: when it was sent, and when what is asked for by CAME_BACK came.
SENT_ON = "sent_on"
CAME_ON = "came_on"
# With CAME_BACK "clicked": the key of the link.
LINK = "link"


def messages_url(campaign: Campaign | None, **asked: str) -> str:
    """Of `campaign`, or of all campaigns; `asked` by the names above."""
    of = {CAMPAIGN: str(campaign.pk)} if campaign else {NO_CAMPAIGN: "0"}
    return f"{reverse('admin:campaigns_message_changelist')}?{urlencode(of | asked)}"


def days(first: date, last: date, zone: ZoneInfo) -> str:
    """With the zone, so that the list has its days where the report has them."""
    return f"{first.isoformat()}~{last.isoformat()}~{zone.key}"


def days_from(text: str) -> tuple[date, date, ZoneInfo]:
    """Raises ValueError for anything else than what `days` writes."""
    first, last, zone = text.split("~")
    if zone not in available_timezones():
        raise ValueError(zone)
    return _day(first), _day(last), ZoneInfo(zone)


def _day(text: str) -> date:
    """One whose beginning and end are moments in every zone."""
    day = date.fromisoformat(text)
    if not 1 < day.year < 9999:
        raise ValueError(text)
    return day
