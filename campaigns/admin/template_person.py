"""The person a preview is written to: a contact of the workspace, or an invented one."""

from dataclasses import dataclass

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from accounts.models import Workspace
from accounts.tenancy import visible
from campaigns.delivery.merge_links import example_links
from campaigns.models import Contact, ContactField
from campaigns.models.merge_fields import merge_values

SUGGESTIONS = 8


@dataclass(frozen=True, slots=True)
class Person:
    name: str
    email: str
    values: dict[str, object]  # by merge field
    remark: str = ""  # why it is this one, when that needs a word


def suggestions(workspace: Workspace, typed: str) -> QuerySet[Contact]:
    """The first few contacts whose address or name begins like this."""
    contacts = visible(Contact.objects.order_by("id"), workspace)
    first, _space, rest = _cleaned(typed).partition(" ")
    begins = (
        Q(email_key__startswith=first.lower())
        | Q(first_name__istartswith=first)
        | Q(last_name__istartswith=first)
    )
    if rest:
        begins = Q(first_name__istartswith=first, last_name__istartswith=rest.strip())
    return contacts.filter(begins)[:SUGGESTIONS] if first else contacts[:SUGGESTIONS]


def person_for(workspace: Workspace, typed: str) -> Person:
    """Who is meant by an address, or the beginning of one or of a name; else the first contact."""
    contacts = visible(Contact.objects.order_by("id"), workspace)
    typed = _cleaned(typed)
    found = contacts.filter(email_key=typed.lower()).first() if typed else None
    found = found or suggestions(workspace, typed).first()
    if found is not None:
        return _contact(found, workspace)
    if first := contacts.first():
        remark = _("Nobody here begins with “%(typed)s”. This is the first contact.")
        return _contact(first, workspace, remark % {"typed": typed})
    return _example(workspace)


def _cleaned(typed: str) -> str:
    # PostgreSQL refuses to look for a NUL.
    return typed.replace("\x00", "").strip()


def _contact(contact: Contact, workspace: Workspace, remark: str = "") -> Person:
    values = merge_values(contact, workspace) | example_links()
    return Person(contact.full_name, contact.email, values, remark)


def _example(workspace: Workspace) -> Person:
    further = visible(ContactField.objects.all(), workspace).values_list("name", "label")
    ana = Contact(
        email="ana@example.com", first_name="Ana", last_name="Example", fields=dict(further)
    )
    return _contact(ana, workspace, _("Ana is invented, as there are no contacts yet."))
