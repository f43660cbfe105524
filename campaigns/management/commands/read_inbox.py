"""manage.py read_inbox: hear what came back, as the periodic task would, without Celery."""

from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from accounts.management.base import WorkspaceCommand
from accounts.models import GmailAccount
from campaigns.delivery.read_sent import read_sent
from campaigns.inbound import fetch
from campaigns.inbound.apply import Heard


class Command(WorkspaceCommand):
    help = "Read every account's mailbox for what came back, and Sent for mail by hand, then exit."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--once", action="store_true", help="one pass, then exit")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["once"]:
            raise CommandError("Say --once. Continuous reading is the worker's.", returncode=2)
        accounts = GmailAccount.objects.filter(state=GmailAccount.State.READY).exclude(
            inbound=GmailAccount.Inbound.NONE
        )
        if options["workspace"] is not None:
            accounts = accounts.filter(workspace=self.find_workspace(options))
        heard, read, by_hand = Heard(), 0, 0
        for account_id in accounts.order_by("pk").values_list("pk", flat=True):
            found = fetch.read(account_id, timezone.now())
            if found is not None:
                read += 1
                heard.add(found)
            by_hand += read_sent(account_id, timezone.now())
        counts = {"accounts": read, **asdict(heard), "by_hand": by_hand}
        words = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items())
        self.answer(options, counts, f"{words}.")
