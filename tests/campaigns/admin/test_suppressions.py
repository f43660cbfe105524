import re

import pytest
from django.test import Client
from django.urls import reverse

from campaigns.models import Contact, Suppression
from tests.belongings import Belongings

LIST = reverse("admin:campaigns_suppression_changelist")
ADD = reverse("admin:campaigns_suppression_add")


@pytest.fixture
def client(owner_client: Client) -> Client:
    return owner_client


def text_of(answer) -> str:
    return " ".join(answer.content.decode().split())


def keys(home: Belongings) -> set[str]:
    rows = Suppression.objects.filter(workspace=home.workspace)
    return set(rows.values_list("email_key", flat=True))


def test_several_addresses_are_pasted_at_once(client, home):
    pasted = "Ana@Example.org\nRhys <rhys@example.org>, not-zebra@example.com"
    answer = client.post(ADD, {"addresses": pasted, "note": "by phone"}, follow=True)
    assert answer.redirect_chain[-1][0] == LIST
    assert "2 addresses get nothing any more. 1 was here already." in text_of(answer)
    assert keys(home) == {"ana@example.org", "rhys@example.org", "not-zebra@example.com"}


def test_what_is_no_address_is_named_and_nothing_is_added(client, home):
    before = keys(home)
    answer = client.post(ADD, {"addresses": "ana@example.org\n<script>", "note": "by phone"})
    page = text_of(answer)
    assert "This is not an e-mail address: “&lt;script&gt;”. Nothing was added yet." in page
    assert "ana@example.org &lt;script&gt;</textarea>" in page
    assert 'value="by phone"' in page
    assert keys(home) == before


@pytest.mark.parametrize("pasted", ["", " \n , ;"])
def test_it_asks_for_an_address(client, home, pasted):
    page = text_of(client.post(ADD, {"addresses": pasted}))
    assert "Give at least one address." in page


def test_it_finds_by_address_or_note(client, home):
    Suppression.objects.create(workspace=home.workspace, email_key="ana@example.org", note="moved")
    for words in ("ana@", "moved"):
        found = client.get(LIST, {"q": words}).context["cl"].result_list
        assert [one.email_key for one in found] == ["ana@example.org"]


def test_only_the_note_can_be_changed(client, home):
    row = home.of(Suppression)
    page = reverse("admin:campaigns_suppression_change", args=[row.pk])
    assert client.get(page).status_code == 200
    client.post(
        page, {"note": "asked twice", "email_key": "other@example.org", "reason": "bounced"}
    )
    row.refresh_from_db()
    assert (row.note, row.email_key, row.reason) == (
        "asked twice",
        "not-zebra@example.com",
        "by_hand",
    )


@pytest.mark.parametrize("reason", ["opted_out", "bounced"])
def test_what_the_recipient_did_is_not_written_anew(client, home, reason):
    row = home.of(Suppression)
    Suppression.objects.filter(pk=row.pk).update(reason=reason)
    page = reverse("admin:campaigns_suppression_change", args=[row.pk])
    assert client.post(page, {"note": "never mind"}).status_code == 302
    row.refresh_from_db()
    assert row.note == "zebra"


def test_deleting_asks_first(client, home):
    row = home.of(Suppression)
    chosen = {"action": "delete_selected", "_selected_action": [row.pk]}
    for ask in (
        client.get(reverse("admin:campaigns_suppression_delete", args=[row.pk])),
        client.post(LIST, chosen),
    ):
        assert ask.status_code == 200
        assert keys(home) == {row.email_key}
    client.post(LIST, chosen | {"post": "yes"})
    assert keys(home) == set()


@pytest.mark.parametrize(
    ("reason", "says"),
    [
        ("opted_out", "This person asked not to be written to."),
        ("bounced", "This address does not work."),
        ("by_hand", None),
    ],
)
def test_it_says_what_taking_one_away_means(client, home, reason, says):
    row = home.of(Suppression)
    Suppression.objects.filter(pk=row.pk).update(reason=reason, note="the note")
    chosen = {"action": "delete_selected", "_selected_action": [row.pk]}
    for ask in (
        client.get(reverse("admin:campaigns_suppression_delete", args=[row.pk])),
        client.post(LIST, chosen),
    ):
        page = text_of(ask)
        assert "not-zebra@example.com" in page
        assert "the note" in page
        assert "may write to this address again" in page
        assert ("dp-notice" in page) == (says is not None)
        assert says is None or says in page


def test_a_whole_address_finds_one_that_was_erased(client, home, elsewhere):
    row = Suppression.objects.create(workspace=home.workspace, email_key="ana@example.org")
    there = Suppression.objects.create(workspace=elsewhere.workspace, email_key="ana@example.org")
    Suppression.objects.filter(pk__in=[row.pk, there.pk]).update(email_key="", note="")
    for words, found in (("Ana@Example.org ", [row]), ("ana@", []), ("ana@example.or", [])):
        answer = client.get(LIST, {"q": words})
        assert list(answer.context["cl"].result_list) == found, words
    assert "an address that was erased" in text_of(client.get(LIST, {"q": "ana@example.org"}))


def test_a_contact_shows_why_it_is_not_written_to(client, home):
    contact = home.of(Contact)
    page = reverse("admin:campaigns_contact_change", args=[contact.pk])
    assert "Not written to" not in text_of(client.get(page))
    Suppression.objects.create(
        workspace=home.workspace, email_key=contact.email, reason="bounced", note="no <such> user"
    )
    assert re.search(
        r"Not written to:</strong> bounced on \d+ \w+: no &lt;such&gt; user",
        text_of(client.get(page)),
    )


def test_an_empty_list_says_who_would_stand_here(client, home):
    Suppression.objects.all().delete()
    assert "Nobody is suppressed" in text_of(client.get(LIST))


def test_an_outsider_neither_sees_nor_deletes(outsider_client, home, elsewhere):
    row = home.of(Suppression)
    assert home.word not in text_of(outsider_client.get(LIST))
    delete = reverse("admin:campaigns_suppression_delete", args=[row.pk])
    assert outsider_client.post(delete, {"post": "yes"}).status_code == 404
    outsider_client.post(
        LIST, {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"}
    )
    outsider_client.post(ADD, {"addresses": "ana@example.org"})
    assert keys(home) == {row.email_key}
