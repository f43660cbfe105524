"""What must hold after every step: the tables, crossed with what Gmail has."""

from collections import Counter
from datetime import datetime
from typing import Any

from accounts import ledger, quota
from accounts.models import LedgerRow
from accounts.quota import Use
from campaigns import states
from campaigns.models import Campaign, Message
from tests.machine.gmail import Gmail

M = Message.State
Row = LedgerRow.State

# What the ledger must say of a message in each state; None is a message that has no row.
UNUSED: tuple[str | None, ...] = (None, Row.VOID)
LEDGER_OF: dict[str, tuple[str | None, ...]] = {
    M.WAITING: UNUSED,
    M.CLAIMED: (Row.RESERVED,),
    M.HANDING_OVER: (Row.RESERVED,),
    M.SENT: (Row.ACCEPTED,),
    M.IN_DOUBT: (Row.UNKNOWN,),
    M.REFUSED: UNUSED,
    M.SKIPPED: UNUSED,
    M.CANCELLED: UNUSED,
}

LOOKED_AT = (
    "pk",
    "state",
    "ledger_row__state",
    "raw",
    "claim_holder",
    "campaign_id",
    "times_sent_again",
)


def hold(gmail: Gmail, now: datetime) -> None:
    """Raises AssertionError for the first that does not."""
    messages = list(Message.objects.values_list(*LOOKED_AT, named=True))
    for message in messages:
        _is_in_one_state(message, gmail.accepted[message.pk])
    _nobody_is_missing(messages)
    _ledger_agrees(messages, gmail, now)


def _is_in_one_state(message: Any, accepted: int) -> None:
    state, row, again = message.state, message.ledger_row__state, message.times_sent_again
    assert accepted <= 1 + again, "sent twice, and nobody asked for it"
    assert bool(message.claim_holder) == (state in (M.CLAIMED, M.HANDING_OVER))
    if state == M.SENT:
        assert accepted, "sent, but Gmail has nothing"
    if again:
        # The first use counts on until it is claimed anew, and the bytes are kept until the end.
        assert row in (*LEDGER_OF[state], Row.UNKNOWN), f"{state}, but the ledger says {row}"
        return
    assert row in LEDGER_OF[state], f"{state}, but the ledger says {row}"
    if accepted:
        assert state in (M.HANDING_OVER, M.SENT, M.IN_DOUBT), f"{state}, but Gmail has it"
    if message.campaign_id is not None:
        assert (message.raw is not None) == (state in (M.HANDING_OVER, M.IN_DOUBT))


def _nobody_is_missing(messages: list[Any]) -> None:
    people = Counter(message.campaign_id for message in messages)
    moving = {message.campaign_id for message in messages if message.state in states.UNDER_WAY}
    for pk, state, recipients in Campaign.objects.values_list("pk", "state", "recipients"):
        assert people[pk] == recipients, "somebody has disappeared"
        assert state != Campaign.State.FINISHED or pk not in moving, "finished too early"


def _ledger_agrees(messages: list[Any], gmail: Gmail, now: datetime) -> None:
    rows = list(ledger.counting().values_list("account_id", "source", "at", "recipients"))
    ours = [row for row in rows if row[1] != LedgerRow.Source.BY_HAND]
    used = [message for message in messages if message.ledger_row__state not in UNUSED]
    again = sum(message.times_sent_again for message in messages)
    assert 0 <= len(ours) - len(used) <= again, "the ledger counts what belongs to no message"
    for account, mailbox in gmail.mailboxes.items():
        uses = [Use(at, recipients) for pk, _, at, recipients in rows if pk == account]
        assert quota.used(uses, now) >= mailbox.counted(now), "the ledger counts too little"
