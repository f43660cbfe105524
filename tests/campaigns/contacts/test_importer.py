import csv
import os
import signal
import stat
import subprocess
import sys
import time
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import Workspace
from campaigns.contacts import importer, intake, uploads
from campaigns.contacts.checking import CHUNK_ROWS, check
from campaigns.models import (
    Contact,
    ContactField,
    ContactImport,
    ContactList,
    ListMembership,
    Suppression,
)

pytestmark = pytest.mark.django_db

HEADER = "Email,First name,Last name,City\n"


@pytest.fixture
def club():
    return Workspace.objects.create(name="Club")


def imported(club, data: str | bytes, list_name="Members", consent="Sign-up form") -> ContactImport:
    job = waiting(club, data, list_name, consent)
    importer.run(job.pk)
    job.refresh_from_db()
    return job


def waiting(club, data: str | bytes, list_name="Members", consent="Form") -> ContactImport:
    raw = data.encode() if isinstance(data, str) else data
    job = intake.receive(club, "members.csv", [raw])
    assert intake.start(job, intake.list_named(club, list_name), consent)
    return job


def counts(job: ContactImport) -> dict[str, int]:
    names = ("imported", "updated", "unchanged", "duplicates", "invalid")
    return {name: getattr(job, name) for name in names if getattr(job, name)}


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("people\0.csv", "people.csv"),
        ("people\r\n.csv", "people.csv"),
        ("../../etc/people.csv", "people.csv"),
        ("C:\\lists\\people.csv", "people.csv"),
        ("p" * 300 + ".csv", "p" * 251 + ".csv"),
        ("half \ud800.csv", "half .csv"),
        ("\0", "Unnamed file"),
    ],
)
def test_it_keeps_a_file_whatever_it_is_called(club, given, shown):
    job = intake.receive(club, given, [HEADER.encode()])
    job.refresh_from_db()
    assert job.file_name == shown


def test_it_keeps_no_file_of_which_there_is_no_import(settings, tmp_path):
    settings.UPLOADS_DIR = tmp_path
    with pytest.raises(ValueError, match="unsaved"):
        intake.receive(Workspace(), "people.csv", [HEADER.encode()])
    assert list(tmp_path.iterdir()) == []


def people(count: int, city="Rome") -> str:
    return HEADER + rows(count, city)


def rows(count: int, city="Rome") -> str:
    return "".join(f"p{n}@example.org,Pat,Lee{n},{city}\n" for n in range(count))


def members(list_name="Members") -> list[str]:
    on_list = Contact.objects.filter(lists__name=list_name)
    return list(on_list.order_by("pk").values_list("email", flat=True))


def test_it_imports_a_table(club):
    job = imported(club, HEADER + "Ana@example.org,Ana,Lee,Rome\nb@example.org,Ben,,\n")
    assert job.state == "finished"
    assert counts(job) == {"imported": 2}
    assert (job.rows, job.records_read, job.bytes_read) == (2, 2, job.bytes_total)
    ana = Contact.objects.get(email_key="ana@example.org")
    assert (ana.email, ana.first_name, ana.last_name) == ("Ana@example.org", "Ana", "Lee")
    assert (ana.fields, ana.consent, ana.workspace) == ({"city": "Rome"}, "Sign-up form", club)
    assert Contact.objects.get(email_key="b@example.org").fields == {}
    assert members() == ["Ana@example.org", "b@example.org"]
    assert list(ContactField.objects.values_list("name", "label")) == [("city", "City")]


def test_it_changes_nothing_the_second_time(club):
    imported(club, people(2_500))
    before = list(Contact.objects.order_by("pk").values("pk", "email", "fields", "updated_at"))
    job = imported(club, people(2_500))
    assert counts(job) == {"unchanged": 2_500}
    after = list(Contact.objects.order_by("pk").values("pk", "email", "fields", "updated_at"))
    assert after == before
    assert ListMembership.objects.count() == 2_500


