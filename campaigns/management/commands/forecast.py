"""manage.py forecast: what leaves on which day, and when the last one leaves."""

from argparse import ArgumentParser
from collections import Counter
from datetime import date
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from accounts.management.base import WorkspaceCommand
from accounts.tenancy import visible
from campaigns.delivery.forecasting import forecast_workspace
from campaigns.models import Campaign
from campaigns.reports import status
from campaigns.reports.consistent import consistent_reads


class Command(WorkspaceCommand):
    help = "Show what was sent and what will leave, by day."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--campaign", type=int, metavar="ID", help="one campaign only")

    @consistent_reads()
    def handle(self, *args: Any, **options: Any) -> None:
        workspace = self.find_workspace(options)
        now = timezone.now()
        plan = forecast_workspace(workspace, now)
        chosen = visible(Campaign.objects.exclude(state=Campaign.State.DRAFT), workspace)
        if options["campaign"] is not None:
            chosen = chosen.filter(pk=options["campaign"])
            if not chosen.exists():
                raise CommandError(f"There is no launched campaign {options['campaign']} here.")
        days = Counter[date]()
        for campaign in chosen:
            days.update(status.sent_and_planned(campaign, plan, now))
        finishes = plan.finishes(options["campaign"])
        uses = status.account_uses(workspace, now)
        document = {
            "by_day": {day.isoformat(): count for day, count in sorted(days.items())},
            "finishes": finishes,
            "accounts": [
                {
                    "account": use.account.address,
                    "limit": use.limit,
                    "used_24h": use.used_24h,
                    "used_by_hand_24h": use.used_by_hand_24h,
                    "free_now": use.free_now,
                    "next_free_at": use.next_free_at,
                }
                for use in uses
            ],
        }
        lines = [f"{day:%a %d %b %Y}  {count:>6}" for day, count in sorted(days.items())]
        lines.append(f"The last one leaves {finishes:%a %d %b %Y %H:%M %Z}." if finishes else "")
        lines += [
            f"{use.account.address}: {use.used_24h} of {use.limit} used, {use.free_now} free now"
            + (f", more from {use.next_free_at:%a %d %b %Y %H:%M %Z}." if _waits(use) else ".")
            for use in uses
        ]
        self.answer(options, document, "\n".join(line for line in lines if line))


def _waits(use: status.AccountUse) -> bool:
    return use.free_now == 0 and use.next_free_at is not None
