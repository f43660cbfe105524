"""The guide to a Google client of one's own, and the form for it."""

import json

import pytest
from django.test import Client
from pytest_django import Settings

from accounts.endpoints import google_endpoints
from accounts.models import OAuthClient
from tests.accounts.gmail_cast import ANA
from tests.accounts.gmail_pages import (
    CLIENT,
    CLIENT_ID,
    CLIENT_SECRET,
    CONNECT,
    ask,
    come_back,
    text,
)
from tests.belongings import Belongings
from tests.practice_gmail import PracticeGmail

pytestmark = pytest.mark.only_shows


@pytest.fixture
def no_client(gmail: PracticeGmail, settings: Settings, home: Belongings) -> dict[str, str]:
    """An environment that names no client; returns the one that the practice Gmail knows."""
    good = {key: settings.GOOGLE[key] for key in ("client_id", "client_secret")}
    settings.GOOGLE = {**settings.GOOGLE, "client_id": "", "client_secret": ""}
    OAuthClient.objects.all().delete()
    return good


def test_it_shows_the_guide_where_no_client_is_set(
    no_client: dict[str, str], owner_client: Client
) -> None:
    page = text(owner_client.get(CONNECT))
    for words in ("Publish app", "7 days", "Authorised redirect URIs", "Internal", "Advanced"):
        assert words in page
    assert 'data-copy="http://testserver/gmail/callback/"' not in page
    assert "Paste it here" in page


def test_it_keeps_a_client_that_google_knows(
    no_client: dict[str, str], owner_client: Client, home: Belongings, gmail: PracticeGmail
) -> None:
    response = owner_client.post(CLIENT, no_client, follow=True)
    assert "Google knows this client" in text(response)
    found = google_endpoints(home.workspace)
    assert found.client_secret == no_client["client_secret"]
    for page in (CLIENT, CONNECT):
        assert no_client["client_secret"] not in text(owner_client.get(page))
    page = text(come_back(owner_client, gmail.consent(ask(owner_client), account=ANA)))
    assert f"{ANA} is connected." in page


def test_it_takes_the_file_that_google_offers(
    no_client: dict[str, str], owner_client: Client, home: Belongings
) -> None:
    file = json.dumps({"web": {**no_client, "project_id": "daypost"}})
    owner_client.post(CLIENT, {"client_id": file, "client_secret": ""})
    assert google_endpoints(home.workspace).client_id == no_client["client_id"]


@pytest.mark.parametrize(
    ("client_id", "client_secret", "words", "kept"),
    [
        ("me@gmail.com", CLIENT_SECRET, "This is an e-mail address", "me@gmail.com"),
        ("1234", CLIENT_SECRET, "ends in .apps.googleusercontent.com", ""),
        ("abc.apps.googleusercontent.com", CLIENT_SECRET, "A part of the client id", ""),
        (CLIENT_SECRET, CLIENT_ID, "This is the client secret. It belongs", ""),
        (CLIENT_SECRET, CLIENT_ID, "This is the client id. It belongs", ""),
        ('{"web": {}}', "", "not the whole file of a client", ""),
        (CLIENT_ID, "GOCSPX-short", "too short for a client secret", CLIENT_ID),
        (CLIENT_ID, "GOCSPX abcdefghijklmnopqr", "has no spaces", CLIENT_ID),
        (CLIENT_ID, "", "Paste the client secret", CLIENT_ID),
        ("", CLIENT_SECRET, "Paste the client id", ""),
        (CLIENT_ID, CLIENT_SECRET, "Google does not know this client id", CLIENT_ID),
    ],
)
def test_it_says_what_is_wrong_with_a_client_and_saves_nothing(
    no_client: dict[str, str],
    owner_client: Client,
    client_id: str,
    client_secret: str,
    words: str,
    kept: str,
) -> None:
    fields = {"client_id": client_id, "client_secret": client_secret}
    page = text(owner_client.post(CLIENT, fields))
    assert words in page
    assert CLIENT_SECRET not in page
    if kept:
        assert f'value="{kept}"' in page
    assert not OAuthClient.objects.exists()


def test_it_names_the_secret_when_only_that_is_wrong(
    no_client: dict[str, str], owner_client: Client
) -> None:
    page = text(owner_client.post(CLIENT, {**no_client, "client_secret": CLIENT_SECRET}))
    assert page.index('id="id_client_secret_error"') < page.index("Google does not know this")
    assert f'value="{no_client["client_id"]}"' in page


def test_it_gives_back_no_secret_of_a_file_that_google_does_not_know(
    no_client: dict[str, str], owner_client: Client
) -> None:
    file = json.dumps({"web": {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}})
    page = text(owner_client.post(CLIENT, {"client_id": file}))
    assert "Google does not know" in page
    assert f'value="{CLIENT_ID}"' in page
    assert CLIENT_SECRET not in page


def test_it_leaves_a_client_of_the_environment_alone(
    gmail: PracticeGmail, owner_client: Client, home: Belongings
) -> None:
    before = OAuthClient.objects.values().get(workspace=home.workspace)
    assert "whoever runs this machine" in text(owner_client.get(CLIENT))
    owner_client.post(CLIENT, {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET})
    assert OAuthClient.objects.values().get(workspace=home.workspace) == before


def test_it_shows_the_page_although_the_clients_secret_cannot_be_opened(
    no_client: dict[str, str], owner_client: Client, home: Belongings
) -> None:
    OAuthClient.objects.create(workspace=home.workspace, client_id=CLIENT_ID, sealed_secret="x")
    assert "Paste it here" in text(owner_client.get(CONNECT))
