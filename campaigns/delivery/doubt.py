"""What was in doubt, once it is known."""

from datetime import datetime

from django.db import transaction

from accounts import ledger
from campaigns import states
from campaigns.models import Message

M = Message.State


@transaction.atomic
def found(message: Message, now: datetime) -> None:
    """Gmail's own copy shows that it took the message, at the latest now.

    Nothing happens to one that is not in doubt. Its use of the limit counts as it did.
    """
    rows = Message.objects.filter(pk=message.pk)
    moved = states.move_messages(rows, M.IN_DOUBT, M.SENT, sent_at=now, reply="", raw=None)
    if moved and message.ledger_row_id is not None:
        ledger.accept_after_all(message.ledger_row_id)
