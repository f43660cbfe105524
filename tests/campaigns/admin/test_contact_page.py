import pytest
from django.test import Client
from django.urls import reverse

from campaigns.models import ConsentRecord, Contact
from tests.belongings import Belongings


@pytest.fixture
def client(owner_client: Client) -> Client:
    return owner_client


def text_of(answer) -> str:
    return " ".join(answer.content.decode().split())


def page_of(contact: Contact) -> str:
    return reverse("admin:campaigns_contact_change", args=[contact.pk])


def test_adding_one_by_hand_records_the_consent(client, home, owner):
    client.post(
        reverse("admin:campaigns_contact_add"),
        {"email": "ana@example.org", "consent": "at the fair"},
    )
    record = ConsentRecord.objects.get(contact__email_key="ana@example.org")
    assert (record.kind, record.wording, record.by) == ("given", "at the fair", owner)
    client.post(reverse("admin:campaigns_contact_add"), {"email": "rhys@example.org"})
    assert not ConsentRecord.objects.filter(contact__email_key="rhys@example.org").exists()


def test_changing_its_words_adds_a_record_and_changing_a_name_none(client, home: Belongings):
    contact = home.of(Contact)
    before = list(contact.consent_records.values_list("wording", flat=True))
    for words, name in (("by <phone>", "Zoë"), ("by <phone>", "Zoe"), ("", "Zoe")):
        client.post(
            page_of(contact), {"email": contact.email, "consent": words, "first_name": name}
        )
    found = list(contact.consent_records.values_list("wording", flat=True))
    assert found == [*before, "by <phone>"]
    page = text_of(client.get(page_of(contact)))
    assert "written down by hand (owner-zebra@example.org): “by &lt;phone&gt;”" in page
    assert page.index("“zebra”") < page.index("by &lt;phone&gt;”")


def test_it_says_where_nothing_is_known(client, home: Belongings):
    contact = Contact.objects.create(workspace=home.workspace, email="ana@example.org")
    assert "Nothing is known of this person's consent" in text_of(
        client.get(page_of(contact))
    ).replace("&#x27;", "'")
