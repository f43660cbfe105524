"""The pages on which a Gmail account is connected, as a logged-in person uses them."""

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from accounts.models import GmailAccount
from tests.accounts.gmail_cast import ANA, BEN
from tests.accounts.gmail_pages import (
    ANSWER,
    CLIENT,
    CONNECT,
    CONSENT,
    ask,
    come_back,
    connect,
    fill,
    text,
)
from tests.belongings import Belongings
from tests.practice_gmail import PracticeGmail

# --- Three ways ------------------------------------------------------------------------------


def test_it_offers_three_ways_and_says_what_is_risked(
    gmail: PracticeGmail, owner_client: Client, settings: Settings
) -> None:
    settings.PRACTICE_DIR = gmail.directory
    settings.GMAIL = {**settings.GMAIL, "smtp_host": "smtp.gmail.com"}
    page = text(owner_client.get(CONNECT))
    for words in ("With Google's consent", "With an app password", "For practice", "suspend"):
        assert words in page


def test_it_says_how_to_start_the_practice_gmail_where_there_is_none(
    owner_client: Client, settings: Settings, tmp_path: Any
) -> None:
    settings.PRACTICE_DIR = tmp_path
    assert "make run" in text(owner_client.get(CONNECT))


def test_it_says_that_nothing_leaves_when_the_environment_is_for_practice(
    gmail: PracticeGmail, owner_client: Client
) -> None:
    assert "nothing leaves" in text(owner_client.get(CONNECT))


# --- App password ----------------------------------------------------------------------------


def test_it_connects_by_app_password(
    gmail: PracticeGmail, owner_client: Client, home: Belongings
) -> None:
    response = connect(owner_client, **fill(smtp_security="starttls"))
    account = GmailAccount.objects.get(address=ANA)
    assert response.headers["Location"] == reverse(
        "admin:accounts_gmailaccount_change", args=[account.pk]
    )
    assert account.workspace == home.workspace
    assert account.smtp_security == "starttls"


def test_it_asks_for_the_name_and_takes_none_away(
    gmail: PracticeGmail, owner_client: Client
) -> None:
    connect(owner_client, **fill(display_name="Siop Tregaron"))
    connect(owner_client, **fill())
    assert GmailAccount.objects.get(address=ANA).display_name == "Siop Tregaron"
    page = text(connect(owner_client, **fill(display_name="Siop\tTregaron")))
    assert "may not hold line breaks" in page


def test_it_says_what_comes_next(gmail: PracticeGmail, owner_client: Client) -> None:
    url = connect(owner_client, **fill()).headers["Location"]
    page = text(owner_client.get(url))
    assert "Say below which name recipients see." in page
    assert '<a href="/">What comes next</a>' in page
    url = connect(owner_client, **fill(display_name="Siop Tregaron")).headers["Location"]
    assert "Say below" not in text(owner_client.get(url))


def test_it_keeps_what_was_typed_but_never_the_password(
    gmail: PracticeGmail, owner_client: Client
) -> None:
    page = text(connect(owner_client, **fill(password="abcdefghijklmnoq")))
    assert f'value="{ANA}"' in page
    assert "Gmail did not accept this address" in page
    assert "abcdefghijklmnoq" not in page
    assert not GmailAccount.objects.filter(address=ANA).exists()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"address": ""}, "Type the address"),
        ({"password": ""}, "Paste the app password"),
        ({"address": "ana"}, "not an e-mail address"),
        ({"smtp_security": "none"}, "not one of the available choices"),
    ],
)
def test_it_says_what_is_missing(
    gmail: PracticeGmail, owner_client: Client, fields: dict[str, str], words: str
) -> None:
    assert words in text(connect(owner_client, **fill(**fields)))


@pytest.mark.parametrize(
    ("fields", "field"), [({"address": "ana"}, "address"), ({"password": "wrong"}, "password")]
)
def test_it_leads_the_browser_to_what_was_refused(
    gmail: PracticeGmail, owner_client: Client, fields: dict[str, str], field: str
) -> None:
    page = connect(owner_client, **fill(**fields)).content.decode()
    focused = re.findall(r"<input[^>]* autofocus[^>]*>", page)
    assert len(focused) == 1
    assert f'name="google-{field}"' in focused[0]


def test_it_connects_a_practice_account_beside_google(
    shared_gmail: PracticeGmail, owner_client: Client, settings: Settings
) -> None:
    settings.PRACTICE_DIR = shared_gmail.directory
    fields = {f"practice-{name}": value for name, value in fill().items()}
    page = text(owner_client.post(CONNECT, {**fields, "practice-password": "wrong"}))
    assert "The practice Gmail did not accept" in page
    owner_client.post(CONNECT, fields)
    assert GmailAccount.objects.get(address=ANA).practice


# --- Google's consent ------------------------------------------------------------------------


def test_it_connects_by_consent(
    gmail: PracticeGmail, owner_client: Client, home: Belongings
) -> None:
    url = ask(owner_client)
    redirect_uri = parse_qs(urlsplit(url).query)["redirect_uri"][0]
    assert redirect_uri == "http://localhost/gmail/callback/"
    page = text(come_back(owner_client, gmail.consent(url, account=BEN)))
    assert f"{BEN} is connected." in page
    assert GmailAccount.objects.get(address=BEN).workspace == home.workspace


