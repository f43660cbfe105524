import csv
import io

import pytest
from django.urls import reverse

from campaigns.contacts.address import BEYOND_ASCII
from campaigns.models import Contact, ContactField, ContactList, ListMembership, Suppression

CONTACTS = reverse("admin:campaigns_contact_changelist")
ADD = reverse("admin:campaigns_contact_add")


@pytest.fixture
def client(owner_client):
    return owner_client


@pytest.fixture
def choir(home):
    return ContactList.objects.create(workspace=home.workspace, name="Choir")


@pytest.fixture
def people(home):
    """Three more contacts than the cast has."""
    return [
        Contact.objects.create(
            workspace=home.workspace,
            email=f"p{n}@example.org",
            first_name="Pat",
            last_name=f"Lee{n}",
        )
        for n in range(3)
    ]


def found(client, query: str) -> list[str]:
    answer = client.get(f"{CONTACTS}?{query}")
    assert answer.status_code == 200
    return sorted(contact.email for contact in answer.context["cl"].result_list)


def change_of(contact: Contact) -> str:
    return reverse("admin:campaigns_contact_change", args=[contact.pk])


def test_it_finds_people(client, people, choir):
    ListMembership.objects.create(contact_list=choir, contact=people[1])
    Suppression.objects.create(workspace=people[0].workspace, email_key="p2@example.org")
    Contact.objects.filter(pk=people[0].pk).update(suspicious="gmail.com")
    assert found(client, "q=p1") == ["p1@example.org"]
    assert found(client, "q=lee2") == ["p2@example.org"]
    assert found(client, f"list={choir.pk}") == ["p1@example.org"]
    assert found(client, "list=x") == []
    assert found(client, "standing=suppressed") == ["p2@example.org"]
    assert found(client, "standing=odd") == ["p0@example.org"]


def test_it_says_what_is_odd_about_an_address(client, people):
    Contact.objects.filter(pk=people[0].pk).update(suspicious="gmail.com")
    Contact.objects.filter(pk=people[1].pk).update(suspicious=BEYOND_ASCII)
    page = client.get(f"{CONTACTS}?standing=odd").content.decode()
    assert "gmail.com meant?" in page
    assert "cannot be sent to yet" in page


def test_it_counts_whom_a_campaign_would_skip_and_who_may_be_mistyped(client, people, choir):
    for person, suspicious in zip(people, ["gmail.com", BEYOND_ASCII, ""], strict=True):
        Contact.objects.filter(pk=person.pk).update(suspicious=suspicious)
        ListMembership.objects.create(contact_list=choir, contact=person)
    count = reverse("admin:campaigns_campaign_count")
    page = client.get(count, {"lists": choir.pk}).content.decode()
    assert "1 address has letters before the @ that cannot be sent to yet." in page
    assert "1 address looks mistyped" in page


@pytest.mark.parametrize("number", ["9" * 26, "²", "-1", "%00"])
def test_it_finds_nobody_on_a_list_that_is_none(client, people, choir, number):
    assert found(client, f"list={number}") == []


def test_it_offers_only_its_own_lists_as_filters(client, elsewhere):
    assert elsewhere.of(ContactList).name not in client.get(CONTACTS).content.decode()
    assert found(client, f"list={elsewhere.of(ContactList).pk}") == []


def test_it_adds_a_person_with_fields_and_lists(client, home, choir):
    ContactField.objects.create(workspace=home.workspace, name="city", label="City")
    answer = client.post(
        ADD,
        {"email": "Ana <Ana@Example.org>", "first_name": "Ana", "last_name": "", "consent": "Asked",
         "on_lists": [choir.pk], "field_city": " Rome "},
    )  # fmt: skip
    assert answer.status_code == 302
    ana = Contact.objects.get(email_key="ana@example.org")
    assert (ana.email, ana.workspace) == ("Ana@example.org", home.workspace)
    assert ana.fields == {"city": "Rome"}
    assert list(ana.lists.all()) == [choir]


def test_it_changes_a_person_and_keeps_what_the_form_does_not_show(client, people, choir):
    pat = people[0]
    Contact.objects.filter(pk=pat.pk).update(fields={"unknown": "kept"})
    pat.lists.add(choir)
    shown = client.get(change_of(pat)).context["adminform"].form
    assert shown.initial["on_lists"] == [choir]
    client.post(change_of(pat), {"email": "new@gmial.com", "first_name": "Pia"})
    pat.refresh_from_db()
    assert (pat.email, pat.email_key, pat.first_name) == ("new@gmial.com", "new@gmial.com", "Pia")
    assert (pat.suspicious, pat.fields) == ("gmail.com", {"unknown": "kept"})
    assert not pat.lists.exists()


@pytest.mark.parametrize(
    ("email", "sentence"),
    [
        ("ana", "This is not an e-mail address."),
        ("P0@EXAMPLE.org", "There is already a contact with this address."),
        ("", "This field is required."),
    ],
)
def test_it_says_what_is_wrong_with_an_address(client, people, email, sentence):
    answer = client.post(ADD, {"email": email, "first_name": "Kept"})
    assert sentence in answer.content.decode()
    assert answer.context["adminform"].form["first_name"].value() == "Kept"
    assert Contact.objects.filter(first_name="Kept").count() == 0


