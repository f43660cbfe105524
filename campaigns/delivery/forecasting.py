"""The forecast from the tables: reads them into the pure plan and runs it."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db.models import Count, Min

from accounts import halts, ledger
from accounts.ledger import Entry
from accounts.models import GmailAccount, Workspace
from accounts.tenancy import visible
from campaigns.delivery import snapshot
from campaigns.models import Campaign, CampaignAccount, Message
from campaigns.planning.forecast import (
    Forecast,
    PlannedAccount,
    PlannedCampaign,
    Spent,
    forecast,
)

NO_CAMPAIGN_YET = -1


def forecast_workspace(workspace: Workspace, now: datetime) -> Forecast:
    """What will leave of everything that is sending now.

    Campaigns share accounts, so there is one plan for all; ask it for one campaign's part.
    """
    return forecast(planned_accounts(workspace, now), planned_campaigns(workspace, now), now)


def forecast_with(
    draft: Campaign, recipients: int, accounts: Iterable[GmailAccount], now: datetime
) -> Forecast:
    """The same, as if `draft` were launched now to so many `recipients`.

    `draft` may be unsaved; its part stands under its id, or NO_CAMPAIGN_YET.
    """
    hypothetical = PlannedCampaign(
        campaign_id=draft.pk or NO_CAMPAIGN_YET,
        starts_at=max(draft.start_at or now, now),
        accounts=[account.pk for account in accounts],
        waiting=recipients,
        hours=snapshot.sending_hours(draft),
        pace=snapshot.pace_of(draft),
    )
    campaigns = [*planned_campaigns(draft.workspace, now), hypothetical]
    return forecast(planned_accounts(draft.workspace, now), campaigns, now)


def planned_accounts(workspace: Workspace, now: datetime) -> list[PlannedAccount]:
    accounts = list(visible(GmailAccount.objects.order_by("id"), workspace))
    windows = ledger.windows(accounts, now)
    halted = halts.by_account(accounts)
    return [
        _planned_account(account, windows[account.pk], account.pk in halted) for account in accounts
    ]


def _planned_account(account: GmailAccount, entries: list[Entry], halted: bool) -> PlannedAccount:
    spent = [
        Spent(entry.at, entry.recipients, entry.campaign_ref, entry.source in snapshot.SINGLE)
        for entry in entries
    ]
    return PlannedAccount(
        account_id=account.pk,
        zone=ZoneInfo(account.time_zone),
        limits=ledger.limits(account),
        spent=spent,
        connected=account.state == GmailAccount.State.READY,
        halted=halted,
        resting_until=account.resting_until,
    )


def planned_campaigns(workspace: Workspace, now: datetime) -> list[PlannedCampaign]:
    """Every campaign of the workspace that is sending, with what still waits of it."""
    sending = visible(Campaign.objects.filter(state=Campaign.State.SENDING), workspace)
    waiting: dict[int, dict[int | None, int]] = defaultdict(dict)
    first_due: dict[int, dict[int | None, datetime]] = defaultdict(dict)
    rows = (
        Message.objects.filter(state=Message.State.WAITING, campaign__in=sending)
        .order_by()
        .values_list("campaign_id", "account_id")
        .annotate(count=Count("id"), first=Min("not_before"))
    )
    for campaign_id, account_id, count, first in rows:
        waiting[campaign_id][account_id] = count
        first_due[campaign_id][account_id] = first
    progress: dict[int, list[CampaignAccount]] = defaultdict(list)
    for row in CampaignAccount.objects.filter(campaign__in=sending):
        progress[row.campaign_id].append(row)
    return [
        _planned_campaign(
            campaign, waiting[campaign.pk], first_due[campaign.pk], progress[campaign.pk]
        )
        for campaign in sending.order_by("id")
    ]


def _planned_campaign(
    campaign: Campaign,
    waiting: dict[int | None, int],
    first_due: dict[int | None, datetime],
    rows: list[CampaignAccount],
) -> PlannedCampaign:
    """`waiting` and `first_due` by account, None for what is bound to none yet."""
    return PlannedCampaign(
        campaign_id=campaign.pk,
        starts_at=campaign.starts_at,
        accounts=[row.account_id for row in rows],
        waiting=waiting.get(None, 0),
        bound={account: count for account, count in waiting.items() if account is not None},
        hours=snapshot.sending_hours(campaign),
        pace=snapshot.pace_of(campaign),
        progress={row.account_id: (row.claims, row.last_claim_at) for row in rows},
        not_before={
            row.account_id: min(
                first_due[key] for key in (row.account_id, None) if key in first_due
            )
            for row in rows
            if row.account_id in first_due or None in first_due
        },
    )
