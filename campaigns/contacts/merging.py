"""Rows -> contacts: who is new, who has changed, and writing it, a chunk at a time.

An empty cell never erases what is known. An address stays as it was first written: it is the same
person whatever the case. Of two rows with one address in one file, the first counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import chain

from django.utils import timezone

from accounts.models import Workspace
from accounts.tenancy import visible
from campaigns.contacts import storing
from campaigns.contacts.reader import Row
from campaigns.contacts.storing import Consent, Person
from campaigns.models import Contact, ContactField, ContactImport, Suppression
from campaigns.models.address_hash import address_hash

_LONGEST_SUSPICION = 200


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
        self._known: dict[str, Person] = {}
        self._last_seen_by: dict[str, int | None] = {}
        for *person, seen_by in known.values_list("pk", *Person._fields[1:], "last_import_id"):
            contact = Person(*person)
            self._known[contact.email_key] = contact
            self._last_seen_by[contact.email_key] = seen_by
        self.new: list[Person] = []
        self.changed: list[Person] = []
        self.same: list[Person] = []

    def compare(self, seen_by: ContactImport | None = None) -> Tally:
        """Sort the rows out. Contacts that `seen_by` saw in an earlier chunk are duplicates."""
        tally = Tally(duplicates=self._repeated)
        for key, row in self._rows.items():
            known = self._known.get(key)
            if known is not None and seen_by and self._last_seen_by[key] == seen_by.pk:
                tally.duplicates += 1
                continue
            tally.suspicious += row.suspicious is not None
            person = self._person(key, row, known)
            if known is None:
                self.new.append(person)
            elif person != known:
                self.changed.append(person)
            else:
                self.same.append(person)
        tally.imported, tally.updated = len(self.new), len(self.changed)
        tally.unchanged = len(self.same)
        suppressed = visible(Suppression.objects.all(), self._workspace)
        hashes = [address_hash(key) for key in self._keys()]
        tally.suppressed = suppressed.filter(email_hash__in=hashes).count()
        return tally

    def write(self, seen_by: ContactImport) -> None:
        """Write what `compare` found: seen by the import, agreed to it, and on its list."""
        now = timezone.now()
        added = storing.add(self._workspace.pk, seen_by.pk, self.new, now)
        storing.change(seen_by.pk, self.changed, now)
        Contact.objects.filter(pk__in=[person.pk for person in self.same]).update(
            last_import=seen_by
        )
        known = [person.pk for person in chain(self.changed, self.same) if person.pk is not None]
        seen = added + known
        if self._consent:
            consent = Consent(seen_by.file_name, self._consent, seen_by.created_by_id)
            storing.add_consent(seen, consent, now)
        if seen_by.contact_list_id is not None:
            storing.add_members(seen_by.contact_list_id, seen, now)

    def _keys(self) -> list[str]:
        return [person.email_key for person in chain(self.new, self.changed, self.same)]

    def _person(self, key: str, row: Row, known: Person | None) -> Person:
        """What is known of a person once the row has been read."""
        suspicious = (row.suspicious or "")[:_LONGEST_SUSPICION]
        if known is None:
            return Person(
                None,
                row.email,
                key,
                row.first_name,
                row.last_name,
                row.fields,
                suspicious,
                self._consent,
            )
        return known._replace(
            first_name=row.first_name or known.first_name,
            last_name=row.last_name or known.last_name,
            fields=known.fields | row.fields,
            suspicious=suspicious,
            consent=known.consent or self._consent,
        )


def add_fields(workspace: Workspace, labels: dict[str, str]) -> None:
    """Make the merge fields of `labels` known ({"member_no": "Member no."}); known ones stay."""
    ContactField.objects.bulk_create(
        (
            ContactField(workspace=workspace, name=name, label=label[:200])
            for name, label in labels.items()
        ),
        ignore_conflicts=True,
    )
