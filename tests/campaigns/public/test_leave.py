"""The unsubscribe page: looking changes nothing, a POST acts, from wherever it comes."""

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from campaigns import tokens
from campaigns.models import ConsentRecord, Contact, Event, Message, Suppression
from campaigns.opting_out import How, opt_out
from campaigns.tokens import Purpose
from tests.campaigns.public.recipients import (
    UNKNOWN,
    Page,
    leave_path,
    preferences_path,
    sent_message,
    stranger,
    view_path,
)

pytestmark = pytest.mark.django_db

ONE_CLICK = "List-Unsubscribe=One-Click"
FORM = "application/x-www-form-urlencoded"
PART = '--x\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--x--'


def test_it_says_who_writes_to_whom_and_has_one_button() -> None:
    message = sent_message()
    response = stranger().get(leave_path(message))
    page = Page(response)
    assert response.status_code == 200
    assert "Siop" in page.text and "siop@gmail.com" in page.text
    assert "News for Person 0" in page.text
    assert page.actions == [leave_path(message)]
    assert page.tags.count("button") == page.tags.count("h1") == page.tags.count("main") == 1
    assert page.links == [preferences_path(message)]


@pytest.mark.parametrize("method", ["get", "head", "options", "put", "delete", "patch"])
def test_it_changes_nothing_by_any_other_method(method: str) -> None:
    message = sent_message()
    for path in (leave_path(message), f"{leave_path(message)}/back", preferences_path(message)):
        response = getattr(stranger(), method)(path)
        assert response.status_code == (200 if method in {"get", "head"} else 405)
    assert not Suppression.objects.exists() and not Event.objects.exists()


def test_it_does_not_take_an_opt_out_back_when_looked_at() -> None:
    message = sent_message()
    stranger().post(leave_path(message))
    assert stranger().get(f"{leave_path(message)}/back").status_code == 200
    assert Suppression.objects.exists()


@pytest.mark.parametrize(
    ("body", "content_type", "words"),
    [
        (ONE_CLICK, FORM, "the mail program's own button"),
        (
            PART,
            "multipart/form-data; boundary=x",
            "the mail program's own button",
        ),
        ("", FORM, "its unsubscribe page"),
        ("", "", "its unsubscribe page"),
        ("no form", "multipart/form-data; boundary=x", "its unsubscribe page"),
        ('{"a": 1}', "application/json", "its unsubscribe page"),
    ],
)
def test_it_opts_out_by_a_post_of_any_kind(body: str, content_type: str, words: str) -> None:
    message = sent_message()
    response = stranger().post(leave_path(message), body.encode(), content_type=content_type)
    assert response.status_code == 200
    assert "You are unsubscribed" in Page(response).text
    suppression = Suppression.objects.get()
    assert suppression.reason == Suppression.Reason.OPTED_OUT
    assert suppression.email_key == message.to_email
    assert words in suppression.note and "Spring news" in suppression.note


def test_it_is_fine_with_being_asked_again() -> None:
    message = sent_message()
    pages = [stranger().post(leave_path(message)) for _time in range(3)]
    assert {page.status_code for page in pages} == {200}
    assert {Page(page).text for page in pages} == {Page(pages[0]).text}
    assert Suppression.objects.count() == Event.objects.count() == 1
    assert ConsentRecord.objects.count() == 1


def test_it_takes_it_back_by_the_button_of_the_page_that_follows() -> None:
    message = sent_message()
    (undo,) = Page(stranger().post(leave_path(message))).actions
    response = stranger().post(undo)
    assert response.status_code == 200 and "You are back" in Page(response).text
    assert not Suppression.objects.exists()
    assert Page(response).actions == [leave_path(message)]
    kinds = list(Event.objects.order_by("id").values_list("kind", flat=True))
    assert kinds == [Event.Kind.OPTED_OUT, Event.Kind.OPTED_IN]


def test_it_offers_no_way_back_from_what_the_recipient_did_not_ask_for() -> None:
    message = sent_message()
    Suppression.objects.create(workspace=message.workspace, email_key=message.to_email)
    page = Page(stranger().get(leave_path(message)))
    assert page.actions == []
    stranger().post(f"{leave_path(message)}/back")
    assert Suppression.objects.exists()