def test_it_starts_a_consent_by_post_only(gmail: PracticeGmail, owner_client: Client) -> None:
    assert owner_client.get(CONSENT).status_code == 405
    assert owner_client.get(ANSWER).status_code == 405
    careful = Client(enforce_csrf_checks=True)
    careful.cookies = owner_client.cookies
    assert careful.post(CONSENT).status_code == 403


def test_it_lets_the_form_lead_to_googles_page_and_nowhere_else(
    gmail: PracticeGmail, owner_client: Client
) -> None:
    policy = owner_client.get(CONNECT).headers["Content-Security-Policy"]
    directives = dict(each.strip().split(" ", 1) for each in policy.split(";"))
    assert directives["form-action"] == f"'self' {gmail.web}"
    elsewhere = owner_client.get(reverse("admin:settings")).headers["Content-Security-Policy"]
    assert gmail.web not in elsewhere


def test_it_says_in_its_place_that_consent_was_refused(
    gmail: PracticeGmail, owner_client: Client
) -> None:
    location = gmail.consent(ask(owner_client), account=ANA, allow=False)
    page = text(come_back(owner_client, location))
    assert "the access was not allowed" in page
    assert page.index("With Google's consent") < page.index("the access was not allowed")
    assert page.index("the access was not allowed") < page.index("With an app password")
    assert "the access was not allowed" not in text(owner_client.get(CONNECT))


def test_it_refuses_an_answer_that_was_used(gmail: PracticeGmail, owner_client: Client) -> None:
    location = gmail.consent(ask(owner_client), account=ANA)
    come_back(owner_client, location)
    assert "used up" in text(come_back(owner_client, location))


def test_it_refuses_the_answer_of_another_person(
    gmail: PracticeGmail, owner_client: Client, outsider_client: Client
) -> None:
    location = gmail.consent(ask(owner_client), account=ANA)
    assert "another try" in text(come_back(outsider_client, location))
    assert not GmailAccount.objects.filter(address=ANA).exists()
    assert "is connected" in text(come_back(owner_client, location))


@pytest.mark.parametrize("query", ["", "?state=x", "?state=x&code=y", "?error=access_denied"])
def test_it_takes_no_answer_without_a_question(owner_client: Client, query: str) -> None:
    response = owner_client.get(f"{reverse('admin:gmail_callback')}{query}", follow=True)
    assert response.redirect_chain == [(CONNECT, 302)]
    assert "dp-danger" in text(response)


def test_it_says_that_the_client_is_wrong(
    gmail: PracticeGmail, owner_client: Client, settings: Settings
) -> None:
    location = gmail.consent(ask(owner_client), account=ANA)
    settings.GOOGLE = {**settings.GOOGLE, "client_secret": "GOCSPX-wrong"}
    assert "does not accept the client id and secret" in text(come_back(owner_client, location))


# --- A browser that Google cannot send back --------------------------------------------------


def test_it_takes_the_address_that_a_browser_ended_on(
    gmail: PracticeGmail, owner_client: Client, settings: Settings
) -> None:
    settings.ALLOWED_HOSTS = ["192.168.1.5"]
    lan = {"host": "192.168.1.5:8000"}
    page = text(owner_client.get(CONNECT, headers=lan))
    assert "http://localhost:8000/gmail/callback/" in page
    assert "Then paste the address that your browser ended on" in page
    location = gmail.consent(ask(owner_client, host="192.168.1.5:8000"), account=ANA)
    assert location.startswith("http://localhost:8000/gmail/callback/")
    answer = {"answer": f"  {location}\n"}
    page = text(owner_client.post(ANSWER, answer, headers=lan, follow=True))
    assert f"{ANA} is connected." in page
    page = text(owner_client.post(ANSWER, answer, headers=lan, follow=True))
    assert "used up" in page


@pytest.mark.parametrize("answer", ["", "hello", "http://localhost:8000/", "%%%"])
def test_it_says_that_a_pasted_address_is_not_googles_answer(
    gmail: PracticeGmail, owner_client: Client, answer: str
) -> None:
    ask(owner_client)
    page = text(owner_client.post(ANSWER, {"answer": answer}, follow=True))
    assert "not the address that Google sent you to" in page


@pytest.mark.parametrize(
    ("host", "secure", "expected"),
    [
        ("localhost:8000", False, "http://localhost:8000/gmail/callback/"),
        ("127.0.0.1:8000", False, "http://127.0.0.1:8000/gmail/callback/"),
        ("192.168.1.5:8000", False, "http://localhost:8000/gmail/callback/"),
        ("nas.local:8000", False, "http://localhost:8000/gmail/callback/"),
        ("192.168.1.5", True, "http://localhost/gmail/callback/"),
        ("post.club.example", True, "https://post.club.example/gmail/callback/"),
        ("post.club.example", False, "http://localhost/gmail/callback/"),
    ],
)
def test_it_shows_a_redirect_address_that_google_takes(
    owner_client: Client, settings: Settings, host: str, secure: bool, expected: str
) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    page = text(owner_client.get(CLIENT, headers={"host": host}, secure=secure))
    assert f'data-copy="{expected}"' in page
