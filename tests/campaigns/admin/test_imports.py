import csv
import io
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from campaigns.contacts import importer, uploads
from campaigns.contacts.checking import CHUNK_ROWS
from campaigns.models import Contact, ContactImport, ContactList, ListMembership
from tests.cast import HOME

ADD = reverse("admin:campaigns_contactimport_add")
TARGET = {"list_name": "Choir", "consent": "Sign-up form", "import": "1"}


@pytest.fixture
def client(owner_client):
    return owner_client


def page_of(job: ContactImport, name="change") -> str:
    return reverse(f"admin:campaigns_contactimport_{name}", args=[job.pk])


def upload(client, data: bytes | str, name="people.csv") -> ContactImport:
    raw = data if isinstance(data, bytes) else data.encode()
    answer = client.post(ADD, {"file": SimpleUploadedFile(name, raw)})
    assert answer.status_code == 302, answer.content.decode()
    job = ContactImport.objects.first()
    assert answer.url == page_of(job)
    return job


def as_shown(client, job: ContactImport) -> dict[str, str]:
    """What the browser would send back if nothing were changed."""
    shown = client.get(page_of(job)).context["page"]
    fields = [*shown.reading, *shown.meanings]
    return {field.html_name: field.value() for field in fields}


def text(answer) -> str:
    return re.sub(r"\s+", " ", answer.content.decode())


def test_it_imports_from_the_file_to_the_result(client, home):
    job = upload(
        client, "Email,Name,City\na@example.org,Ana Lee,Rome\nben,Ben,\na@example.org,A,\n"
    )
    shown = client.get(page_of(job))
    assert (shown.context["good"], shown.context["found"].tally.duplicates) == (1, 1)
    assert "This is not an e-mail address" in text(shown)
    assert not Contact.objects.filter(email="a@example.org").exists()

    started = client.post(page_of(job), as_shown(client, job) | TARGET)
    assert (started.status_code, started.url) == (302, page_of(job))
    job.refresh_from_db()
    assert job.state == "waiting"
    assert "about to begin" in text(client.get(page_of(job)))
    assert client.get(page_of(job, "progress")).status_code == 200

    importer.run(job.pk)
    assert client.get(page_of(job, "progress")).status_code == 286
    result = text(client.get(page_of(job)))
    assert "The import is done" in result
    assert page_of(job, "rejected") in result
    ana = Contact.objects.get(email="a@example.org")
    assert (ana.workspace, ana.consent, ana.fields) == (
        home.workspace, "Sign-up form", {"city": "Rome"},
    )  # fmt: skip
    assert ListMembership.objects.filter(contact=ana, contact_list__name="Choir").exists()


def test_it_gives_the_rejected_rows_for_download(client):
    job = upload(client, "Email,Name\nben,=Ben\n", name="people of 2024.csv")
    client.post(page_of(job), as_shown(client, job) | TARGET)
    assert client.get(page_of(job, "rejected")).status_code == 404
    importer.run(job.pk)
    answer = client.get(page_of(job, "rejected"))
    assert (
        'attachment; filename="people of 2024, rejected rows.csv"'
        in (answer.headers["Content-Disposition"])
    )
    rows = list(csv.reader(io.StringIO(answer.getvalue().decode("utf-8-sig"))))
    assert rows == [["Email", "Name", "line", "reason"], ["ben", "'=Ben", "2", "bad_syntax"]]


