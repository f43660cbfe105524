"""The history of a message beyond its ordinary way: only ever added to."""

from datetime import datetime

from accounts.models import User
from campaigns.models import HistoryEntry

Kind = HistoryEntry.Kind


def note(
    message_id: int, kind: Kind, at: datetime, detail: str = "", by: User | None = None
) -> None:
    """To be called in the transaction that also does what it tells of."""
    HistoryEntry.objects.create(message_id=message_id, kind=kind, at=at, detail=detail, by=by)
