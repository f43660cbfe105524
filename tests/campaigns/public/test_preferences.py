"""The preferences page: which lists, or nothing at all."""

import pytest

from campaigns.models import (
    ConsentRecord,
    Contact,
    ContactList,
    ListMembership,
    Message,
    Suppression,
)
from tests.campaigns.making import make_workspace
from tests.campaigns.public.recipients import Page, preferences_path, sent_message, stranger

pytestmark = pytest.mark.django_db


@pytest.fixture
def message() -> Message:
    """To somebody who is on the lists News and Sales."""
    message = sent_message()
    news = ContactList.objects.get()
    news.name = "News"
    news.save()
    sales = ContactList.objects.create(workspace=message.workspace, name="Sales")
    ListMembership.objects.create(contact_list=sales, contact=message.contact)
    ContactList.objects.create(workspace=message.workspace, name="Board members")
    ContactList.objects.create(workspace=make_workspace(), name="Somebody else's")
    return message


def on() -> set[str]:
    stays = ListMembership.objects.filter(left_at=None)
    return set(stays.values_list("contact_list__name", flat=True))


def key(name: str) -> int:
    return ContactList.objects.get(name=name).pk


def consents() -> list[tuple[str, str]]:
    return list(ConsentRecord.objects.order_by("id").values_list("kind", "source"))


def test_it_shows_the_lists_that_the_person_is_on_and_no_others(message: Message) -> None:
    response = stranger().get(preferences_path(message))
    page = Page(response)
    assert "News" in page.text and "Sales" in page.text
    assert "Board members" not in page.text and "Somebody else" not in page.text
    assert response.content.count(b" checked>") == 2


def test_it_leaves_what_is_not_ticked_and_comes_back_to_what_is(message: Message) -> None:
    path = preferences_path(message)
    response = stranger().post(path, {"choice": "lists", "list": [key("Sales")]})
    assert response.status_code == 200
    assert "Saved" in Page(response).text and response.content.count(b" checked>") == 1
    assert on() == {"Sales"}
    assert consents() == [("withdrawn", "Left the list “News” on a preferences page.")]

    stranger().post(path, {"choice": "lists", "list": [key("Sales"), key("News")]})
    assert on() == {"News", "Sales"}
    assert consents()[1:] == [("given", "Chose the list “News” again on a preferences page.")]
    assert not Suppression.objects.exists()


def test_it_is_fine_with_being_asked_again(message: Message) -> None:
    for _time in range(2):
        stranger().post(preferences_path(message), {"choice": "lists"})
    assert on() == set() and len(consents()) == 2


def test_it_puts_nobody_on_a_list_of_which_they_were_not(message: Message) -> None:
    others = [key("Board members"), key("Somebody else's"), "x", "9" * 5000, "-1", "²"]
    data = {"choice": "lists", "list": [key("News"), *others]}
    assert stranger().post(preferences_path(message), data).status_code == 200
    assert on() == {"News"}


def test_it_leaves_all_of_them_and_comes_back(message: Message) -> None:
    path = preferences_path(message)
    response = stranger().post(path, {"choice": "none"})
    assert "You are unsubscribed" in Page(response).text
    assert Suppression.objects.get().note.startswith(
        "Opted out of “Spring news” on its preferences"
    )
    assert on() == {"News", "Sales"}

    response = stranger().post(path, {"choice": "back"})
    assert "You are back" in Page(response).text
    assert not Suppression.objects.exists()


@pytest.mark.parametrize("data", [{}, {"list": "1"}, {"choice": "something"}])
def test_it_changes_nothing_by_a_post_without_a_choice(message: Message, data: dict) -> None:
    assert stranger().post(preferences_path(message), data).status_code == 200
    assert on() == {"News", "Sales"}
    assert not Suppression.objects.exists() and not consents()


def test_it_offers_to_leave_where_there_is_no_contact_any_more(message: Message) -> None:
    Contact.objects.all().delete()
    page = Page(stranger().get(preferences_path(message)))
    assert "deleted already" in page.text
    stranger().post(preferences_path(message), {"choice": "lists"})
    assert not Suppression.objects.exists()
    stranger().post(preferences_path(message), {"choice": "none"})
    assert Suppression.objects.get().email_key == message.to_email
