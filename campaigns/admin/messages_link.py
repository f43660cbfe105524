"""The address of the list of messages behind a number."""

from datetime import date
from urllib.parse import urlencode

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


def days(first: date, last: date) -> str:
    return f"{first.isoformat()}~{last.isoformat()}"


def days_from(text: str) -> tuple[date, date]:
    """Raises ValueError for anything else than what `days` writes."""
    first, _tilde, last = text.partition("~")
    return date.fromisoformat(first), date.fromisoformat(last)
