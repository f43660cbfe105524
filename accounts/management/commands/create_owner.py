"""Makes a person and a workspace that they own, without a browser."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from django.core.validators import validate_email

from accounts.management.base import WorkspaceCommand
from accounts.models import User
from accounts.signup import SignupError, found_workspace

DEFAULT_WORKSPACE = "My workspace"


class Command(WorkspaceCommand):
    help = "Make an account and a workspace that it owns."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("email", metavar="EMAIL")
        parser.add_argument(
            "--password-file", required=True, metavar="F", help="file with the password"
        )
        parser.add_argument("--postal-address", default="", metavar="TEXT")

    def handle(self, *args: Any, **options: Any) -> None:
        email = options["email"].strip().lower()
        name = (options["workspace"] or DEFAULT_WORKSPACE).strip()
        try:
            validate_email(email)
            password = _read_password(options["password_file"])
            validate_password(password, User(email=email))
            owner = found_workspace(email, password, name, options["postal_address"])
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        except SignupError as error:
            raise CommandError(str(error)) from error
        self.answer(
            options,
            {"user": owner.user.email, "workspace": owner.workspace.name},
            f"{owner.user.email} owns the workspace {owner.workspace.name}.",
        )


def _read_password(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"The password file {path} cannot be read.") from error
