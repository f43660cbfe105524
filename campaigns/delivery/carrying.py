"""What goes with the clock of an account once that was found to have been wrong."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, Q

from accounts import ledger
from accounts.models import GmailAccount
from campaigns.delivery import doubt
from campaigns.models import Campaign, CampaignAccount, Message

M = Message.State


def carry(account: GmailAccount, by: timedelta, now: datetime, **kwargs: Any) -> None:
    """Hears `accounts.clock.carrying.carried`, which says what these are."""
    if by:
        _carry(account, by, now)
    _pull_back(account, now)


def _carry(account: GmailAccount, by: timedelta, now: datetime) -> None:
    mine = Message.objects.filter(account=account)
    under_way = mine.filter(state__in=(M.WAITING, M.CLAIMED, M.HANDING_OVER, M.IN_DOUBT))
    under_way.update(
        not_before=F("not_before") + by,
        claim_until=F("claim_until") + by,
        handed_over_at=F("handed_over_at") + by,
        doubt_since=F("doubt_since") + by,
        look_again_at=F("look_again_at") + by,
        held_at=F("held_at") + by,
    )
    lately = mine.filter(state=M.SENT, sent_at__gt=ledger.counting_since(by, now))
    lately.update(handed_over_at=F("handed_over_at") + by, sent_at=F("sent_at") + by)
    CampaignAccount.objects.filter(account=account).update(last_claim_at=F("last_claim_at") + by)


def _pull_back(account: GmailAccount, now: datetime) -> None:
    """What was written while the clock was ahead, and may lie nowhere but in the past."""
    campaigns = CampaignAccount.objects.filter(account=account).values("campaign")
    through_it = Q(account=account) | Q(account=None, campaign__in=campaigns)
    # Only what Gmail has put off is to wait.
    never_put_off = Message.objects.filter(through_it, state=M.WAITING, attempts=0)
    never_put_off.filter(not_before__gt=now).update(not_before=now)
    doubted = Message.objects.filter(account=account, state=M.IN_DOUBT)
    doubted.filter(doubt_since__gt=now).update(doubt_since=now)
    doubted.filter(look_again_at__gt=now + doubt.GAP_WHILE_HELD).update(look_again_at=now)
    Campaign.objects.filter(accounts=account, launched_at__gt=now).update(launched_at=now)
