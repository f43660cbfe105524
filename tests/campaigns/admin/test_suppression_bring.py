import re
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from campaigns.models import Suppression
from tests.belongings import Belongings

BRING = reverse("admin:campaigns_suppression_bring")
LIST = reverse("admin:campaigns_suppression_changelist")


@pytest.fixture
def client(owner_client: Client) -> Client:
    return owner_client


def text_of(answer) -> str:
    return " ".join(answer.content.decode().split())


def kept_in(answer) -> str:
    found = re.search(r'name="kept" value="([^"]+)"', answer.content.decode())
    assert found
    return found[1]


def stored() -> set[Path]:
    return set(Path(settings.UPLOADS_DIR).glob("suppressions-*"))


def mine(home: Belongings):
    return Suppression.objects.filter(workspace=home.workspace)


def test_a_file_is_counted_first_and_then_suppressed(client, home):
    before = stored()
    table = b"Email Address,X\nana@example.org,=1\nnot-zebra@example.com,2\n<b>nobody</b>,3\n"
    file = SimpleUploadedFile("cleaned <1>.csv", table)
    answer = client.post(BRING, {"file": file, "pasted": ""})
    page = text_of(answer)
    assert "What is in cleaned &lt;1&gt;.csv" in page
    assert "the column “Email Address”" in page
    assert "<dt>new</dt><dd>1</dd>" in page
    assert "<dt>suppressed already</dt><dd>1</dd>" in page
    assert "&lt;b&gt;nobody&lt;/b&gt;" in page
    assert "This is not an e-mail address. Correct it." in page
    assert mine(home).count() == 1

    done = client.post(BRING, {"kept": kept_in(answer)}, follow=True)
    assert done.redirect_chain[-1][0] == LIST
    said = "1 address gets nothing any more. 1 was here already. 1 row was left out."
    assert said in text_of(done)
    new = mine(home).get(email_key="ana@example.org")
    assert (new.reason, new.note) == ("imported", "cleaned <1>.csv")
    assert stored() == before


def test_pasted_addresses_and_nothing_new(client, home):
    before = stored()
    answer = client.post(BRING, {"pasted": "not-zebra@example.com\n"})
    assert "There is nobody in it to be suppressed who is not already." in text_of(answer)
    assert b'name="kept"' not in answer.content
    assert stored() == before


def test_what_is_no_table_is_refused_and_not_kept(client, home):
    before = stored()
    for file, says in (
        (SimpleUploadedFile("a.csv", b"Name,City\nAna,Rome\n"), "No column holds e-mail addresses"),
        (SimpleUploadedFile("a.csv", b"PK\x03\x04rest"), "Excel or zip file"),
    ):
        assert says in text_of(client.post(BRING, {"file": file}))
    assert "Choose a file, or paste some cells." in text_of(client.post(BRING, {}))
    assert stored() == before


@pytest.mark.parametrize("forged", ["", "members.csv", "WyJhIiwiYiJd:1a:xyz"])
def test_what_was_not_kept_for_them_is_not_brought(client, home, forged):
    answer = client.post(BRING, {"kept": forged}, follow=True)
    assert "The file is no longer there. Choose it again." in text_of(answer)


def test_an_outsider_cannot_bring_it_into_another_workspace(
    client, outsider_client, home, elsewhere
):
    kept = kept_in(client.post(BRING, {"pasted": "ana@example.org"}))
    outsider_client.post(BRING, {"kept": kept})
    assert not Suppression.objects.filter(email_key="ana@example.org").exists()
    client.post(BRING, {"kept": kept})
    assert mine(home).filter(email_key="ana@example.org").exists()
