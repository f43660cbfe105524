"""manage.py messages: every message of a campaign, streamed, with its state."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from accounts.management.base import WorkspaceCommand, to_json
from accounts.tenancy import visible
from campaigns.models import Campaign, Message


class Command(WorkspaceCommand):
    help = "List a campaign's messages."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--campaign", type=int, required=True, metavar="ID")
        parser.add_argument("--state", choices=Message.State.values)

    def handle(self, *args: Any, **options: Any) -> None:
        workspace = self.find_workspace(options)
        if not visible(Campaign.objects.all(), workspace).filter(pk=options["campaign"]).exists():
            raise CommandError(f"There is no campaign {options['campaign']} here.")
        rows = visible(Message.objects.all(), workspace).filter(campaign=options["campaign"])
        if options["state"]:
            rows = rows.filter(state=options["state"])
        values = rows.order_by("id").values_list(
            "id", "to_email", "state", "message_id", "account__address", "sent_at", "reply"
        )
        names = "id", "to", "state", "message_id", "account", "sent_at", "reply"
        for row in values.iterator(chunk_size=2000):
            message = dict(zip(names, row, strict=True))
            text = f"{message['to']}  {message['state']}  {message['sent_at'] or ''}".rstrip()
            self.stdout.write(to_json(message) if options["json"] else text)
