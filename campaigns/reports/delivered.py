"""What counts as delivered: Gmail took it, and nobody has said since that it did not arrive."""

from django.db.models import Exists, OuterRef, QuerySet

from campaigns.models import Event, Message

FAILED = (
    Event.Kind.BOUNCED,
    Event.Kind.SOFT_BOUNCED,
    Event.Kind.BLOCKED,
    Event.Kind.GMAIL_BLOCKED,
)


def delivered(messages: QuerySet[Message]) -> QuerySet[Message]:
    """Of `messages`, those that were delivered as far as is known."""
    failed = Event.objects.filter(message=OuterRef("pk"), kind__in=FAILED)
    return messages.filter(~Exists(failed), state=Message.State.SENT)
