"""Connects a Gmail account by its app password, without a browser."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from django.views.decorators.debug import sensitive_variables

from accounts.connect import ConnectError, connect_by_app_password
from accounts.management.base import WorkspaceCommand
from accounts.models import GmailAccount


class Command(WorkspaceCommand):
    help = "Connect a Gmail account by its app password. Nothing is saved when Gmail refuses it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("email", metavar="EMAIL")
        parser.add_argument(
            "--app-password-file", required=True, metavar="F", help="file with the app password"
        )
        parser.add_argument(
            "--smtp",
            choices=GmailAccount.SmtpSecurity.values,
            default=GmailAccount.SmtpSecurity.SSL,
            help="TLS from the start (the default), or STARTTLS",
        )
        parser.add_argument(
            "--inbound",
            choices=GmailAccount.Inbound.values,
            default=GmailAccount.Inbound.IMAP,
            help="how the inbox is read",
        )
        parser.add_argument(
            "--limit", type=int, metavar="N", help="messages in any 24 hours; 500 by default"
        )
        parser.add_argument(
            "--no-ramp",
            action="store_true",
            help="an old, well used mailbox: up to the limit from the first day on",
        )
        parser.add_argument("--name", metavar="TEXT", help="the name that recipients see")
        parser.add_argument(
            "--practice", action="store_true", help="the practice Gmail of this machine"
        )

    @sensitive_variables("password")
    def handle(self, *args: Any, **options: Any) -> None:
        workspace = self.find_workspace(options)
        password = _read_password(options["app_password_file"])
        try:
            account = connect_by_app_password(
                workspace,
                options["email"],
                password,
                practice=options["practice"],
                smtp_security=options["smtp"],
                inbound=options["inbound"],
                limit=_checked_limit(options["limit"]),
                ramp=False if options["no_ramp"] else None,
                display_name=options["name"],
            )
        except ConnectError as error:
            raise CommandError(error.sentence) from error
        self.answer(
            options,
            {"account": account.address, "state": account.state},
            f"{account.address} is connected and {account.get_state_display()}.",
        )


def _read_password(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"The app password file {path} cannot be read.") from error


def _checked_limit(limit: int | None) -> int | None:
    field = GmailAccount._meta.get_field("limit")
    try:
        return None if limit is None else field.clean(limit, None)
    except ValidationError as error:
        raise CommandError(f"--limit {limit}: {' '.join(error.messages)}") from error
