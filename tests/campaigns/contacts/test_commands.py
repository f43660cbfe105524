import io
import json

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Workspace
from campaigns.contacts import uploads
from campaigns.demo import example
from campaigns.models import Contact, ContactImport, ContactList
from tests.campaigns.contacts.tables import google_new, google_old

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def club():
    return Workspace.objects.create(name="Club")


@pytest.fixture
def given(tmp_path):
    def write(data: bytes | str) -> str:
        path = tmp_path / "given.csv"
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return str(path)

    return write


def said(*arguments: str) -> str:
    out = io.StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def import_json(path: str, *more: str) -> dict:
    answer = said("import_contacts", path, "--list", "All", "--consent", "Form", "--json", *more)
    return json.loads(answer)


def test_it_imports_the_example(club):
    result = import_json(str(example.PATH))
    expected = {
        "rows": 1_200, "imported": 1_200, "updated": 0, "unchanged": 0, "duplicates": 0,
        "invalid": 0, "suppressed": 0, "suspicious": 0, "encoding": "utf-8", "delimiter": ",",
        "header_line": 1, "problems": [], "problems_file": None,
    }  # fmt: skip
    assert result == result | expected
    assert result["columns"]["Member no."] == "member_no"
    assert result["seconds"] > 0
    assert Contact.objects.filter(lists__name="All", consent="Form").count() == 1_200


@pytest.mark.parametrize("export", [google_old, google_new])
def test_it_imports_google_contacts(given, export):
    result = import_json(given(export(1_200)))
    assert (result["imported"], result["rows"]) == (1_200, 1_200)


def test_it_says_what_is_wrong_and_imports_the_rest(given):
    result = import_json(given("Email,Name\na@example.org,Ana\nben,Ben\nA@example.org,A\n"))
    assert result == result | {
        "rows": 3, "imported": 1, "duplicates": 1, "invalid": 1,
        "problems": [{"line": 3, "reason": "bad_syntax", "value": "ben"}],
    }  # fmt: skip
    with open(result["problems_file"], encoding="utf-8-sig") as file:
        assert file.read() == "Email,Name,line,reason\nben,Ben,3,bad_syntax\n"


def test_it_writes_nothing_in_a_dry_run(given):
    before = set(uploads.path_of("x").parent.iterdir())
    result = import_json(given("Email\na@example.org\nb\na@example.org\n"), "--dry-run")
    assert result == result | {"rows": 3, "imported": 1, "duplicates": 1, "invalid": 1}
    assert not Contact.objects.exists()
    assert not ContactList.objects.exists()
    assert not ContactImport.objects.exists()
    assert set(uploads.path_of("x").parent.iterdir()) == before


def test_it_takes_the_meaning_of_columns(given):
    path = given("Who,Contact,a=b\nAna Lee,a@example.org,x\n")
    result = import_json(
        path, "--map", "Who=name", "--map", "a=b=Note", "--delimiter", ",", "--header-line", "1"
    )
    assert result["columns"] == {"Who": "name", "Contact": "email", "a=b": "note"}
    ana = Contact.objects.get()
    assert (ana.first_name, ana.last_name, ana.fields) == ("Ana", "Lee", {"note": "x"})


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"", "nothing"),
        (b"PK\x03\x04" + b"\0" * 40, "Excel"),
        (b"Name,City\nAna,Rome\n", "No column holds e-mail addresses"),
    ],
)
def test_it_fails_when_nothing_can_be_read(given, data, word):
    with pytest.raises(CommandError, match=word) as failed:
        import_json(given(data))
    assert failed.value.returncode == 1
    assert not ContactImport.objects.exists()
    assert not ContactList.objects.exists()


def test_it_fails_on_a_file_that_is_not_there():
    with pytest.raises(CommandError, match="cannot be read"):
        import_json("/nowhere/at-all.csv")


@pytest.mark.parametrize("arguments", [("--map", "Email"), ("--list", " "), ("--consent", " ")])
def test_it_calls_wrong_usage_wrong_usage(given, arguments):
    with pytest.raises(CommandError) as failed:
        import_json(given("Email\na@example.org\n"), *arguments)
    assert failed.value.returncode == 2


def test_it_speaks_to_people_too(given):
    path = given("Email\na@example.org\nb\n")
    text = said("import_contacts", path, "--list", "All", "--consent", "Form")
    assert "2 rows, 1 imported" in text
    assert "Line 3: This is not an e-mail address." in text


def test_it_streams_the_contacts(given):
    import_json(given("Email,First name,City\na@example.org,Ana,Rome\nb@example.org,Ben,\n"))
    said("import_contacts", given("Email\nb@example.org\n"), "--list", "B", "--consent", "Form")
    lines = [json.loads(line) for line in said("contacts", "--json").splitlines()]
    assert lines == [
        {"email": "a@example.org", "first_name": "Ana", "last_name": "",
         "fields": {"city": "Rome"}, "lists": ["All"]},
        {"email": "b@example.org", "first_name": "Ben", "last_name": "",
         "fields": {}, "lists": ["All", "B"]},
    ]  # fmt: skip
    assert said("contacts", "--list", "B") == "b@example.org\tBen\tAll, B\n"


def test_it_shows_only_the_contacts_of_the_workspace(given):
    Workspace.objects.create(name="School")
    path = given("Email\na@example.org\n")
    said("import_contacts", path, "--list", "All", "--consent", "x", "--workspace", "School")
    assert said("contacts", "--workspace", "Club") == ""
    assert "a@example.org" in said("contacts", "--workspace", "School")
    with pytest.raises(CommandError, match="There is no list"):
        said("contacts", "--workspace", "Club", "--list", "All")
