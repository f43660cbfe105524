"""`manage.py contacts [--list NAME]`: everybody, or everybody on a list."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from accounts.management.base import WorkspaceCommand, to_json
from accounts.tenancy import visible
from campaigns.contacts.export import contacts_of
from campaigns.models import ContactList


class Command(WorkspaceCommand):
    help = "Write the contacts out, one a line."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--list", metavar="NAME", help="only those on this list")

    def handle(self, *args: Any, **options: Any) -> None:
        workspace = self.find_workspace(options)
        contact_list = None
        if options["list"] is not None:
            lists = visible(ContactList.objects.all(), workspace)
            contact_list = lists.filter(name=options["list"]).first()
            if contact_list is None:
                names = ", ".join(lists.values_list("name", flat=True)) or "none"
                raise CommandError(f'There is no list "{options["list"]}". There are: {names}.')
        for contact, lists_of_contact in contacts_of(workspace, contact_list):
            if options["json"]:
                line = to_json(
                    {
                        "email": contact.email,
                        "first_name": contact.first_name,
                        "last_name": contact.last_name,
                        "fields": contact.fields,
                        "lists": lists_of_contact,
                    }
                )
            else:
                line = "\t".join((contact.email, contact.full_name, ", ".join(lists_of_contact)))
            self.stdout.write(line)
