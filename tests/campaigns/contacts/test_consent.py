"""Consent records: what writes them, and that nothing changes one."""

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from accounts.models import User
from campaigns.contacts import importer, intake, storing
from campaigns.models import ConsentRecord, Contact
from tests.campaigns.making import make_workspace

pytestmark = pytest.mark.django_db

TABLE = "Email\nana@example.org\nrhys@example.org\n"


def imported(workspace, table=TABLE, name="members.csv", consent="Sign-up form", user=None):
    job = intake.receive(workspace, name, [table.encode()], user)
    assert intake.start(job, intake.list_named(workspace, "Members"), consent)
    importer.run(job.pk)


def records(email: str) -> list[tuple[str, str, str]]:
    found = ConsentRecord.objects.filter(contact__email_key=email)
    return list(found.values_list("kind", "source", "wording"))


def test_an_import_records_it_once_for_each_source_and_wording():
    here, user = make_workspace(), User.objects.create_user("owner@example.org")
    imported(here, user=user)
    one = ("given", "members.csv", "Sign-up form")
    assert records("ana@example.org") == [one]
    record = ConsentRecord.objects.filter(contact__email_key="ana@example.org").get()
    assert record.by == user
    assert abs((timezone.now() - record.at).total_seconds()) < 600

    imported(here)
    assert records("ana@example.org") == [one]
    imported(here, name="fair.csv")
    imported(here, TABLE + "megan@example.org\n", consent="Asked again in spring")
    assert records("ana@example.org") == [
        one,
        ("given", "fair.csv", "Sign-up form"),
        ("given", "members.csv", "Asked again in spring"),
    ]
    assert records("megan@example.org") == [("given", "members.csv", "Asked again in spring")]


def test_an_import_records_nothing_of_others_and_nothing_unsaid():
    here, elsewhere = make_workspace(), make_workspace()
    for workspace in (here, elsewhere):
        Contact.objects.create(workspace=workspace, email="ana@example.org")
        Contact.objects.create(workspace=workspace, email="sian@example.org")
    imported(here)
    (record,) = ConsentRecord.objects.filter(contact__email_key="ana@example.org")
    assert record.contact.workspace == here
    assert records("sian@example.org") == []
    ConsentRecord.objects.all().delete()
    imported(here, consent="")
    assert not ConsentRecord.objects.exists()


def test_whoever_was_added_a_moment_before_is_seen_as_well():
    """Between the look and the writing of a chunk: with a smaller number than what is new."""
    here = make_workspace()
    job = intake.receive(here, "members.csv", [TABLE.encode()])
    first = Contact.objects.create(workspace=here, email="ana@example.org", first_name="Ana")
    people = [
        storing.Person(None, f"{name}@example.org", f"{name}@example.org", "", "", {}, "", "")
        for name in ("ana", "rhys")
    ]
    ids = storing.add(here.pk, job.pk, people, timezone.now())
    assert set(ids) == set(Contact.objects.values_list("pk", flat=True))
    first.refresh_from_db()
    assert (first.first_name, first.last_import) == ("Ana", job)


def test_nothing_changes_a_record():
    contact = Contact.objects.create(workspace=make_workspace(), email="ana@example.org")
    record = ConsentRecord.objects.create(
        contact=contact, kind="given", source="by phone", at=timezone.now()
    )
    with pytest.raises(TypeError, match="never changed"):
        record.save()


@pytest.mark.django_db(transaction=True)
def test_contacts_of_before_keep_what_is_known_of_theirs():
    executor = MigrationExecutor(connection)
    latest = executor.loader.graph.leaf_nodes()
    here = make_workspace()
    ana = Contact.objects.create(workspace=here, email="ana@example.org", consent="Sign-up form")
    Contact.objects.create(workspace=here, email="rhys@example.org")
    executor.migrate([("campaigns", "0009_key_marks")])
    MigrationExecutor(connection).migrate(latest)
    (record,) = ConsentRecord.objects.all()
    assert (record.contact, record.kind, record.wording) == (ana, "given", "Sign-up form")
    assert record.at == ana.created_at
