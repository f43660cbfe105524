import csv
import io

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from campaigns.models import Campaign, Event, Message
from tests.belongings import Belongings
from tests.campaigns.making import make_account, make_campaign

LIST = reverse("admin:campaigns_message_changelist")
EXPORT = reverse("admin:campaigns_message_export")


@pytest.fixture
def client(owner_client: Client) -> Client:
    return owner_client


def text_of(answer) -> str:
    return " ".join(answer.content.decode().split())


def page_of(message: Message) -> str:
    return reverse("admin:campaigns_message_change", args=[message.pk])


def rows_of(answer) -> list[list[str]]:
    data = b"".join(answer.streaming_content)
    assert data.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"))))


@pytest.fixture
def campaign(home: Belongings) -> Campaign:
    return make_campaign(home.workspace, [make_account(home.workspace)], 120, name="Autumn")


def test_it_lists_the_messages_of_a_campaign_in_a_state(client, campaign):
    first, second = campaign.messages.order_by("id")[:2]
    Message.objects.filter(pk=first.pk).update(state="refused", reply="550 5.1.1 No such user")
    asked = {"campaign__id__exact": campaign.pk, "state__exact": "refused"}
    answer = client.get(LIST, asked)
    assert list(answer.context["cl"].result_list) == [first]
    page = text_of(answer)
    assert "550 5.1.1 No such user" in page
    assert "Of the campaign" in page
    assert second.to_email not in page


def test_it_finds_a_recipient(client, campaign):
    wanted = campaign.messages.order_by("id")[7]
    answer = client.get(LIST, {"q": wanted.to_email})
    assert list(answer.context["cl"].result_list) == [wanted]


def test_it_is_never_counted(client, campaign):
    with CaptureQueriesContext(
        connection,
    ) as queries:
        client.get(LIST)
    counting = [query["sql"] for query in queries if "COUNT(" in query["sql"]]
    assert counting == []


def test_it_goes_on_to_the_next_page_and_back(client, campaign):
    asked = {"campaign__id__exact": campaign.pk}
    first = client.get(LIST, asked)
    assert 'rel="next"' in text_of(first)
    assert 'rel="prev"' not in text_of(first)
    last = client.get(LIST, asked | {"p": 3})
    assert len(last.context["cl"].result_list) == 20
    assert 'rel="next"' not in text_of(last)
    assert 'rel="prev"' in text_of(last)


def test_it_is_read_only(client, home):
    message = home.of(Message)
    assert client.get(reverse("admin:campaigns_message_add")).status_code == 403
    delete = reverse("admin:campaigns_message_delete", args=[message.pk])
    assert client.post(delete, {"post": "yes"}).status_code == 403
    client.post(page_of(message), {"state": "waiting", "to_email": "other@example.org"})
    message.refresh_from_db()
    assert (message.state, message.to_email) == ("sent", f"{home.word}@example.com")


def test_its_page_tells_its_story(client, home):
    message = home.of(Message)
    page = text_of(client.get(page_of(message)))
    assert "Accepted by Gmail" in page
    assert "250 2.0.0 OK zebra" in page
    assert "&lt;zebra@gmail.com&gt;" in page
    assert "Bounced" in page
    Event.objects.all().delete()
    assert "Bounced" not in text_of(client.get(page_of(message)))


def test_a_doubt_is_explained_on_its_page(client, home):
    message = home.of(Message)
    Message.objects.update(state="in_doubt")
    assert "Gmail may have accepted this message or not." in text_of(client.get(page_of(message)))


def test_what_is_shown_can_be_downloaded_and_opened_safely(client, campaign):
    first = campaign.messages.order_by("id").first()
    Message.objects.filter(pk=first.pk).update(
        state="refused", reply='=HYPERLINK("http://example.org")'
    )
    asked = {"campaign__id__exact": campaign.pk, "state__exact": "refused"}
    answer = client.get(EXPORT, asked)
    assert answer["Content-Disposition"] == 'attachment; filename="messages.csv"'
    head, row = rows_of(answer)
    given = dict(zip(head, row, strict=True))
    assert given["To"] == first.to_email
    assert given["Campaign"] == "Autumn"
    assert given["Reply"] == '\'=HYPERLINK("http://example.org")'
    assert given["ID"] == first.message_id
    assert len(rows_of(client.get(EXPORT, {"campaign__id__exact": campaign.pk}))) == 121


def test_many_messages_cost_no_more_queries_than_one(client, home, django_assert_max_num_queries):
    with django_assert_max_num_queries(12):
        client.get(LIST)
    make_campaign(home.workspace, [make_account(home.workspace)], 60)
    with django_assert_max_num_queries(12):
        client.get(LIST)


def test_an_outsider_sees_nothing_of_it(outsider_client, home, elsewhere):
    message = home.of(Message)
    assert outsider_client.get(page_of(message)).status_code == 404
    for asked in ({}, {"campaign__id__exact": home.of(Campaign).pk}):
        assert home.word not in text_of(outsider_client.get(LIST, asked))
        assert home.word not in str(rows_of(outsider_client.get(EXPORT, asked)))
    assert elsewhere.word in str(rows_of(outsider_client.get(EXPORT)))
