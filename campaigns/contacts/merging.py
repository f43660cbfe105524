"""Rows -> contacts: who is new, who has changed, and writing it, a chunk at a time.

An empty cell never erases what is known. An address stays as it was first written: it is the same
person whatever the case. Of two rows with one address in one file, the first counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import chain

from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import Workspace
from accounts.tenancy import visible
from campaigns.contacts.reader import Row
from campaigns.models import Contact, ContactField, ContactImport, ListMembership, Suppression

_CHANGEABLE = ("first_name", "last_name", "fields", "suspicious", "consent")


@dataclass
class Tally:
    """How many rows became what. `suspicious` and `suppressed` are also among the first three."""

    imported: int = 0
    updated: int = 0
    unchanged: int = 0
    duplicates: int = 0
    invalid: int = 0
    suppressed: int = 0
    suspicious: int = 0

    @property
    def rows(self) -> int:
        return self.imported + self.updated + self.unchanged + self.duplicates + self.invalid

    def add(self, other: "Tally") -> None:
        for field in fields(Tally):
            setattr(self, field.name, getattr(self, field.name) + getattr(other, field.name))


class Chunk:
    """Some rows of one file, held against the contacts that the workspace has."""

    def __init__(self, workspace: Workspace, rows: Sequence[Row], consent: str) -> None:
        """Reads the contacts of these addresses; to write, make it in the writing transaction."""
        self._workspace = workspace
        self._consent = consent
        self._rows: dict[str, Row] = {}
        for row in rows:
            self._rows.setdefault(row.key, row)
        self._repeated = len(rows) - len(self._rows)
        known = visible(Contact.objects.all(), workspace).filter(email_key__in=list(self._rows))
        self._known = {contact.email_key: contact for contact in known}
        self.new: list[Contact] = []
        self.changed: list[Contact] = []
        self.same: list[Contact] = []

    def compare(self, seen_by: ContactImport | None = None) -> Tally:
        """Sort the rows out. Contacts that `seen_by` saw in an earlier chunk are duplicates."""
        tally = Tally(duplicates=self._repeated)
        for key, row in self._rows.items():
            contact = self._known.get(key)
            if contact is not None and seen_by and contact.last_import_id == seen_by.pk:
                tally.duplicates += 1
                continue
            tally.suspicious += row.suspicious is not None
            if contact is None:
                self.new.append(self._contact(row))
            elif self._change(contact, row):
                self.changed.append(contact)
            else:
                self.same.append(contact)
        tally.imported, tally.updated = len(self.new), len(self.changed)
        tally.unchanged = len(self.same)
        taken = [contact.email_key for contact in chain(self.new, self.changed, self.same)]
        tally.suppressed = _suppressed(self._workspace, taken).count()
        return tally

    def write(self, seen_by: ContactImport) -> None:
        """Write what `compare` found, mark it as seen, and put it on the list of the import."""
        now = timezone.now()
        for contact in chain(self.new, self.changed):
            contact.last_import = seen_by
            contact.updated_at = now
        # On a conflict somebody added this person a moment ago: what they wrote stays.
        self._upsert(self.new, ["last_import"])
        self._upsert(self.changed, [*_CHANGEABLE, "updated_at", "last_import"])
        Contact.objects.filter(pk__in=[contact.pk for contact in self.same]).update(
            last_import=seen_by
        )
        if seen_by.contact_list_id is not None:
            ListMembership.objects.bulk_create(
                (
                    ListMembership(contact_list_id=seen_by.contact_list_id, contact=contact)
                    for contact in chain(self.new, self.changed, self.same)
                ),
                ignore_conflicts=True,
            )

    def _upsert(self, contacts: list[Contact], change: list[str]) -> None:
        if contacts:
            Contact.objects.bulk_create(
                contacts,
                update_conflicts=True,
                unique_fields=["workspace", "email_key"],
                update_fields=change,
            )

    def _contact(self, row: Row) -> Contact:
        return Contact(
            workspace=self._workspace,
            email=row.email,
            email_key=row.key,
            first_name=row.first_name,
            last_name=row.last_name,
            fields=row.fields,
            suspicious=(row.suspicious or "")[:200],
            consent=self._consent,
        )

    def _change(self, contact: Contact, row: Row) -> bool:
        """Give `contact` what the row knows better. Returns whether anything changed."""
        before = [getattr(contact, name) for name in _CHANGEABLE]
        contact.first_name = row.first_name or contact.first_name
        contact.last_name = row.last_name or contact.last_name
        contact.fields = contact.fields | row.fields
        contact.suspicious = (row.suspicious or "")[:200]
        contact.consent = contact.consent or self._consent
        return before != [getattr(contact, name) for name in _CHANGEABLE]


def add_fields(workspace: Workspace, labels: dict[str, str]) -> None:
    """Make the merge fields of `labels` known ({"member_no": "Member no."}); known ones stay."""
    ContactField.objects.bulk_create(
        (
            ContactField(workspace=workspace, name=name, label=label[:200])
            for name, label in labels.items()
        ),
        ignore_conflicts=True,
    )


def _suppressed(workspace: Workspace, keys: list[str]) -> QuerySet[Suppression]:
    return visible(Suppression.objects.all(), workspace).filter(email_key__in=keys)
