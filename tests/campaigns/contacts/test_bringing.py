"""Suppressions as other programs export them."""

import pytest

from campaigns.contacts import bringing, uploads
from campaigns.contacts.reasons import NoAddressColumn
from campaigns.models import Contact, ContactField, Suppression
from tests.campaigns.making import make_workspace

pytestmark = pytest.mark.django_db

MAILCHIMP = (
    '"Email Address","First Name","Last Name",MEMBER_RATING,UNSUB_TIME,UNSUB_REASON\r\n'
    'Ana@Example.org,Ana,Lee,2,"2025-05-04 10:11:12","no longer interested"\r\n'
    'rhys@example.org,Rhys,,3,"2025-05-05 10:11:12",\r\n'
)
LISTMONK = (
    "uuid,email,name,attributes,status,created_at,updated_at\n"
    'a1,megan@example.org,Megan,"{""city"": ""Cardiff""}",blocklisted,2025-01-01,2025-01-02\n'
    'a2,ANA@example.org,"Lee, Ana",{},blocklisted,2025-01-01,2025-01-02\n'
)


def brought(workspace, table: str | bytes, note="unsubscribed.csv") -> bringing.Brought:
    data = table.encode() if isinstance(table, str) else table
    return bringing.bring(workspace, bringing.store(workspace, [data]), note)


def rows(workspace) -> set[tuple[str, str, str]]:
    found = Suppression.objects.filter(workspace=workspace)
    return set(found.values_list("email_key", "reason", "note"))


def test_it_takes_the_addresses_of_two_programs_and_nothing_else():
    here = make_workspace()
    first, second = brought(here, MAILCHIMP), brought(here, LISTMONK, "subscribers.csv")
    assert (first.column, first.new, first.bad) == ("Email Address", 2, 0)
    assert (second.column, second.new, second.known) == ("email", 1, 1)
    assert rows(here) == {
        ("ana@example.org", "imported", "unsubscribed.csv"),
        ("rhys@example.org", "imported", "unsubscribed.csv"),
        ("megan@example.org", "imported", "subscribers.csv"),
    }
    assert not Contact.objects.exists()
    assert not ContactField.objects.exists()


@pytest.mark.parametrize(
    "table",
    [
        "zoë@example.org\nana@example.org\n".encode("cp1252").replace(b"zo\xeb", b"zoe"),
        "Adresse électronique;Prénom\nzoe@example.org;Zoë\nana@example.org;Ana\n".encode("cp1252"),
        "E-Mail\tName\nzoe@example.org\tZoë\nana@example.org\tAna\n".encode("utf-16"),
    ],
)
def test_it_reads_any_encoding_and_form(table):
    here = make_workspace()
    assert brought(here, table).new == 2
    assert {row[0] for row in rows(here)} == {"zoe@example.org", "ana@example.org"}


def test_looking_writes_nothing_and_counts_what_bringing_does():
    here, elsewhere = make_workspace(), make_workspace()
    brought(here, "ana@example.org\nrhys@example.org\n", "old.csv")
    brought(elsewhere, "megan@example.org\nsian@example.org\n")
    table = "email\nana@example.org\nmegan@example.org\nMEGAN@example.org\nnobody\n,\n"
    stored_as = bringing.store(here, [table.encode()])
    seen = bringing.look(here, stored_as)
    assert (seen.new, seen.known, seen.repeated, seen.bad) == (1, 1, 1, 1)
    assert seen.whole
    assert [(one.line, one.reason, one.value) for one in seen.problems] == [
        (5, "bad_syntax", "nobody")
    ]
    assert len(rows(here)) == 2
    done = bringing.bring(here, stored_as, "new.csv")
    assert (done.new, done.known, done.repeated, done.bad) == (1, 1, 1, 1)
    again = bringing.bring(here, stored_as, "again.csv")
    assert (again.new, again.known) == (0, 2)
    assert rows(here) == {
        ("ana@example.org", "imported", "old.csv"),
        ("rhys@example.org", "imported", "old.csv"),
        ("megan@example.org", "imported", "new.csv"),
    }


def test_it_keeps_the_reason_that_stands_there():
    here = make_workspace()
    Suppression.objects.create(workspace=here, email_key="ana@example.org", reason="opted_out")
    assert brought(here, MAILCHIMP).known == 1
    assert ("ana@example.org", "opted_out", "") in rows(here)


def test_it_needs_a_column_with_addresses():
    with pytest.raises(NoAddressColumn, match="No column holds e-mail addresses"):
        brought(make_workspace(), "Name,City\nAna,Rome\nRhys,Bangor\n")


def test_its_file_says_whose_it_is():
    here = make_workspace()
    assert bringing.store(here, [b"x"]).startswith(bringing.belongs_to(here))
    assert uploads.path_of(bringing.store(here, [b"x"])).stat().st_mode & 0o777 == 0o600
