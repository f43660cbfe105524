"""manage.py deliver: send whatever may leave now, as the periodic task would, without Celery."""

from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from accounts.clock import watch
from accounts.management.base import WorkspaceCommand
from campaigns.delivery import recovery, schedule
from campaigns.delivery.sender import Tally


class Command(WorkspaceCommand):
    help = "Send whatever may leave now, through every account, then exit."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--once", action="store_true", help="one pass, then exit")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["once"]:
            raise CommandError("Say --once. Continuous sending is the worker's.", returncode=2)
        tally = Tally()
        accounts = []
        if watch.look_around():
            now = timezone.now()
            recovery.recover(now)
            accounts = schedule.due_accounts(now)
        if options["workspace"] is not None:
            mine = self.find_workspace(options).gmail_accounts.values_list("pk", flat=True)
            accounts = [account for account in accounts if account in set(mine)]
        for account_id in accounts:
            tally.add(schedule.send_account(account_id))
        counts = asdict(tally)
        words = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items())
        self.answer(options, counts, f"{words}.")
