"""Contacts -> a table, row by row: memory does not grow with their number."""

from collections.abc import Iterator

from django.db.models import QuerySet

from accounts.models import Workspace
from accounts.tenancy import visible
from campaigns import spreadsheet
from campaigns.contacts.columns import LISTS, OUR_COLUMNS
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
    """The lines of a CSV of `contacts`, safe to open in a spreadsheet, readable by the import."""
    fields = list(visible(ContactField.objects.all(), workspace).values_list("name", "label"))
    header = [*OUR_COLUMNS, *(label for _name, label in fields), LISTS]
    return spreadsheet.table(header, _rows(contacts, [name for name, _label in fields]))


def _rows(contacts: QuerySet[Contact], fields: list[str]) -> Iterator[list[str]]:
    for contact, lists in with_lists(contacts):
        values = [str(contact.fields.get(name, "")) for name in fields]
        yield [contact.email, contact.first_name, contact.last_name, *values, "; ".join(lists)]
