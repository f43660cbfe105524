"""Contacts -> a table, row by row: memory does not grow with their number."""

import csv
from collections.abc import Iterator

from django.db.models import QuerySet

from accounts.models import Workspace
from accounts.tenancy import visible
from campaigns.contacts.rejected import guarded
from campaigns.models import Contact, ContactField, ContactList

_AT_A_TIME = 2_000


def contacts_of(
    workspace: Workspace, contact_list: ContactList | None = None
) -> Iterator[tuple[Contact, list[str]]]:
    """Everybody in the workspace, or on the list, in the order they came; with their lists."""
    contacts = visible(Contact.objects.all(), workspace)
    if contact_list is not None:
        contacts = contacts.filter(memberships__contact_list=contact_list)
    return with_lists(contacts)


def with_lists(contacts: QuerySet[Contact]) -> Iterator[tuple[Contact, list[str]]]:
    """Each of `contacts` with the names of the lists that it is on."""
    ordered = contacts.order_by("pk").prefetch_related("lists")
    for contact in ordered.iterator(chunk_size=_AT_A_TIME):
        yield contact, [contact_list.name for contact_list in contact.lists.all()]


def as_csv(workspace: Workspace, contacts: QuerySet[Contact]) -> Iterator[bytes]:
    """The lines of a CSV of `contacts`, safe to open in a spreadsheet, readable by the import.

    UTF-8 with byte order mark, which Excel needs to see what it is.
    """
    fields = list(visible(ContactField.objects.all(), workspace).values_list("name", "label"))
    line = csv.writer(_Echo()).writerow
    header = ["Email", "First name", "Last name", *(label for _name, label in fields), "Lists"]
    yield b"\xef\xbb\xbf" + _encoded(line(guarded(header)))
    for contact, lists in with_lists(contacts):
        values = [str(contact.fields.get(name, "")) for name, _label in fields]
        cells = [contact.email, contact.first_name, contact.last_name, *values, "; ".join(lists)]
        yield _encoded(line(guarded(cells)))


class _Echo:
    """What csv writes to, so that it gives the line back."""

    def write(self, text: str) -> str:
        return text


def _encoded(line: object) -> bytes:
    return str(line).encode()
