"""Which accounts have something to send, and stopping between two messages."""

import threading
from datetime import datetime

from django.db.models import Exists, OuterRef, Q

from accounts import halts
from accounts.models import GmailAccount
from campaigns.delivery.sender import Tally, send_due
from campaigns.models import Campaign, CampaignAccount, Message

# Set when this process is asked to end: bursts stop after the message in hand.
stopping = threading.Event()


def due_accounts(now: datetime) -> list[int]:
    """Accounts that may send, and have a campaign that does or a single mail waiting.

    Whether anything may really leave is decided by the claim alone.
    """
    waiting = Message.objects.filter(state=Message.State.WAITING)
    single = waiting.filter(campaign=None, account=OuterRef("pk"))
    sending = CampaignAccount.objects.filter(
        Exists(waiting.filter(campaign=OuterRef("campaign"))),
        account=OuterRef("pk"),
        campaign__state=Campaign.State.SENDING,
    )
    ready = GmailAccount.objects.filter(state=GmailAccount.State.READY)
    rested = Q(resting_until=None) | Q(resting_until__lte=now)
    nobody_at_it = Q(burst_until=None) | Q(burst_until__lte=now)
    due = ready.filter(
        rested, nobody_at_it, ~Exists(halts.lasting()), Exists(sending) | Exists(single)
    )
    return list(due.order_by("id").values_list("pk", flat=True))


def send_account(account_id: int) -> Tally:
    """One worker's turn at an account, until nothing may leave or this process is to end."""
    return send_due(account_id, keep_going=lambda: not stopping.is_set())
