"""What a person may ask for: all that is known of them, and to be forgotten."""

import json

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from campaigns import tokens
from campaigns.contacts import erasing
from campaigns.contacts.suppressing import suppress
from campaigns.models import (
    Campaign,
    Contact,
    ContactImport,
    Event,
    HistoryEntry,
    InboundMail,
    Message,
    Suppression,
)
from tests.belongings import Belongings


@pytest.fixture
def client(owner_client: Client) -> Client:
    return owner_client


def text_of(answer) -> str:
    return " ".join(answer.content.decode().split()).replace("&#x27;", "'")


def url(name: str, contact: Contact) -> str:
    return reverse(f"admin:campaigns_contact_{name}", args=[contact.pk])


def test_one_file_holds_everything_that_is_known(client, home: Belongings, elsewhere):
    contact = home.of(Contact)
    suppress(home.workspace, [contact.email_key], "by phone")
    InboundMail.objects.create(
        account=home.of(Message).account, key="loose", kind="report", at=timezone.now(),
        recipient=contact.email, said="no such user",
    )  # fmt: skip
    job = home.of(ContactImport)
    problem = {"line": 3, "reason": "bad_syntax", "value": f"x {contact.email}"}
    ContactImport.objects.filter(pk=job.pk).update(problems=[problem])

    answer = client.get(url("everything", contact))
    assert answer["Content-Disposition"].startswith(f'attachment; filename="contact-{contact.pk}-')
    known = json.loads(answer.content)
    assert known["contact"]["email"] == contact.email
    assert known["contact"]["fields"] == {"zebra no.": "zebra"}
    assert [one["list"] for one in known["lists"]] == ["zebra list"]
    assert [(one["source"], one["wording"]) for one in known["consent"]] == [("zebra", "zebra")]
    assert (known["suppression"]["reason"], known["suppression"]["note"]) == ("by_hand", "by phone")
    (message,) = known["messages"]
    assert (message["campaign"], message["state"]) == ("zebra campaign", "sent")
    assert message["what_gmail_said"] == "250 2.0.0 OK zebra"
    assert [one["kind"] for one in message["events"]] == ["bounced"]
    assert [one["detail"] for one in message["history"]] == ["zebra"]
    assert [one["text"] for one in message["mail_that_came_back"]] == ["zebra"]
    assert [one["it_says"] for one in known["other_mail_that_came_back"]] == ["no such user"]
    assert known["imports"][0]["rows_not_imported"] == [problem]
    assert "otter" not in answer.content.decode()


def test_it_asks_first_and_says_what_goes_and_what_stays(client, home: Belongings):
    contact = home.of(Contact)
    page = text_of(client.get(url("erase", contact)))
    assert "It is taken off zebra list." in page
    assert "The record of its consent." in page
    assert "The words of a mail that came back." in page
    assert "What is left of the file “zebra.csv”" in page
    assert "A message as a bare row" in page
    assert "The mails in Gmail itself" in page
    assert "checked" in page
    assert Contact.objects.filter(pk=contact.pk).exists()

    suppress(home.workspace, [contact.email_key])
    page = text_of(client.get(url("erase", contact)))
    assert "The suppression, as a hash alone" in page
    assert "never_again" not in page


@pytest.mark.parametrize(("ticked", "kept"), [({"never_again": "on"}, 1), ({}, 0)])
def test_it_erases_and_keeps_only_a_hash(client, home: Belongings, ticked, kept):
    contact = home.of(Contact)
    answer = client.post(url("erase", contact), ticked, follow=True)
    assert "The person was erased." in text_of(answer)
    assert not Contact.objects.filter(pk=contact.pk).exists()
    assert Suppression.objects.filter(email_hash=contact.email_hash, email_key="").count() == kept
    assert client.get(url("erase", contact)).status_code == 404


def test_it_says_what_is_in_the_way(client, home: Belongings):
    contact = home.of(Contact)
    Message.objects.filter(contact=contact).update(state=Message.State.HANDING_OVER)
    answer = client.post(url("erase", contact), {"never_again": "on"}, follow=True)
    assert "Nothing was erased. A message to this person is just leaving." in text_of(answer)
    assert Contact.objects.filter(pk=contact.pk).exists()
    assert not Suppression.objects.filter(email_hash=contact.email_hash).exists()


def test_pages_show_its_messages_harmlessly(client, home: Belongings):
    contact, message = home.of(Contact), home.of(Message)
    Message.objects.filter(pk=message.pk).update(state=Message.State.IN_DOUBT)
    erasing.erase(contact, timezone.now(), never_again=True)
    pages = [
        reverse("admin:campaigns_message_changelist"),
        reverse("admin:campaigns_message_changelist") + "?state__exact=in_doubt",
        reverse("admin:campaigns_message_change", args=[message.pk]),
        reverse("admin:campaigns_campaign_page", args=[home.of(Campaign).pk]),
        reverse("admin:campaigns_campaign_content", args=[home.of(Campaign).pk]),
        reverse("admin:campaigns_suppression_changelist"),
        reverse("admin:campaigns_inboundmail_changelist"),
        reverse("admin:campaigns_contactimport_changelist"),
        reverse("admin:campaigns_contactimport_change", args=[home.of(ContactImport).pk]),
        reverse("admin:index"),
    ]
    for page in pages:
        answer = client.get(page)
        assert answer.status_code == 200, page
        # That one is of somebody else.
        shown = text_of(answer).replace("not-zebra@example.com", "")
        assert contact.email not in shown, page
    assert "somebody who was erased" in text_of(client.get(pages[0]))
    assert "somebody who was erased" in text_of(client.get(pages[2]))
    chosen = {"action": "it_arrived", "_selected_action": [message.pk]}
    assert "somebody who was erased" in text_of(client.post(pages[1], chosen))
    export = client.get(reverse("admin:campaigns_message_export"))
    assert contact.email.encode() not in b"".join(export.streaming_content)


@pytest.mark.parametrize("never_again", [True, False])
def test_a_token_in_an_old_mail_is_harmless(client, home: Belongings, never_again: bool):
    contact, message = home.of(Contact), home.of(Message)
    erasing.erase(contact, timezone.now(), never_again=never_again)
    stranger = Client()
    leave = tokens.make(tokens.Purpose.LEAVE, message.pk)
    paths = {
        reverse("public:leave", args=[leave]): 200,
        reverse("public:take_back", args=[leave]): 200,
        reverse("public:preferences", args=[leave]): 200,
        reverse("public:view", args=[tokens.make(tokens.Purpose.VIEW, message.pk)]): 410,
    }
    for path, status in paths.items():
        assert stranger.get(path).status_code == status, path
        if status == 200:
            assert stranger.post(path, {"choice": "none"}).status_code == 200
    assert Suppression.objects.filter(email_hash=contact.email_hash).count() == never_again
    assert not Suppression.objects.filter(email_key=contact.email_key).exists()
    for model in (Event, HistoryEntry):
        assert not model.objects.filter(message=message, detail__icontains="zebra@").exists()


def test_an_outsider_neither_reads_nor_erases(outsider_client, home: Belongings, elsewhere):
    contact = home.of(Contact)
    assert outsider_client.get(url("everything", contact)).status_code == 404
    assert outsider_client.get(url("erase", contact)).status_code == 404
    assert outsider_client.post(url("erase", contact)).status_code == 404
    assert Contact.objects.filter(pk=contact.pk).exists()
