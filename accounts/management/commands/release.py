"""manage.py release: let an account go on whose database is an older copy."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from accounts import halts
from accounts.halts import Cause
from accounts.management.base import WorkspaceCommand


class Command(WorkspaceCommand):
    help = (
        "Let a Gmail account go on that is halted because the database is an older copy. Whoever "
        "was written to through it since that copy may get the same mail a second time."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("email", metavar="EMAIL")

    def handle(self, *args: Any, **options: Any) -> None:
        account = self.find_account(self.find_workspace(options), options["email"])
        if not halts.end([account], Cause.RESTORED, timezone.now()):
            raise CommandError(f"{account.address} is not halted because of an older copy.")
        self.answer(options, {"account": account.address}, f"{account.address} goes on.")
