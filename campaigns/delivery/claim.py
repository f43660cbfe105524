"""Claiming: messages and their uses of the limit, taken together in one short transaction.

Order matters and is the promise: claim and commit, then render, then touch a socket; and commit
the handing over (`handing_over`) before the end of the message is given to the socket.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Case, Exists, F, QuerySet, Value, When

from accounts import halts, ledger, quota, sent, standing
from accounts.leases import is_free
from accounts.ledger import Entry
from accounts.models import GmailAccount, LedgerRow
from campaigns import lasting_keys, states
from campaigns.delivery import snapshot
from campaigns.delivery.lists_left import left
from campaigns.models import CampaignAccount, Message, Suppression
from campaigns.models.address_hash import address_hash
from campaigns.planning import sharing
from campaigns.planning.sharing import Reason, Turn

# From claim to the dot; a claim that lasts longer is taken back by `recovery`.
CLAIM = timedelta(minutes=5)
# How long one worker may keep an account to itself without a new claim.
ACCOUNT_LEASE = timedelta(minutes=2)
# Messages that one claim may take, and for how long they may be sent by it: what has changed since,
# a window that has closed for one, is seen by the next claim.
HANDFUL = 5
HANDFUL_LASTS = timedelta(seconds=20)


@dataclass(frozen=True)
class Claim:
    """A message that is ours to send until `until`. `holder` is drawn anew for every claim.

    `message` is as it was read when it was claimed, with its contact; `suppressed` and
    `left`, whether its recipient had opted out, or left its lists, by then.
    """

    message: Message
    ledger_row_id: int
    account_id: int
    holder: str
    until: datetime
    suppressed: bool = False
    left: bool = False

    @property
    def message_id(self) -> int:
        return self.message.pk

    @property
    def to_key(self) -> str:
        return self.message.to_email.lower()


class SentUnread(Exception):
    """Mail written by hand may have used what seems free: Sent is to be read before."""


class LeaseLost(Exception):
    """Somebody else has the account, or has taken the message back."""


def take_account(account_id: int, holder: str, now: datetime) -> bool:
    """Become the one who sends for this account; False when somebody else is."""
    free = GmailAccount.objects.filter(is_free("burst_until", now, ACCOUNT_LEASE), pk=account_id)
    return free.update(burst_holder=holder, burst_until=now + ACCOUNT_LEASE) == 1


def first_of(line: QuerySet[GmailAccount]) -> GmailAccount | None:
    """The first of `line` whom nobody takes at this moment, to be taken in the same transaction.

    Many who take at once do not wait for one another, and each gets another account.
    """
    return line.select_for_update(skip_locked=True, of=("self",)).first()


def release_account(account_id: int, holder: str, next_turn_at: datetime | None = None) -> None:
    """Let go of the account, which waits for its next turn since or from `next_turn_at` on."""
    GmailAccount.objects.filter(pk=account_id, burst_holder=holder).update(
        burst_holder="", burst_until=None, next_turn_at=next_turn_at
    )


@transaction.atomic
def claim_next(account_id: int, holder: str, now: datetime, most: int) -> list[Claim] | Turn:
    """Claim what leaves next through the account, `most` messages, or say when and why not.

    They are those that so many claims after one another would take at `now`, as long as these are
    of one campaign. Raises LeaseLost when `holder` no longer has the account, and SentUnread.
    """
    account = (
        GmailAccount.objects.select_for_update()
        .annotate(halted=Exists(halts.lasting()), has_bound=Exists(snapshot.bound_and_due(now)))
        .get(pk=account_id)
    )
    if account.burst_holder != holder:
        raise LeaseLost
    if account.halted or not lasting_keys.fit():
        return Turn(None, None, Reason.HALTED)
    entries = ledger.totals(account, now)
    messages = _next_single(account, entries, now) if account.has_bound else []
    if not messages:
        room = snapshot.room_of(account, entries, now)
        if room.free <= 0:
            # Full: only now is it worth reading row by row when the next use ends.
            room = snapshot.room_of(account, ledger.window(account, now), now)
        queues = snapshot.queues_of(account, entries, now)
        # After a trouble one alone is tried, to see whether it is over.
        turn, in_a_row = sharing.next_turns(room, queues, now, 1 if room.troubled else most)
        if turn.campaign_id is None:
            if turn.reason in (Reason.LIMIT, Reason.NO_LIMIT):
                _demand_reading(account, now)
            return turn
        waiting = snapshot.waiting_for(account).filter(campaign=turn.campaign_id)
        messages = _pick(waiting, in_a_row, now, look_for_bound=account.has_bound)
        if not messages:
            # Another account of the campaign took the last one between the two looks.
            return Turn(None, now, Reason.NOTHING_WAITS)
        _count_for_pacing(turn.campaign_id, account_id, len(messages), now)
    _demand_reading(account, now)
    _renew(account, now)
    return _claim(messages, account, now)


def _demand_reading(account: GmailAccount, now: datetime) -> None:
    """Also while the limit holds everything back, so that what the screens say of it is true."""
    if sent.is_due(account, now):
        raise SentUnread


def _renew(account: GmailAccount, now: datetime) -> None:
    """Keep the account; not at every message, for a lease that has just begun."""
    if account.burst_until is None or account.burst_until - now < ACCOUNT_LEASE / 2:
        GmailAccount.objects.filter(pk=account.pk).update(burst_until=now + ACCOUNT_LEASE)


def _next_single(account: GmailAccount, entries: list[Entry], now: datetime) -> list[Message]:
    """Mail of Daypost itself and of programs comes first, and may use what campaigns may not."""
    if account.state != GmailAccount.State.READY or standing.is_resting(account, now):
        return []
    if quota.used(entries, now) >= ledger.limits(account).for_singles(now):
        return []
    return _first_free(snapshot.waiting_for(account).filter(campaign=None), 1, now)


def _pick(
    waiting: QuerySet[Message], most: int, now: datetime, *, look_for_bound: bool
) -> list[Message]:
    """Those that wait longest, of those bound to this account and those bound to none."""
    # Two looks, each along an index, where one with "or" would sort all that waits.
    found = _first_free(waiting.filter(account=None), most, now)
    if look_for_bound:
        found += _first_free(waiting.exclude(account=None), most, now)
    return sorted(found, key=lambda message: (message.not_before, message.pk))[:most]


def _first_free(waiting: QuerySet[Message], most: int, now: datetime) -> list[Message]:
    """Those that wait longest and that nobody is claiming at this moment."""
    due = waiting.filter(not_before__lte=now).order_by("not_before", "id")
    locked = due.select_for_update(skip_locked=True, of=("self",))
    return list(locked.select_related("contact")[:most])


def _count_for_pacing(campaign_id: int, account_id: int, count: int, now: datetime) -> None:
    CampaignAccount.objects.filter(campaign_id=campaign_id, account_id=account_id).update(
        claims=F("claims") + count, last_claim_at=now
    )


def uncount_for_pacing(campaign_id: int, account_id: int, count: int) -> None:
    """So many that were claimed were not begun."""
    CampaignAccount.objects.filter(campaign_id=campaign_id, account_id=account_id).update(
        claims=F("claims") - count
    )


def _claim(messages: list[Message], account: GmailAccount, now: datetime) -> list[Claim]:
    first = messages[0]
    rows = ledger.reserve(account, first.source, first.campaign_id, len(messages), now)
    row_of = {message.pk: row.pk for message, row in zip(messages, rows, strict=True)}
    holder = uuid.uuid4().hex
    moved = states.move_messages(
        Message.objects.filter(pk__in=row_of),
        Message.State.WAITING,
        Message.State.CLAIMED,
        account=account,
        ledger_row=Case(*(When(pk=pk, then=Value(row)) for pk, row in row_of.items())),
        claim_holder=holder,
        claim_until=now + CLAIM,
    )
    if moved != len(messages):
        # Rolls the ledger rows back with it.
        raise LeaseLost
    opted_out, has_left = suppressed(messages), left(messages)
    return [
        Claim(
            message=message,
            ledger_row_id=row_of[message.pk],
            account_id=account.pk,
            holder=holder,
            until=now + CLAIM,
            suppressed=message.pk in opted_out,
            left=message.pk in has_left,
        )
        for message in messages
    ]


def still_ours(claim: Claim) -> QuerySet[Message]:
    """The claimed message, as long as the claim is still ours."""
    return Message.objects.filter(pk=claim.message_id, claim_holder=claim.holder)


def suppressed(messages: list[Message]) -> set[int]:
    """The ids of those that must not be written to; all are of one workspace.

    What Daypost itself writes, to a person who works with it and has asked for it, is no campaign:
    who opted out of those must still get the link that sets a new password.
    """
    ours = [message for message in messages if message.source != LedgerRow.Source.SYSTEM]
    hash_of = {message.pk: address_hash(message.to_email) for message in ours}
    stand = Suppression.objects.filter(
        workspace=messages[0].workspace_id, email_hash__in=hash_of.values()
    )
    opted_out = set(stand.values_list("email_hash", flat=True))
    return {pk for pk, hashed in hash_of.items() if hashed in opted_out}
