"""Whose turn it is to send, how long a turn lasts, and stopping between two messages.

Accounts stand in line: who has waited longest for a turn is served first, and whoever has had one
goes to the end. So nobody starves, however many are due, and however few can be served at a time.
"""

import threading
from collections.abc import Callable
from datetime import datetime
from itertools import count

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from accounts import halts
from accounts.leases import is_free
from accounts.models import GmailAccount
from campaigns.delivery.claim import ACCOUNT_LEASE
from campaigns.delivery.sender import LOOK_AGAIN, Tally, send_due, send_first
from campaigns.models import Campaign, CampaignAccount, Message

# Set when this process is asked to end: bursts stop after the message in hand.
stopping = threading.Event()

# Messages of one turn while others wait. Each turn is a log-in, and 500 messages take 20 of them.
TURN = 25
# ... and while nobody does: imports and check-ups share the same threads.
LONGEST_TURN = 100
# Accounts to look at until one has something that may leave; the rest is for the next wake-up.
MOST_LOOKS = 10


def due_accounts(now: datetime) -> list[int]:
    """Accounts that may send, and have a campaign that does or a single mail waiting.

    Whether anything may really leave is decided by the claim alone.
    """
    return list(_due(now).order_by("id").values_list("pk", flat=True))


def line(now: datetime) -> QuerySet[GmailAccount]:
    """Those of them that it is worth looking at now, who has waited longest first."""
    waiting = _due(now).filter(is_free("next_turn_at", now, LOOK_AGAIN))
    return waiting.order_by(F("next_turn_at").asc(nulls_first=True), "id")


def send_account(account_id: int) -> Tally:
    """All that may leave through an account, until this process is to end."""
    return send_due(account_id, keep_going=lambda: not stopping.is_set())


def send_next() -> Tally:
    """One turn of whoever has waited longest and has something that may leave now."""
    for _ in range(MOST_LOOKS):
        tally = send_first(line(timezone.now()), keep_going=_turn())
        if tally is None or stopping.is_set():
            break
        if tally != Tally():
            return tally
    return Tally()


def _turn() -> Callable[[], bool]:
    """Asked before each message whether the turn goes on."""
    messages = count()

    def goes_on() -> bool:
        asked = next(messages)
        if stopping.is_set() or asked >= LONGEST_TURN:
            return False
        return asked == 0 or asked % TURN > 0 or not line(timezone.now()).exists()

    return goes_on


def _due(now: datetime) -> QuerySet[GmailAccount]:
    waiting = Message.objects.filter(state=Message.State.WAITING)
    single = waiting.filter(campaign=None, account=OuterRef("pk"))
    sending = CampaignAccount.objects.filter(
        Exists(waiting.filter(campaign=OuterRef("campaign"))),
        account=OuterRef("pk"),
        campaign__state=Campaign.State.SENDING,
    )
    ready = GmailAccount.objects.filter(state=GmailAccount.State.READY)
    rested = Q(resting_until=None) | Q(resting_until__lte=now)
    nobody_at_it = is_free("burst_until", now, ACCOUNT_LEASE)
    return ready.filter(
        rested, nobody_at_it, ~Exists(halts.lasting()), Exists(sending) | Exists(single)
    )
