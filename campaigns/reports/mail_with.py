"""What was written to a contact, and what came back of it. Read only."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils.text import capfirst

from campaigns.models import Contact, Message
from campaigns.reports import wording

MOST = 20


@dataclass(frozen=True)
class Written:
    """One message, its state, and what came back, in words. `answer` is the person's own text."""

    message_id: int
    campaign: str
    state: str
    at: str
    came_back: str
    answer: str


def mail_with(contact: Contact, now: datetime) -> list[Written]:
    """The newest first."""
    zone = ZoneInfo(contact.workspace.time_zone)
    messages = Message.objects.filter(contact=contact).defer("raw").order_by("-pk")
    newest = messages.select_related("campaign").prefetch_related("events", "inbound_mail")[:MOST]
    return [_written(message, now, zone) for message in newest]


def _written(message: Message, now: datetime, zone: ZoneInfo) -> Written:
    events = [event for event in message.events.all() if not event.by_machine]
    kinds = dict.fromkeys(capfirst(str(event.get_kind_display())) for event in events)
    answers = [mail.text for mail in message.inbound_mail.all() if mail.kind == mail.Kind.REPLY]
    return Written(
        message_id=message.pk,
        campaign=message.campaign.name if message.campaign else message.get_source_display(),
        state=str(capfirst(message.get_state_display())),
        at=wording.moment(message.sent_at or message.created_at, now, zone),
        came_back=", ".join(str(kind) for kind in kinds),
        answer=answers[-1] if answers else "",
    )
