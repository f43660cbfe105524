"""What is written for a spreadsheet runs nothing there, and comes back as it was."""

import csv
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns import spreadsheet
from campaigns.contacts import importer, intake, uploads
from campaigns.contacts.export import as_csv
from campaigns.contacts.importer import dialect_of
from campaigns.contacts.reader import read
from campaigns.models import Contact, ContactField, ContactImport
from campaigns.spreadsheet import guarded, unguarded
from tests.campaigns.making import make_workspace

# Mostly what matters.
cells = st.text(
    st.sampled_from("=+-@＝＠';\t\r\n ab1,\"") | st.characters(codec="utf-8"), max_size=12
)


@given(cells)
def test_it_comes_back_as_it_was(cell: str) -> None:
    (written,) = guarded([cell])
    assert unguarded(written) == cell


@given(cells)
def test_no_part_of_it_begins_like_a_formula(cell: str) -> None:
    (written,) = guarded([cell])
    assert not written.startswith(("\t", "\r", "\n"))
    for part in re.split("[;\t\r\n]", written):
        assert not part.startswith(tuple("=+-@＝＋－＠"))


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
        ("+49 30 1", "'+49 30 1"),
        ("a;=cmd|' /C calc'!A0", "a;'=cmd|' /C calc'!A0"),
        ("a\n@SUM(1)", "a\n'@SUM(1)"),
        ("'=1", "''=1"),
        ("1+1", "1+1"),
        ("a - b, c; d", "a - b, c; d"),
        ("", ""),
        ("'tis", "'tis"),
    ],
)
def test_it_changes_only_what_would_run(cell: str, written: str) -> None:
    assert guarded([cell]) == [written]


def test_a_table_is_utf_8_with_its_mark() -> None:
    table = b"".join(spreadsheet.table(["=Name"], [["Zoë"], ["-1"]]))
    assert table.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(table.decode("utf-8-sig"), newline="")))
    assert rows == [["'=Name"], ["Zoë"], ["'-1"]]


PEOPLE = [
    ("+ana@example.org", "=Ana", "@Lee", {"tel": "+49 30 1", "note": "a;=1\n-2"}),
    ("-rhys@example.org", "'=Rhys", "", {"tel": "-", "note": "'tis; 'so"}),
    ("zoe@example.org", "Zoë", "O'Hara", {"note": 'says "=1",\n=2'}),
]


def known() -> list[tuple[str, str, str, dict[str, str]]]:
    found = Contact.objects.order_by("pk")
    return list(found.values_list("email", "first_name", "last_name", "fields"))


@pytest.mark.django_db
def test_an_export_that_is_imported_changes_nothing() -> None:
    here, there = make_workspace(), make_workspace()
    ContactField.objects.create(workspace=here, name="tel", label="+Tel")
    ContactField.objects.create(workspace=here, name="note", label="Note")
    members = intake.list_named(here, "=Members")
    for email, first, last, fields in PEOPLE:
        contact = Contact.objects.create(
            workspace=here, email=email, first_name=first, last_name=last, fields=fields
        )
        members.contacts.add(contact)
    assert known() == PEOPLE

    table = b"".join(as_csv(here, Contact.objects.all()))
    job = imported(here, table)
    assert (job.unchanged, job.rows) == (3, 3)
    assert known() == PEOPLE
    assert set(ContactField.objects.values_list("name", flat=True)) == {"tel", "note"}

    Contact.objects.all().delete()
    assert imported(there, table).imported == 3
    assert known() == PEOPLE


@pytest.mark.django_db
def test_rejected_rows_come_back_as_they_were_given() -> None:
    here = make_workspace()
    job = imported(here, b"Email,Tel\n=1;+2,-3\n'=1,'-3\n")
    assert job.invalid == 2
    written = uploads.path_of(job.problems_as).read_text("utf-8-sig").splitlines()
    assert [line.split(",")[:2] for line in written[1:]] == [["'=1;'+2", "'-3"], ["'=1", "'-3"]]
    again = intake.receive(here, "mended.csv", [uploads.path_of(job.problems_as).read_bytes()])
    with uploads.path_of(again.stored_as).open("rb") as file:
        found = [item.cells[:2] for item in read(file, dialect_of(again))]  # type: ignore[union-attr]
    assert found == [["=1;+2", "-3"], ["=1", "-3"]]


def imported(workspace, table: bytes) -> ContactImport:
    job = intake.receive(workspace, "members.csv", [table])
    intake.start(job, intake.list_named(workspace, "Members"), "")
    importer.run(job.pk)
    job.refresh_from_db()
    return job