def test_it_updates_what_the_file_knows_better_and_erases_nothing(club):
    imported(club, HEADER + "a@example.org,Ana,Lee,Rome\nb@example.org,Ben,Kay,Bonn\n")
    job = imported(
        club, "email,first name,city,tel\nA@example.org,,Riga,5\nb@example.org,Ben,,\n", consent="x"
    )
    assert counts(job) == {"updated": 1, "unchanged": 1}
    ana = Contact.objects.get(email_key="a@example.org")
    assert (ana.email, ana.first_name, ana.last_name) == ("a@example.org", "Ana", "Lee")
    assert ana.fields == {"city": "Riga", "tel": "5"}
    assert ana.consent == "Sign-up form"


def test_it_keeps_the_first_of_two_rows_with_one_address(club):
    text = "a@example.org,Ana,Lee,Rome\nA@Example.org,Bea,Kay,Bonn\n"
    job = imported(club, HEADER + text + rows(CHUNK_ROWS) + text)
    assert counts(job) == {"imported": CHUNK_ROWS + 1, "duplicates": 3}
    assert Contact.objects.get(email_key="a@example.org").first_name == "Ana"


def test_it_adds_to_another_list_without_touching_the_first(club):
    imported(club, people(3))
    job = imported(club, people(2), list_name="Choir")
    assert counts(job) == {"unchanged": 2}
    assert (len(members("Members")), len(members("Choir"))) == (3, 2)


def test_it_leaves_the_contacts_of_other_workspaces_alone(club):
    school = Workspace.objects.create(name="School")
    imported(school, people(2, city="Oslo"))
    imported(club, people(2))
    assert Contact.objects.count() == 4
    assert {c.fields["city"] for c in Contact.objects.filter(workspace=school)} == {"Oslo"}
    assert ListMembership.objects.filter(contact_list__workspace=school).count() == 2


def test_it_imports_the_suppressed_and_counts_them(club):
    Suppression.objects.create(workspace=club, email_key="p1@example.org")
    job = imported(club, people(3))
    assert (counts(job), job.suppressed) == ({"imported": 3}, 1)


def test_it_flags_what_looks_mistyped(club):
    job = imported(club, "Email\na@gmial.com\nb@gmail.com\n")
    assert (counts(job), job.suspicious) == ({"imported": 2}, 1)
    assert Contact.objects.get(email="a@gmial.com").suspicious == "gmail.com"
    assert counts(imported(club, "Email\na@gmial.com\n")) == {"unchanged": 1}


def test_it_writes_the_rejected_rows_to_a_safe_table(club):
    job = imported(
        club,
        'Email,Name,Note\nana,=1+1,+5\nb@example.org,Ben,x\n,@Cleo,"a\nb"\nd@example.org,Dan,x,y\n',
    )
    assert counts(job) == {"imported": 1, "invalid": 3}
    assert job.problems == [
        {"line": 2, "reason": "bad_syntax", "value": "ana"},
        {"line": 4, "reason": "missing_email", "value": ",@Cleo,a\nb"},
        {"line": 6, "reason": "ragged", "value": "d@example.org,Dan,x,y"},
    ]
    path = uploads.path_of(job.problems_as)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with path.open(encoding="utf-8-sig", newline="") as file:
        assert list(csv.reader(file)) == [
            ["Email", "Name", "Note", "line", "reason"],
            ["ana", "'=1+1", "'+5", "2", "bad_syntax"],
            ["", "'@Cleo", "a\nb", "4", "missing_email"],
            ["d@example.org", "Dan", "x", "6", "ragged", "y"],
        ]


def test_it_takes_the_mended_rows(club):
    job = imported(club, "Email,Name,Phone\nana,Ana Lee,+49 30 1\n")
    mended = uploads.path_of(job.problems_as).read_bytes().replace(b"ana,", b"ana@example.org,")
    assert counts(imported(club, mended)) == {"imported": 1}
    ana = Contact.objects.get()
    assert (ana.first_name, ana.fields) == ("Ana", {"phone": "+49 30 1"})


