"""What came back: how much of each kind of a campaign, and the newest answers. Read only."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils.text import capfirst

from campaigns.models import Campaign, Event, InboundMail
from campaigns.reports import wording

Kind = Event.Kind

# Always shown; the others only when there is one.
ALWAYS = (Kind.REPLIED, Kind.BOUNCED, Kind.OPTED_OUT)
ORDER = (
    Kind.REPLIED,
    Kind.BOUNCED,
    Kind.SOFT_BOUNCED,
    Kind.BLOCKED,
    Kind.GMAIL_BLOCKED,
    Kind.DELAYED,
    Kind.OPTED_OUT,
    Kind.AUTO_REPLIED,
)
MOST_ANSWERS = 5


@dataclass(frozen=True)
class Count:
    """Messages of which this came back, each once."""

    kind: str
    name: str
    count: int


@dataclass(frozen=True)
class Answer:
    """What a person wrote back. `text` is a stranger's: to be shown as text only."""

    message_id: int
    sender: str
    at: str
    text: str


def counts(events: dict[str, int]) -> list[Count]:
    """Of what `status.event_counts` found."""
    return [
        Count(kind.value, capfirst(str(kind.label)), events[kind])
        for kind in ORDER
        if kind in ALWAYS or events[kind]
    ]


def answers(campaign: Campaign, now: datetime, zone: ZoneInfo) -> list[Answer]:
    """The newest of what people wrote back."""
    mails = InboundMail.objects.filter(
        message__campaign=campaign, kind=InboundMail.Kind.REPLY
    ).order_by("-at", "-pk")[:MOST_ANSWERS]
    return [
        Answer(mail.message_id or 0, mail.sender, wording.moment(mail.at, now, zone), mail.text)
        for mail in mails
    ]
