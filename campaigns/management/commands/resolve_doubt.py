"""manage.py resolve_doubt: look into Sent for everything in doubt, now."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from accounts.management.base import WorkspaceCommand
from accounts.models import GmailAccount
from campaigns.delivery import sent_search
from campaigns.models import Message


class Command(WorkspaceCommand):
    help = "Look into Sent for every message in doubt, then exit."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--once", action="store_true", help="one pass, then exit")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["once"]:
            raise CommandError("Say --once. Continuous looking is the worker's.", returncode=2)
        doubted = Message.objects.filter(state=Message.State.IN_DOUBT)
        accounts = GmailAccount.objects.filter(pk__in=sent_search.due_accounts())
        if options["workspace"] is not None:
            workspace = self.find_workspace(options)
            doubted = doubted.filter(workspace=workspace)
            accounts = accounts.filter(workspace=workspace)
        found = sum(
            sent_search.search(pk, only_due=False) for pk in accounts.values_list("pk", flat=True)
        )
        counts = {
            "found": found,
            "held": doubted.exclude(held_at=None).count(),
            "waiting": doubted.filter(held_at=None).count(),
        }
        text = (
            f"{counts['found']} found, {counts['held']} held, {counts['waiting']} still looked for."
        )
        self.answer(options, counts, text)