def test_it_lists_a_thousand_problems_and_writes_all(club):
    job = imported(club, "Email\na@example.org\n" + "nobody\n" * 1_500)
    assert (job.invalid, len(job.problems)) == (1_500, 1_000)
    with uploads.path_of(job.problems_as).open(encoding="utf-8-sig") as file:
        assert len(file.readlines()) == 1_501


def test_it_deletes_the_upload_when_it_is_done(club):
    job = waiting(club, people(1))
    path = uploads.path_of(job.stored_as)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    importer.run(job.pk)
    assert not path.exists()


def test_it_runs_once(club):
    job = waiting(club, people(2))
    importer.run(job.pk)
    Contact.objects.all().delete()
    importer.run(job.pk)
    assert Contact.objects.count() == 0


def test_it_does_not_run_what_another_worker_runs(club):
    job = waiting(club, people(2))
    hold(job, timezone.now() + timedelta(seconds=30))
    assert importer.due(timezone.now()) == []
    importer.run(job.pk)
    assert Contact.objects.count() == 0


def test_it_goes_on_with_what_a_dead_worker_left(club):
    job = waiting(club, people(2))
    hold(job, timezone.now() - timedelta(seconds=1))
    assert importer.due(timezone.now()) == [job.pk]
    importer.run(job.pk)
    assert Contact.objects.count() == 2


def hold(job: ContactImport, until) -> None:
    ContactImport.objects.filter(pk=job.pk).update(
        state="running", lease_holder="somebody", lease_until=until
    )


@pytest.mark.parametrize("change", [{"state": "cancelled"}, {"lease_holder": "somebody else"}])
def test_it_stops_before_the_chunk_in_which_it_lost_the_import(club, change, monkeypatch):
    job = waiting(club, people(3 * CHUNK_ROWS))
    import_chunk = importer._Run._import

    def lose_after_the_first(run, items, file):
        import_chunk(run, items, file)
        ContactImport.objects.filter(pk=job.pk).update(**change)

    monkeypatch.setattr(importer._Run, "_import", lose_after_the_first)
    importer.run(job.pk)
    job.refresh_from_db()
    assert Contact.objects.count() == job.imported == CHUNK_ROWS
    assert {name: getattr(job, name) for name in change} == change


def test_it_can_be_cancelled(club):
    job = waiting(club, people(1))
    assert importer.cancel(job)
    assert not importer.cancel(job)
    importer.run(job.pk)
    assert Contact.objects.count() == 0
    assert not uploads.path_of(job.stored_as).exists()


def test_it_goes_on_without_the_list_when_that_is_deleted(club):
    job = waiting(club, people(2))
    ContactList.objects.all().delete()
    importer.run(job.pk)
    job.refresh_from_db()
    assert (job.state, Contact.objects.count()) == ("finished", 2)


def test_it_fails_with_a_sentence_when_the_file_is_gone(club):
    job = waiting(club, people(1))
    uploads.remove(job.stored_as)
    importer.run(job.pk)
    job.refresh_from_db()
    assert job.state == "failed"
    assert "no longer there" in job.error


def test_it_foresees_what_it_will_do(club, tmp_path):
    imported(club, HEADER + "a@example.org,Ana,Lee,Rome\nb@example.org,Ben,Kay,Bonn\n")
    text = (
        HEADER + "a@example.org,Ana,Lee,Rome\nb@example.org,Ben,Kay,Caen\n" + rows(2_000)
        + "c@gmial.com,,,\nx,,,\n,Y,,\nC@gmial.com,,,\np7@example.org,,,\n"
    )  # fmt: skip
    path = tmp_path / "again.csv"
    path.write_text(text)
    with path.open("rb") as file:
        before = Contact.objects.count()
        found = check(file, importer.dialect_of(intake.receive(club, "x", [text.encode()])), club)
    assert Contact.objects.count() == before
    assert found.whole
    assert found.reasons == {"bad_syntax": 1, "missing_email": 1}
    job = imported(club, text)
    assert vars(found.tally) == {name: getattr(job, name) for name in vars(found.tally)}
    assert counts(job) == {
        "imported": 2_001, "updated": 1, "unchanged": 1, "duplicates": 2, "invalid": 2,
    }  # fmt: skip


