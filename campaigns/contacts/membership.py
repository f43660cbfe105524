"""Putting contacts on lists and taking them off, however many they are."""

from django.db.models import QuerySet

from campaigns.models import Contact, ContactList, ListMembership

_AT_A_TIME = 1_000


def add(contact_list: ContactList, contacts: QuerySet[Contact]) -> None:
    """Put `contacts` on the list; who is on it already stays."""
    keys = contacts.order_by().values_list("pk", flat=True)
    chunk: list[ListMembership] = []
    for key in keys.iterator(chunk_size=_AT_A_TIME):
        chunk.append(ListMembership(contact_list=contact_list, contact_id=key))
        if len(chunk) == _AT_A_TIME:
            ListMembership.objects.bulk_create(chunk, ignore_conflicts=True)
            chunk = []
    ListMembership.objects.bulk_create(chunk, ignore_conflicts=True)


def remove(contact_list: ContactList, contacts: QuerySet[Contact]) -> None:
    """Take `contacts` off the list; they stay contacts."""
    keys = contacts.order_by().values("pk")
    ListMembership.objects.filter(contact_list=contact_list, contact__in=keys).delete()