def test_it_takes_pasted_cells(client):
    answer = client.post(ADD, {"pasted": "Email\tName\r\na@example.org\tAna\r\n"})
    job = ContactImport.objects.first()
    assert answer.url == page_of(job)
    assert (job.delimiter, job.columns) == ("\t", {"Email": "email", "Name": "name"})


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({}, "Choose a file, or paste some cells."),
        ({"pasted": " \n"}, "Choose a file, or paste some cells."),
        ({"pasted": '{"email": "a@example.org"}'}, "This is JSON, not a CSV."),
        ({"file": b"PK\x03\x04"}, "This is an Excel or zip file, not a CSV."),
        ({"file": b""}, "There is nothing in this file."),
        ({"file": b"Email\n", "pasted": "Email"}, "Give one of them."),
    ],
)
def test_it_says_what_it_cannot_take_and_keeps_what_was_typed(client, given, sentence):
    files = set(uploads.path_of("x").parent.iterdir())
    before = ContactImport.objects.count()
    data = {
        key: SimpleUploadedFile("x.csv", value) if key == "file" else value
        for key, value in given.items()
    }
    answer = client.post(ADD, data)
    assert sentence in text(answer)
    assert answer.context["form"]["pasted"].value() == given.get("pasted")
    assert ContactImport.objects.count() == before
    assert set(uploads.path_of("x").parent.iterdir()) == files


def test_it_can_be_told_how_the_file_is_read(client):
    job = upload(client, "A;B\na@example.org;Zoë\n".encode("cp1250"))
    chosen = as_shown(client, job) | {"encoding": "cp1250", "delimiter": ";", "header_line": "0"}
    answer = client.post(page_of(job), chosen | {"look": "1"})
    job.refresh_from_db()
    assert (job.encoding, job.delimiter, job.header_line) == ("cp1250", ";", 0)
    assert list(answer.context["page"].guess.columns) == ["Column 1", "Column 2"]
    assert answer.context["found"].tally.invalid == 1


def test_it_can_be_told_what_the_columns_mean(client):
    job = upload(client, "Mail,Other,Note\na@example.org,b@example.org,x\n")
    chosen = as_shown(client, job) | {"column-0": "-", "column-1": "email", "column-2": "name"}
    client.post(page_of(job), chosen | TARGET)
    importer.run(job.pk)
    contact = Contact.objects.get(email="b@example.org")
    assert (contact.first_name, contact.fields) == ("x", {})


def test_it_imports_nothing_that_was_not_seen_in_this_reading(client):
    job = upload(client, "Email;Name\na@example.org;Ana\n")
    answer = client.post(page_of(job), as_shown(client, job) | {"header_line": "0"} | TARGET)
    assert "The file reads differently now." in text(answer)
    assert answer.context["target"]["consent"].value() == "Sign-up form"
    job.refresh_from_db()
    assert (job.state, job.header_line) == ("uploaded", 0)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"column-1": "email"}, "Two columns cannot both become"),
        ({"column-0": "-"}, "No column holds e-mail addresses yet."),
        ({"header_line": "77"}, "There is nothing on line 77."),
        ({"header_line": "x"}, "Enter a whole number."),
        ({"consent": " "}, "This field is required."),
        ({"list_name": " "}, "This field is required."),
        ({"list_name": "x" * 201}, "at most 200 characters"),
    ],
)
def test_it_says_what_was_chosen_wrongly_and_keeps_the_rest(client, change, sentence):
    job = upload(client, "Email,Name\na@example.org,Ana\n")
    chosen = as_shown(client, job) | TARGET | change
    answer = client.post(page_of(job), chosen)
    assert sentence in text(answer)
    job.refresh_from_db()
    assert job.state == "uploaded"
    assert not ContactList.objects.filter(name="Choir").exists()
    target = answer.context["target"]
    assert target["consent"].value() == chosen["consent"]
    assert target["list_name"].value() == chosen["list_name"]
    kept = {field.html_name: str(field.value()) for field in [*answer.context["page"].reading]}
    assert kept["header_line"] == str(chosen["header_line"])


def test_it_asks_where_the_addresses_are_when_it_finds_none(client):
    job = upload(client, "Who,What\nAna,x\n")
    answer = client.get(page_of(job))
    assert "No column holds e-mail addresses yet." in text(answer)
    assert "found" not in answer.context


def test_it_imports_into_a_list_that_is_there(client, home):
    there = home.of(ContactList)
    job = upload(client, "Email\na@example.org\n")
    data = as_shown(client, job) | TARGET | {"list_name": there.name}
    client.post(page_of(job), data)
    importer.run(job.pk)
    assert there.contacts.filter(email="a@example.org").exists()
    assert ContactList.objects.count() == 1


