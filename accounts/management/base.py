"""What every command shares: `--workspace`, `--json`, and the exit status.

0 when the command did what it says, 1 when it could not (one sentence on standard error), 2 for
wrong usage.
"""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.core.serializers.json import DjangoJSONEncoder
from django.db import DatabaseError

from accounts.models import GmailAccount, Workspace
from accounts.tenancy import visible


class WorkspaceCommand(BaseCommand):
    """A command that works in one workspace and can answer in JSON."""

    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--workspace", metavar="NAME", help="the workspace to work in")
        parser.add_argument("--json", action="store_true", help="answer in JSON")

    def find_workspace(self, options: dict[str, Any]) -> Workspace:
        """The workspace named, or the only one. Raises CommandError (status 1) otherwise."""
        try:
            return _find_workspace(options["workspace"])
        except DatabaseError as error:
            raise CommandError(
                "There is no Daypost here yet, or it is of another version. Start it with make "
                "run, or set DAYPOST_DATA_DIR or DATABASE_URL to where it is."
            ) from error

    def find_account(self, workspace: Workspace, address: str) -> GmailAccount:
        """The workspace's Gmail account with this address. Raises CommandError."""
        accounts = visible(GmailAccount.objects.all(), workspace)
        account = accounts.filter(address__iexact=address).first()
        if account is None:
            raise CommandError(
                f"{address} is not connected in this workspace. Connect it with connect_gmail."
            )
        return account

    def answer(self, options: dict[str, Any], document: Any, text: str) -> None:
        """Write the result: one JSON document with `--json`, the text for a person otherwise."""
        self.stdout.write(to_json(document) if options["json"] else text)


def _find_workspace(name: str | None) -> Workspace:
    if name is not None:
        workspace = Workspace.objects.filter(name=name).first()
        if workspace is None:
            raise CommandError(f'There is no workspace "{name}".{_named_workspaces()}')
        return workspace
    workspaces = list(Workspace.objects.all()[:2])
    if not workspaces:
        raise CommandError("There is no workspace yet. Make one with create_owner.")
    if len(workspaces) > 1:
        raise CommandError(f"Say which with --workspace NAME.{_named_workspaces()}")
    return workspaces[0]


def to_json(document: Any) -> str:
    return json.dumps(document, cls=DjangoJSONEncoder, ensure_ascii=False)


def _named_workspaces() -> str:
    names = ", ".join(Workspace.objects.order_by("name").values_list("name", flat=True))
    return f" There are: {names}." if names else ""
