"""Writing contacts by the thousand, in SQL that SQLite and PostgreSQL both speak.

The ORM's bulk functions spend five times as long on building their statements as the database does
on running them; here a chunk is four statements. Whoever changes the tables changes them too: every
test of the import fails otherwise.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import connection

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
SELECT %s, id, %s FROM campaigns_contact WHERE workspace_id = %s AND email_key IN
"""
_UNLESS_THERE = " ON CONFLICT (contact_list_id, contact_id) DO NOTHING"


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


def add(workspace_id: int, import_id: int, people: Iterable[Person], now: datetime) -> None:
    """Add new contacts, marked as seen by the import."""
    moment = connection.ops.adapt_datetimefield_value(now)
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


def add_members(
    workspace_id: int, contact_list_id: int, email_keys: Sequence[str], now: datetime
) -> None:
    """Put the contacts of these addresses on a list; who is on it already stays."""
    if not email_keys:
        return
    places = ", ".join(["%s"] * len(email_keys))
    moment = connection.ops.adapt_datetimefield_value(now)
    with connection.cursor() as cursor:
        cursor.execute(
            f"{_ADD_MEMBERS} ({places}) {_UNLESS_THERE}",
            [contact_list_id, moment, workspace_id, *email_keys],
        )


def _run_for_each(statement: str, rows: Sequence[Sequence[str | int | None]]) -> None:
    if rows:
        with connection.cursor() as cursor:
            cursor.executemany(statement, rows)


def _json(fields: dict[str, str]) -> str:
    return json.dumps(fields, ensure_ascii=False)
