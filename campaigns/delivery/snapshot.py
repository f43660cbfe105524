"""The tables as the pure plan sees them: an account's room, and the campaigns that want it."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db.models import Exists, Min, OuterRef, Q, QuerySet

from accounts import ledger, quota
from accounts.ledger import Entry
from accounts.models import GmailAccount, LedgerRow
from campaigns.models import Campaign, CampaignAccount, Message
from campaigns.models.campaign import WEEKDAYS
from campaigns.planning.calendar import SendingHours
from campaigns.planning.pacing import Pace
from campaigns.planning.sharing import Queue, Room

SINGLE = (LedgerRow.Source.TRANSACTIONAL, LedgerRow.Source.SYSTEM, LedgerRow.Source.TEST)


def room_of(
    account: GmailAccount, entries: Iterable[Entry], now: datetime, *, halted: bool = False
) -> Room:
    """What campaigns may still send through `account`, given what its ledger counts."""
    uses, limits = list(entries), ledger.limits(account)
    singles = singles_used(uses)
    limit = limits.for_campaigns(now, singles)
    return Room(
        account_id=account.pk,
        zone=ZoneInfo(account.time_zone),
        limit=limit,
        free=limit - quota.used(uses, now),
        next_free_at=limits.free_at(uses, now, limits.kept_free(singles)),
        connected=account.state == GmailAccount.State.READY,
        halted=halted,
        resting_until=account.resting_until,
        troubled=account.failures_in_a_row > 0,
    )


def ever_has_room(account: GmailAccount, now: datetime) -> bool:
    """Whether its limit leaves campaigns anything, now or once it has grown."""
    limits = ledger.limits(account)
    return limits.free_at([], now, limits.kept_free()) is not None


def singles_used(entries: Iterable[Entry]) -> int:
    """What single mail has used of the reserve that is kept for it."""
    return sum(entry.recipients for entry in entries if entry.source in SINGLE)


def queues_of(account: GmailAccount, entries: Iterable[Entry], now: datetime) -> list[Queue]:
    """The sending campaigns that have something waiting for this account."""
    served = Counter[int | None]()
    for entry in entries:
        served[entry.campaign_ref] += entry.recipients
    due = waiting_for(account).filter(campaign=OuterRef("campaign"), not_before__lte=now)
    rows = (
        CampaignAccount.objects.filter(account=account, campaign__state=Campaign.State.SENDING)
        .annotate(due=Exists(due))
        .select_related("campaign")
        .order_by("campaign_id")
    )
    queues = []
    for row in rows:
        not_before = None if row.due else put_off_until(account, row.campaign)
        if row.due or not_before:
            queues.append(queue_of(row, served[row.campaign_id], not_before))
    return queues


def queue_of(row: CampaignAccount, served: int, not_before: datetime | None) -> Queue:
    campaign = row.campaign
    return Queue(
        campaign_id=campaign.pk,
        starts_at=campaign.starts_at,
        hours=sending_hours(campaign),
        pace=pace_of(campaign),
        claims=row.claims,
        last_claim_at=row.last_claim_at,
        served=served,
        not_before=not_before,
    )


def pace_of(campaign: Campaign) -> Pace:
    return Pace(campaign.seed if campaign.pace == Campaign.Pace.SPREAD else None)


def sending_hours(campaign: Campaign) -> SendingHours:
    days = frozenset(WEEKDAYS.index(day) for day in campaign.days.split(",") if day)
    return SendingHours(days, campaign.hours_from, campaign.hours_to)


def waiting_for(account: GmailAccount) -> QuerySet[Message]:
    """What may leave through `account`: bound to it by an earlier claim, or bound to none yet."""
    bound_here_or_nowhere = Q(account=account) | Q(account=None)
    return Message.objects.filter(
        bound_here_or_nowhere, workspace=account.workspace_id, state=Message.State.WAITING
    )


def bound_and_due(now: datetime) -> QuerySet[Message]:
    """Within a query of accounts: single mail, and what was put back, that may be tried now."""
    return Message.objects.filter(
        account=OuterRef("pk"), state=Message.State.WAITING, not_before__lte=now
    )


def put_off_until(account: GmailAccount, campaign: Campaign) -> datetime | None:
    """The first moment to try again what waits; None where nothing does."""
    waiting = waiting_for(account).filter(campaign=campaign)
    first: datetime | None = waiting.aggregate(first=Min("not_before"))["first"]
    return first
