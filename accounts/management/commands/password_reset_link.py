"""Prints the link by which a person sets a new password, for whoever runs the machine."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.models import User
from accounts.password_links import password_link, site_url


class Command(BaseCommand):
    help = "Print a link by which a person sets a new password. It works once, for three days."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email", metavar="EMAIL")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(email__iexact=options["email"].strip()).first()
        if user is None:
            raise CommandError(f"Nobody here has the address {options['email']}.")
        if not user.is_active:
            raise CommandError(f"The account of {user.email} is switched off.")
        self.stdout.write(password_link(user, site_url()))
