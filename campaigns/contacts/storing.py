"""Writing contacts by the thousand, in SQL that SQLite and PostgreSQL both speak.

The ORM's bulk functions spend five times as long on building their statements as the database does
on running them; here a chunk is six statements. Whoever changes the tables changes them too: every
test of the import fails otherwise.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import connection

from campaigns.models import ConsentRecord
from campaigns.models.address_hash import address_hash

# On a conflict somebody added this person a moment ago: what they wrote stays.
_ADD = """
INSERT INTO campaigns_contact (
    workspace_id, email, email_key, email_hash, first_name, last_name, fields, suspicious, consent,
    last_import_id, created_at, updated_at
) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (workspace_id, email_key) DO UPDATE SET last_import_id = excluded.last_import_id
"""
_CHANGE = """
UPDATE campaigns_contact
SET first_name = %s, last_name = %s, fields = %s, suspicious = %s, consent = %s,
    last_import_id = %s, updated_at = %s
WHERE id = %s
"""
_ADD_MEMBERS = """
INSERT INTO campaigns_listmembership (contact_list_id, contact_id, added_at)
SELECT %s, id, %s FROM campaigns_contact WHERE id IN
"""
_UNLESS_THERE = " ON CONFLICT (contact_list_id, contact_id) DO NOTHING"
# Once for each wording of a source: the file of every week, imported again, adds nothing.
_ADD_CONSENT = """
INSERT INTO campaigns_consentrecord (contact_id, kind, source, wording, at, by_id)
SELECT contact.id, %s, %s, %s, %s, %s FROM campaigns_contact AS contact
WHERE NOT EXISTS (
    SELECT 1 FROM campaigns_consentrecord AS known
    WHERE known.contact_id = contact.id AND known.source = %s AND known.wording = %s
) AND contact.id IN
"""


Value = str | int | None


class Person(NamedTuple):
    """What an import knows of a contact. `pk` is None for a new one."""

    pk: int | None
    email: str
    email_key: str
    first_name: str
    last_name: str
    fields: dict[str, str]
    suspicious: str
    consent: str


class Consent(NamedTuple):
    """Where people agreed, by the file's name, in which words, and who says so."""

    source: str
    wording: str
    by_id: int | None


def add(workspace_id: int, import_id: int, people: Sequence[Person], now: datetime) -> list[int]:
    """Add new contacts, marked as seen by the import; returns their ids."""
    moment = connection.ops.adapt_datetimefield_value(now)
    newest = _ids("SELECT max(id) FROM campaigns_contact", [])[0] or 0
    _run_for_each(
        _ADD,
        [
            (
                *(workspace_id, person.email, person.email_key),
                *(address_hash(person.email_key), person.first_name, person.last_name),
                *(_json(person.fields), person.suspicious, person.consent),
                *(import_id, moment, moment),
            )
            for person in people
        ],
    )
    newer = "SELECT id FROM campaigns_contact WHERE id > %s AND last_import_id = %s"
    added = _ids(newer, [newest, import_id])
    if len(added) == len(people):
        return added
    # Somebody else added one of them a moment ago, so that its number may be smaller.
    of_keys = "SELECT id FROM campaigns_contact WHERE workspace_id = %s AND email_key IN"
    return _ids(of_keys, [workspace_id], [person.email_key for person in people])


def change(import_id: int, people: Iterable[Person], now: datetime) -> None:
    """Write contacts as they now are, marked as seen by the import."""
    moment = connection.ops.adapt_datetimefield_value(now)
    _run_for_each(
        _CHANGE,
        [
            (
                *(person.first_name, person.last_name, _json(person.fields), person.suspicious),
                *(person.consent, import_id, moment, person.pk),
            )
            for person in people
        ],
    )


def add_members(contact_list_id: int, contact_ids: Sequence[int], now: datetime) -> None:
    """Put these contacts on a list; who is on it already stays."""
    moment = connection.ops.adapt_datetimefield_value(now)
    _run_on(_ADD_MEMBERS, [contact_list_id, moment], contact_ids, _UNLESS_THERE)


def add_consent(contact_ids: Sequence[int], consent: Consent, now: datetime) -> None:
    """Record of these contacts that they agreed, where that is not known yet."""
    moment = connection.ops.adapt_datetimefield_value(now)
    source, wording, by_id = consent
    given = ConsentRecord.Kind.GIVEN.value
    before = [given, source, wording, moment, by_id, source, wording]
    _run_on(_ADD_CONSENT, before, contact_ids)


def _run_on(statement: str, before: Sequence[Value], ids: Sequence[int], after: str = "") -> None:
    """Run it with the places of `ids` in brackets behind it."""
    if ids:
        with connection.cursor() as cursor:
            cursor.execute(f"{statement} {_places(ids)}{after}", [*before, *ids])


def _ids(statement: str, values: Sequence[Value], keys: Sequence[str] = ()) -> list[int]:
    places = f" {_places(keys)}" if keys else ""
    with connection.cursor() as cursor:
        cursor.execute(f"{statement}{places}", [*values, *keys])
        return [row[0] for row in cursor.fetchall()]


def _places(values: Sequence[Value]) -> str:
    return f"({', '.join(['%s'] * len(values))})"


def _run_for_each(statement: str, rows: Sequence[Sequence[Value]]) -> None:
    if rows:
        with connection.cursor() as cursor:
            cursor.executemany(statement, rows)


def _json(fields: dict[str, str]) -> str:
    return json.dumps(fields, ensure_ascii=False)
