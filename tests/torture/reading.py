"""What the checker looks at: our tables by plain SQL, the practice Gmail's files as they lie there.

Neither goes through code of the product.
"""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from django.db import connection

from tests.practice_gmail import PracticeGmail
from tests.torture.checker import Accepted, OurAccount, OurMessage, OurRow, Ours

MESSAGES = """
    SELECT id, campaign_id, to_email, message_id, state, attempts, ledger_row_id, handed_over_at,
        EXISTS (SELECT 1 FROM campaigns_historyentry entry
            WHERE entry.message_id = message.id AND entry.kind = 'found')
    FROM campaigns_message message ORDER BY id
"""
ROWS = """
    SELECT row.id, account.address, row.source, row.state, row.at
    FROM accounts_ledgerrow row JOIN accounts_gmailaccount account ON account.id = row.account_id
    ORDER BY row.id
"""
ACCOUNTS = 'SELECT address, "limit", inbound FROM accounts_gmailaccount ORDER BY id'
STANDING = """
    SELECT address, state, resting_until, burst_until, next_turn_at, learned_limit, sent_trouble
    FROM accounts_gmailaccount ORDER BY id
"""
HALTS = "SELECT account_id, cause, began_at, found FROM accounts_halt WHERE ended_at IS NULL"
CAMPAIGNS = "SELECT id, state FROM campaigns_campaign"


def ours(*, copies_are_found: bool) -> Ours:
    return Ours(
        messages=[OurMessage(*row[:7], _moment(row[7]), bool(row[8])) for row in _select(MESSAGES)],
        rows=[OurRow(*row[:4], _moment(row[4])) for row in _select(ROWS)],
        accounts=[
            OurAccount(address, limit, copies_are_found and inbound == "imap")
            for address, limit, inbound in _select(ACCOUNTS)
        ],
        campaigns=dict(_select(CAMPAIGNS)),
    )


def suppressed() -> set[str]:
    return {row[0] for row in _select("SELECT email_key FROM campaigns_suppression")}


def in_doubt() -> set[int]:
    """The ids of the messages that are in doubt now, or have been."""
    now = _select("SELECT id FROM campaigns_message WHERE state = 'in_doubt'")
    ever = _select("SELECT message_id FROM campaigns_historyentry WHERE kind = 'in_doubt'")
    return {row[0] for row in (*now, *ever)}


def accepted(gmail: PracticeGmail, accounts: Collection[str]) -> list[Accepted]:
    """Oldest first."""
    rows = [row for row in gmail.ledger() if row["account"] in accounts]
    return [
        Accepted(
            datetime.fromisoformat(row["at"]),
            row["account"],
            row["recipients"],
            row["message_id"],
            row["to"],
        )
        for row in rows
    ]


def refused(gmail: PracticeGmail, accounts: Collection[str]) -> list[str]:
    """Whom it has refused for good: not "later", and not for the limit."""
    return [
        row["to"]
        for row in gmail.refused()
        if row["account"] in accounts and _is_for_good(row["reply"])
    ]


def _is_for_good(reply: str) -> bool:
    return reply.startswith("5") and "5.4.5" not in reply


def as_it_stands() -> str:
    """What may keep accounts from sending, for a person who looks for the reason."""
    return f"accounts {_select(STANDING)}, halts {_select(HALTS)}, campaigns {_select(CAMPAIGNS)}"


def _select(statement: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall())


def _moment(value: Any) -> datetime | None:
    """SQLite keeps a moment in UTC, without saying so."""
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    if value is not None and value.tzinfo is None:
        value = value.replace(tzinfo=UTC)
    return value
