"""The banner on every screen while somebody practises."""

from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from accounts.models import GmailAccount
from tests.accounts.gmail_cast import settings_for
from tests.accounts.gmail_pages import text
from tests.belongings import Belongings
from tests.practice_gmail import PracticeGmail

pytestmark = pytest.mark.only_shows

LINK = "See what arrived"


@pytest.fixture
def practising(home: Belongings) -> None:
    GmailAccount.objects.update(practice=True)


def test_it_leads_to_the_practice_mailbox(
    practising: None, shared_gmail: PracticeGmail, owner_client: Client, settings: Settings
) -> None:
    settings.PRACTICE_DIR = shared_gmail.directory
    page = text(owner_client.get("/people/", headers={"host": "localhost:8000"}))
    mailbox = shared_gmail.env["GOOGLE_AUTH_URI"].removesuffix("/o/oauth2/v2/auth")
    assert f'<a href="{mailbox}" target="_blank" rel="noopener noreferrer">{LINK}</a>' in page


def test_it_leads_to_the_one_that_the_environment_names(
    practising: None,
    shared_gmail: PracticeGmail,
    owner_client: Client,
    settings: Settings,
    tmp_path: Path,
) -> None:
    settings.PRACTICE_DIR = tmp_path
    for name, value in settings_for(shared_gmail).items():
        setattr(settings, name, value)
    assert LINK in text(owner_client.get("/people/", headers={"host": "localhost:8000"}))


def test_it_leads_nowhere_that_the_browser_cannot_reach(
    practising: None,
    shared_gmail: PracticeGmail,
    owner_client: Client,
    settings: Settings,
    tmp_path: Path,
) -> None:
    settings.ALLOWED_HOSTS = ["daypost.lan", "localhost"]
    settings.PRACTICE_DIR = shared_gmail.directory
    assert LINK not in text(owner_client.get("/people/", headers={"host": "daypost.lan"}))
    settings.PRACTICE_DIR = tmp_path
    assert LINK not in text(owner_client.get("/people/", headers={"host": "localhost"}))