def test_it_sets_no_cookie_and_leads_nowhere_else() -> None:
    message = sent_message()
    for path in (leave_path(message), preferences_path(message), view_path(message), "/u/nothing"):
        for response in (stranger().get(path), stranger().post(path)):
            assert not response.cookies
            assert response.status_code in {200, 404, 405}
            assert not {"Location", "Refresh"} & set(response.headers)


def test_it_tells_nobody_where_the_reader_came_from_and_is_kept_nowhere() -> None:
    message = sent_message()
    for path in (leave_path(message), preferences_path(message), view_path(message), "/u/nothing"):
        headers = stranger().get(path).headers
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["X-Robots-Tag"] == "noindex"
        assert headers["Cache-Control"] == "no-store"
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "script-src" not in policy
        assert "frame-ancestors 'none'" in policy


def test_it_loads_nothing_and_runs_nothing() -> None:
    message = sent_message()
    for path in (leave_path(message), preferences_path(message), "/u/nothing"):
        page = Page(stranger().get(path))
        assert not {"script", "img", "iframe", "object"} & set(page.tags)
        assert not {name for name in page.attributes if name.startswith("on")}
        assert "src" not in page.attributes
        assert 'lang="en"' in stranger().get(path).content.decode()


@pytest.mark.parametrize("purpose", [one for one in Purpose if one is not Purpose.LEAVE])
def test_it_refuses_a_token_of_another_purpose(purpose: Purpose) -> None:
    message = sent_message()
    token = tokens.make(purpose, message.pk)
    for path in (f"/u/{token}", f"/u/{token}/back", f"/p/{token}"):
        assert stranger().get(path).status_code == 404
        assert stranger().post(path).status_code == 404
    assert not Suppression.objects.exists()


@pytest.mark.parametrize(
    "path", [f"/u/{UNKNOWN}", "/u/x", "/u/", "/u/x/y/z", f"/p/{UNKNOWN}", "/p/ü", f"/v/{UNKNOWN}"]
)
def test_it_says_plainly_that_a_link_does_not_work(path: str) -> None:
    for response in (stranger().get(path), stranger().post(path)):
        if response.status_code != 405:
            assert response.status_code == 404
            assert "This link does not work" in Page(response).text


def test_it_reveals_nothing_by_the_token_of_a_message_that_is_gone() -> None:
    message = sent_message()
    path = leave_path(message)
    of_none = stranger().get(f"/u/{UNKNOWN}").content
    Message.objects.all().delete()
    assert stranger().get(path).content == of_none


def test_it_shows_the_address_only_to_who_knows_it() -> None:
    message = sent_message()
    for path in (leave_path(message), preferences_path(message)):
        page = stranger().get(path).content.decode()
        assert message.to_email not in page
        assert "p…@example.org" in page


def test_it_lets_people_leave_whose_contact_was_deleted_and_says_so() -> None:
    message = sent_message()
    Contact.objects.all().delete()
    page = Page(stranger().get(leave_path(message)))
    assert "deleted already" in page.text and page.links == []
    response = stranger().post(leave_path(message))
    assert "Your address alone is kept" in Page(response).text
    assert Suppression.objects.get().email_key == message.to_email


def test_it_shows_hostile_names_harmlessly() -> None:
    message = sent_message(display_name="<script>alert(1)</script>")
    for path in (leave_path(message), preferences_path(message)):
        assert b"<script" not in stranger().get(path).content


def test_it_takes_no_notice_of_who_is_logged_in(client: Client) -> None:
    message = sent_message()
    opt_out(message, message.created_at, How.MAIL)
    assert client.get(leave_path(message)).content == stranger().get(leave_path(message)).content


def test_it_asks_the_database_little(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    """The page must not keep a campaign from sending."""
    message = sent_message()
    with django_assert_max_num_queries(3):
        stranger().get(leave_path(message))
    stranger().post(leave_path(message))
    with django_assert_max_num_queries(4):
        stranger().get(leave_path(message))


def test_it_opens_to_whoever_has_the_token_of_a_message_that_waits_again() -> None:
    """A limit notice takes back what was sent; a token is good at any time."""
    message = sent_message()
    Message.objects.update(state=Message.State.WAITING, account=None)
    assert stranger().get(leave_path(message)).status_code == 200
    assert stranger().post(leave_path(message)).status_code == 200
    assert stranger().get(preferences_path(message)).status_code == 200
    assert Suppression.objects.exists()