def test_it_leaves_lists_of_the_same_name_elsewhere_alone(client, home, elsewhere):
    theirs = elsewhere.of(ContactList)
    job = upload(client, "Email\na@example.org\n")
    assert theirs.name not in text(client.get(page_of(job)))
    client.post(page_of(job), as_shown(client, job) | TARGET | {"list_name": theirs.name})
    importer.run(job.pk)
    ours = ContactList.objects.get(workspace=home.workspace, name=theirs.name)
    assert ours.contacts.count() == 1
    assert not theirs.contacts.filter(email="a@example.org").exists()


def test_it_starts_once(client):
    job = upload(client, "Email\na@example.org\n")
    data = as_shown(client, job) | TARGET
    client.post(page_of(job), data)
    importer.run(job.pk)
    client.post(page_of(job), data | {"list_name": "Other"})
    job.refresh_from_db()
    assert (job.state, job.contact_list.name) == ("finished", "Choir")


def test_it_shows_progress_and_can_be_stopped(client):
    rows = "".join(f"p{number}@example.org\n" for number in range(3 * CHUNK_ROWS))
    job = upload(client, "Email\n" + rows)
    client.post(page_of(job), as_shown(client, job) | TARGET)
    importer.run(job.pk, keep_going=lambda: False)
    running = client.get(page_of(job, "progress"))
    assert running.status_code == 200
    assert 0 < running.context["percent"] <= 100
    assert "1,000 rows" in text(running)
    assert client.get(page_of(job, "cancel")).status_code == 405
    client.post(page_of(job, "cancel"))
    importer.run(job.pk)
    assert "The import was cancelled" in text(client.get(page_of(job)))
    assert Contact.objects.filter(email__startswith="p").count() == CHUNK_ROWS


def test_it_works_without_script_by_refreshing(client):
    job = upload(client, "Email\na@example.org\n")
    client.post(page_of(job), as_shown(client, job) | TARGET)
    refresh = '<noscript><meta http-equiv="refresh"'
    assert refresh in text(client.get(page_of(job)))
    importer.run(job.pk)
    assert refresh not in text(client.get(page_of(job)))


def test_it_asks_for_the_file_again_when_it_is_gone(client):
    job = upload(client, "Email\na@example.org\n")
    uploads.remove(job.stored_as)
    answer = client.get(page_of(job), follow=True)
    assert answer.redirect_chain[0][0] == ADD
    assert "The file is no longer there." in text(answer)


def test_it_copes_with_thousands_of_columns(client):
    names = [f"c{number}" for number in range(2_000)]
    data = ",".join(["Email", *names]) + "\n" + ",".join(["a@example.org", *names]) + "\n"
    job = upload(client, data)
    client.post(page_of(job), as_shown(client, job) | TARGET)
    importer.run(job.pk)
    assert Contact.objects.get(email="a@example.org").fields["c1999"] == "c1999"


def test_it_lists_the_imports(client, home):
    page = text(client.get(reverse("admin:campaigns_contactimport_changelist")))
    assert f"{HOME}.csv" in page
    assert "Import contacts" in page


def test_it_deletes_an_import_with_its_files(client, home):
    job = home.of(ContactImport)
    paths = [uploads.path_of(job.stored_as), uploads.path_of(job.problems_as)]
    assert all(path.exists() for path in paths)
    client.post(page_of(job, "delete"), {"post": "yes"})
    assert not ContactImport.objects.filter(pk=job.pk).exists()
    assert not any(path.exists() for path in paths)


@pytest.mark.parametrize("name", ["change", "progress", "rejected", "cancel", "delete"])
def test_it_is_not_there_for_outsiders(home, outsider_client, name):
    job = home.of(ContactImport)
    url = page_of(job, name)
    method = outsider_client.post if name in ("cancel", "delete") else outsider_client.get
    assert method(url).status_code == 404
    job.refresh_from_db()
    assert job.state == "finished"
