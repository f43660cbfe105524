"""A message in the browser: the same as in the mail, and nothing of it runs."""

from email import message_from_bytes
from email.message import Message as Mail
from typing import Any

import pytest
from django.utils import timezone

from campaigns import tokens
from campaigns.delivery.compose import Composer
from campaigns.models import Contact, Message, Revision
from campaigns.tokens import Purpose
from tests.campaigns.public.recipients import (
    Page,
    leave_path,
    preferences_path,
    sent_message,
    stranger,
    view_path,
)

pytestmark = pytest.mark.django_db

LINKS = (
    '<p>Dear {{ first_name }}, <a href="https://example.org/a">read</a> '
    '<a href="{{ unsubscribe_url }}">leave</a> <a href="{{ preferences_url }}">choose</a> '
    '<a href="{{ view_url }}">look</a></p>'
)


@pytest.fixture
def message(settings: Any) -> Message:
    settings.PUBLIC_URL = "https://post.example.org"
    message = sent_message()
    Revision.objects.update(html=LINKS)
    return message


def html_of(message: Message) -> str:
    """The HTML part as it would leave."""
    assert message.account is not None
    mail: Mail = message_from_bytes(Composer(message.account).compose(message, timezone.now()))
    (part,) = [part for part in mail.walk() if part.get_content_type() == "text/html"]
    return part.get_payload(decode=True).decode()  # type: ignore[union-attr]


def test_it_shows_the_message_as_it_was_written_with_its_links(message: Message) -> None:
    response = stranger().get(view_path(message))
    assert response.status_code == 200
    assert "Dear Person 0" in response.content.decode()
    account = message.account
    assert account is not None
    public = "https://post.example.org"
    # Whoever was given its address may look at it, and not leave for whom it was written to.
    by_mail = f"mailto:{account.address}?subject=unsubscribe"
    written = html_of(message)
    for path in (leave_path(message), preferences_path(message)):
        assert public + path in written
        written = written.replace(public + path, by_mail)
    assert response.content.decode().split() == written.split()
    seen = public + view_path(message)
    assert Page(response).links == ["https://example.org/a", by_mail, by_mail, seen]


def test_it_shows_the_revision_that_the_message_was_written_from(message: Message) -> None:
    Revision.objects.create(
        campaign=message.campaign, number=2, subject="New", html="<p>New</p>", text="New"
    )
    assert b"Dear Person 0" in stranger().get(view_path(message)).content


def test_it_runs_nothing_in_it(message: Message) -> None:
    policy = stranger().get(view_path(message)).headers["Content-Security-Policy"]
    assert "sandbox" in policy and "allow-scripts" not in policy and "allow-forms" not in policy
    assert "allow-same-origin" not in policy and "script-src" not in policy


def test_it_is_only_looked_at(message: Message) -> None:
    assert stranger().post(view_path(message)).status_code == 405


@pytest.mark.parametrize("purpose", [one for one in Purpose if one is not Purpose.VIEW])
def test_it_refuses_a_token_of_another_purpose(message: Message, purpose: Purpose) -> None:
    token = tokens.make(purpose, message.pk)
    assert stranger().get(f"/v/{token}").status_code == 404


def test_it_says_so_when_there_is_nothing_left_to_show(message: Message) -> None:
    Contact.objects.all().delete()
    response = stranger().get(view_path(message))
    assert response.status_code == 410
    assert "can no longer be shown" in Page(response).text