def test_it_knows_addresses_of_this_workspace_only(client, elsewhere):
    theirs = elsewhere.of(Contact)
    assert client.post(ADD, {"email": theirs.email}).status_code == 302


def act(client, action: str, keys: list[int], **more: object):
    data = {"action": action, "_selected_action": keys, "select_across": "0", **more}
    return client.post(CONTACTS, data, follow=True)


def test_it_asks_before_it_puts_people_on_a_list(client, people, choir):
    keys = [person.pk for person in people[:2]]
    asked = act(client, "add_to_list", keys)
    assert "2 contacts are chosen." in asked.content.decode()
    assert not choir.contacts.exists()
    assert "Choose a list." in act(client, "add_to_list", keys, apply="1").content.decode()
    done = act(client, "add_to_list", keys, apply="1", chosen_list=choir.pk)
    assert "2 contacts are on Choir." in done.content.decode()
    assert choir.contacts.count() == 2


def test_it_takes_people_off_a_list(client, people, choir):
    choir.contacts.set(people)
    keys = [people[0].pk]
    assert "1 contact is chosen." in act(client, "take_off_list", keys).content.decode()
    assert choir.contacts.count() == 3
    act(client, "take_off_list", keys, apply="1", chosen_list=choir.pk)
    assert choir.contacts.count() == 2
    assert Contact.objects.filter(pk=people[0].pk).exists()


def test_it_acts_on_all_that_match_when_all_are_chosen(client, people, choir, elsewhere):
    data = {"action": "add_to_list", "_selected_action": [people[0].pk], "select_across": "1"}
    url = f"{CONTACTS}?q=pat"
    asked = client.post(url, data)
    assert "3 contacts are chosen." in asked.content.decode()
    client.post(url, data | {"apply": "1", "chosen_list": choir.pk})
    assert sorted(choir.contacts.values_list("pk", flat=True)) == [p.pk for p in people]


def test_it_does_not_touch_the_lists_or_people_of_others(client, people, elsewhere):
    theirs, contact = elsewhere.of(ContactList), elsewhere.of(Contact)
    members = theirs.contacts.count()
    act(client, "add_to_list", [people[0].pk], apply="1", chosen_list=theirs.pk)
    assert theirs.contacts.count() == members
    act(client, "delete_selected", [contact.pk], post="yes")
    assert Contact.objects.filter(pk=contact.pk).exists()


def exported(client, query: str = "") -> list[list[str]]:
    answer = client.get(reverse("admin:campaigns_contact_export") + query)
    assert answer.streaming
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text)))


def test_it_exports_what_is_shown_safe_to_open(client, people, choir, elsewhere):
    pat = people[1]
    Contact.objects.filter(pk=pat.pk).update(first_name="=1+1", fields={"zebra_no": "17"})
    pat.lists.add(choir)
    header, *rows = exported(client, "?q=pat")
    assert header == ["Email", "First name", "Last name", "zebra no.", "Lists"]
    assert [row[0] for row in rows] == ["p0@example.org", "p2@example.org"]
    (row,) = exported(client, f"?list={choir.pk}")[1:]
    assert row == ["p1@example.org", "'=1+1", "Lee1", "17", "Choir"]
    everybody = [row[0] for row in exported(client)[1:]]
    assert len(everybody) == 4
    assert elsewhere.of(Contact).email not in everybody


LISTS = reverse("admin:campaigns_contactlist_changelist")
ADD_LIST = reverse("admin:campaigns_contactlist_add")


def test_it_shows_the_lists_with_their_people(client, people, choir):
    choir.contacts.set(people)
    shown = {row.name: row.member_count for row in client.get(LISTS).context["cl"].result_list}
    assert shown["Choir"] == 3
    assert f"{CONTACTS}?list={choir.pk}" in client.get(LISTS).content.decode()


def test_it_adds_and_renames_a_list(client, home, choir):
    assert client.post(ADD_LIST, {"name": "Band"}).status_code == 302
    band = ContactList.objects.get(name="Band")
    assert band.workspace == home.workspace
    change = reverse("admin:campaigns_contactlist_change", args=[band.pk])
    refused = client.post(change, {"name": "Choir"})
    assert "There is already a list of this name." in refused.content.decode()
    assert client.post(change, {"name": "Big band"}).status_code == 302
    band.refresh_from_db()
    assert band.name == "Big band"


def test_it_takes_a_name_that_another_workspace_has(client, elsewhere):
    name = elsewhere.of(ContactList).name
    assert client.post(ADD_LIST, {"name": name}).status_code == 302
    assert ContactList.objects.filter(name=name).count() == 2


def test_it_asks_before_it_deletes_a_list_and_keeps_the_people(client, people, choir):
    choir.contacts.set(people)
    data = {"action": "delete_selected", "_selected_action": [choir.pk]}
    assert client.post(LISTS, data).status_code == 200
    assert ContactList.objects.filter(pk=choir.pk).exists()
    client.post(LISTS, data | {"post": "yes"})
    assert not ContactList.objects.filter(pk=choir.pk).exists()
    assert Contact.objects.filter(pk__in=[p.pk for p in people]).count() == 3
