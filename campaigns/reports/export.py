"""Messages -> a table, row by row: memory does not grow with their number."""

from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db.models import QuerySet

from campaigns import spreadsheet
from campaigns.models import Message

COLUMNS = ("To", "State", "Campaign", "Account", "Created", "Handed over", "Sent", "Reply", "ID")
_AT_A_TIME = 2_000


def as_csv(messages: QuerySet[Message], zone: ZoneInfo) -> Iterator[bytes]:
    """The lines of a CSV of `messages`, safe to open in a spreadsheet; times in `zone`."""
    return spreadsheet.table(COLUMNS, _rows(messages, zone))


def _rows(messages: QuerySet[Message], zone: ZoneInfo) -> Iterator[list[str]]:
    rows = messages.prefetch_related(None).select_related("campaign", "account").defer("raw")
    for message in rows.iterator(chunk_size=_AT_A_TIME):
        yield [
            message.to_email,
            message.state,
            message.campaign.name if message.campaign else "",
            message.account.address if message.account else "",
            _moment(message.created_at, zone),
            _moment(message.handed_over_at, zone),
            _moment(message.sent_at, zone),
            message.reply,
            message.message_id,
        ]


def _moment(at: datetime | None, zone: ZoneInfo) -> str:
    return at.astimezone(zone).isoformat(" ", "seconds") if at else ""