def test_it_stops_foreseeing_when_the_time_is_up_and_says_so(club, tmp_path):
    path = tmp_path / "large.csv"
    path.write_text(people(3 * CHUNK_ROWS))
    job = intake.receive(club, "large.csv", [path.read_bytes()])
    with path.open("rb") as file:
        found = check(file, importer.dialect_of(job), club, seconds=0)
    assert (found.whole, found.tally.rows) == (False, CHUNK_ROWS)


KILLED = """
import os, signal, sys
import django
django.setup()
from campaigns.contacts import importer
chunks = []
renew = importer._Run._renew_lease
def die(run):
    chunks.append(1)
    if len(chunks) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return renew(run)
def save(run, bytes_read):
    saved(run, bytes_read)
    if len(chunks) == 2 and sys.argv[2] == "inside":
        os.kill(os.getpid(), signal.SIGKILL)
saved = importer._Run._save_progress
importer._Run._renew_lease, importer._Run._save_progress = die, save
importer.run(int(sys.argv[1]))
"""


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("where", "done"), [("between", 2), ("inside", 1)])
def test_it_ends_right_after_being_killed(where, done):
    club = Workspace.objects.create(name="Club")
    bad = "nobody,,,\n" * 10
    text = people(CHUNK_ROWS - 10) + bad + rows(CHUNK_ROWS) + bad + rows(2_500)
    job = waiting(club, text)
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(job.pk), where], env=environment(), timeout=60
    )
    assert killed.returncode == -signal.SIGKILL
    job.refresh_from_db()
    assert (job.state, job.records_read) == ("running", done * CHUNK_ROWS)
    assert importer.due(timezone.now() + importer.LEASE) == [job.pk]

    ContactImport.objects.filter(pk=job.pk).update(lease_until=timezone.now())
    time.sleep(0.01)
    importer.run(job.pk)

    job.refresh_from_db()
    assert job.state == "finished"
    assert counts(job) == {"imported": 2_500, "duplicates": 2 * CHUNK_ROWS - 10, "invalid": 20}
    assert Contact.objects.count() == ListMembership.objects.count() == 2_500
    with uploads.path_of(job.problems_as).open(encoding="utf-8-sig", newline="") as file:
        lines = [row[4] for row in csv.reader(file)][1:]
    assert lines == [str(problem["line"]) for problem in job.problems]
    assert len(set(lines)) == 20
    rejected = [path for path in uploads.path_of("x").parent.iterdir() if "rejected" in path.name]
    assert uploads.path_of(job.problems_as) in rejected


def environment() -> dict[str, str]:
    """So that another process works on the database of this test."""
    settings = connection.settings_dict
    if connection.vendor == "sqlite":
        url = f"sqlite:///{settings['NAME']}"
    else:
        server, _, query = os.environ["DATABASE_URL"].partition("?")
        url = f"{server.rpartition('/')[0]}/{settings['NAME']}?{query}"
    return os.environ | {"DATABASE_URL": url}


def test_it_stops_after_a_chunk_when_told_and_goes_on_later(club):
    job = waiting(club, people(2 * CHUNK_ROWS))
    importer.run(job.pk, keep_going=lambda: False)
    job.refresh_from_db()
    assert (job.state, job.imported) == ("running", CHUNK_ROWS)
    assert importer.due(timezone.now()) == [job.pk]
    importer.run(job.pk)
    job.refresh_from_db()
    assert (job.state, job.imported) == ("finished", 2 * CHUNK_ROWS)


def test_it_can_be_discarded_with_its_files(club):
    job = imported(club, "Email\na@example.org\nb\n")
    path = uploads.path_of(job.problems_as)
    intake.discard(job)
    assert not path.exists()
    assert Contact.objects.count() == 1
