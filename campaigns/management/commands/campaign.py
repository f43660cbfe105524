"""manage.py campaign: what is going on with one campaign; pause, resume or cancel it."""

from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from accounts.management.base import WorkspaceCommand
from accounts.tenancy import visible
from campaigns import control
from campaigns.models import Campaign
from campaigns.reports import status
from campaigns.reports.consistent import consistent_reads
from campaigns.reports.status import Status

ACTIONS: dict[str, Callable[[int], object]] = {
    "pause": control.pause,
    "resume": control.resume,
    "cancel": control.cancel,
}
# The words of the output, each counted, also at 0. A message is in exactly one of them.
STATES = (
    "waiting",
    "claimed",
    "handing_over",
    "sent",
    "refused",
    "in_doubt",
    "skipped",
    "cancelled",
)


class Command(WorkspaceCommand):
    help = "Show a campaign's state, or pause, resume or cancel it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("id", type=int, metavar="ID")
        actions = parser.add_mutually_exclusive_group()
        for name in ACTIONS:
            actions.add_argument(f"--{name}", action="store_const", const=name, dest="action")

    def handle(self, *args: Any, **options: Any) -> None:
        workspace = self.find_workspace(options)
        found = visible(Campaign.objects.all(), workspace).filter(pk=options["id"])
        campaign = found.first()
        if campaign is None:
            raise CommandError(f"There is no campaign {options['id']} here.")
        if options["action"]:
            self._act(options["action"], campaign)
        with consistent_reads():
            report = status.status_of(found.get(), timezone.now())
        self.answer(options, _document(report), _text(report))

    def _act(self, action: str, campaign: Campaign) -> None:
        try:
            ACTIONS[action](campaign.pk)
        except control.NotPossible as error:
            state = campaign.get_state_display()
            raise CommandError(f"The campaign is {state}: it cannot {action}.") from error


def _document(report: Status) -> dict[str, Any]:
    return {
        "state": report.campaign.state,
        "why_not_now": report.why_not_now,
        "next_at": report.next_at,
        "finishes": report.finishes,
        "counts": {state: report.counts[state] for state in STATES},
        "events": report.events,
    }


def _text(report: Status) -> str:
    counts = ", ".join(f"{n} {state.replace('_', ' ')}" for state, n in report.counts.items() if n)
    lines = [
        f"{report.campaign}: {report.campaign.get_state_display()}. {report.why_not_now or ''}",
        f"{report.campaign.recipients} recipients: {counts or 'none'}.",
    ]
    if report.finishes:
        lines.append(f"Finishes {report.finishes:%a %d %b %Y %H:%M %Z}.")
    return "\n".join(line.strip() for line in lines)
