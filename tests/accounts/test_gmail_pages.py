"""The pages on which a Gmail account is connected, as a logged-in person uses them."""

import json
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from accounts import sealed
from accounts.endpoints import google_endpoints
from accounts.models import GmailAccount, OAuthClient
from tests.accounts.gmail_cast import ANA, ANA_PASSWORD, BEN, connect_ana, connect_by_consent
from tests.cast import Belongings
from tests.practice_gmail import PracticeGmail

CONNECT = reverse("admin:gmail_connect")
CONSENT = reverse("admin:gmail_consent")
CLIENT = reverse("admin:gmail_client")
ANSWER = reverse("admin:gmail_answer")
CLIENT_ID = "123456789012-abcdefgh.apps.googleusercontent.com"
CLIENT_SECRET = "GOCSPX-abcdefghijklmnopqrstuv"


def text(response: Any) -> str:
    return unescape(response.content.decode())


def connect(browser: Client, **fields: str) -> HttpResponse:
    return browser.post(CONNECT, {f"google-{name}": value for name, value in fields.items()})


def fill(**changes: str) -> dict[str, str]:
    return {"address": ANA, "password": ANA_PASSWORD, "smtp_security": "ssl", **changes}


def ask(browser: Client, host: str = "localhost", **fields: Any) -> str:
    """The address of Google's page that the browser is sent to."""
    response = browser.post(CONSENT, fields, headers={"host": host})
    assert response.status_code == 302, response.content
    return response.headers["Location"]


def come_back(browser: Client, location: str, **more: Any) -> HttpResponse:
    """Follow Google's redirect to the callback, and on to the page that it leads to."""
    parts = urlsplit(location)
    return browser.get(f"{parts.path}?{parts.query}", follow=True, **more)


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


# --- The Google client -----------------------------------------------------------------------


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


# --- One account -----------------------------------------------------------------------------


def account_page(account: GmailAccount) -> str:
    return reverse("admin:accounts_gmailaccount_change", args=[account.pk])


def test_it_shows_the_state_with_its_reason_and_the_one_thing_to_do(
    gmail: PracticeGmail, owner_client: Client, home: Belongings
) -> None:
    account = connect_ana(home.workspace)
    page = text(owner_client.get(account_page(account)))
    assert "Ready" in page
    assert "0 of 500" in page
    GmailAccount.objects.filter(pk=account.pk).update(
        state=GmailAccount.State.NEEDS_RECONNECTING, state_reason="Google ended the access."
    )
    for url in (account_page(account), reverse("admin:accounts_gmailaccount_changelist")):
        page = text(owner_client.get(url))
        assert "Needs reconnecting" in page
        assert "Google ended the access." in page
    assert reverse("admin:gmail_again", args=[account.pk]) in text(
        owner_client.get(account_page(account))
    )


def test_it_says_until_when_an_account_rests(
    gmail: PracticeGmail, owner_client: Client, home: Belongings
) -> None:
    account = connect_ana(home.workspace)
    account.time_zone = "Asia/Tokyo"
    account.resting_until = timezone.now() + timezone.timedelta(hours=2)
    account.resting_reason = "550 5.4.5 Daily user sending limit exceeded."
    account.save()
    page = text(owner_client.get(account_page(account)))
    assert "Resting until" in page
    assert "(Asia/Tokyo)" in page
    assert "550 5.4.5" in page


def settings_of(account: GmailAccount, **changes: Any) -> dict[str, Any]:
    names = ("display_name", "time_zone", "limit", "reserve_by_hand", "reserve_transactional")
    fields = {name: getattr(account, name) for name in (*names, "smtp_security", "inbound")}
    return {**fields, **changes}


def test_it_saves_the_settings_of_an_account(
    gmail: PracticeGmail, owner_client: Client, home: Belongings
) -> None:
    account = connect_ana(home.workspace)
    changes = {"display_name": "Ana's shop", "limit": 0, "time_zone": "Europe/Lisbon"}
    response = owner_client.post(account_page(account), settings_of(account, **changes))
    assert response.status_code == 302
    account.refresh_from_db()
    assert (account.display_name, account.limit) == ("Ana's shop", 0)
    assert account.time_zone == "Europe/Lisbon"
    assert sealed.ACCOUNT_SECRET.open(account) == ANA_PASSWORD.replace(" ", "")


@pytest.mark.parametrize(
    "changes",
    [
        {"limit": 2001},
        {"limit": -1},
        {"limit": ""},
        {"time_zone": "Europe/Atlantis"},
        {"display_name": "Ana\r\nBcc: all@example.org"},
    ],
)
def test_it_refuses_settings_that_cannot_be(
    gmail: PracticeGmail, owner_client: Client, home: Belongings, changes: dict[str, Any]
) -> None:
    account = connect_ana(home.workspace)
    before = GmailAccount.objects.values().get(pk=account.pk)
    response = owner_client.post(account_page(account), settings_of(account, **changes))
    assert response.status_code == 200
    assert GmailAccount.objects.values().get(pk=account.pk) == before


def test_it_cannot_be_added_or_deleted_by_a_form(owner_client: Client, home: Belongings) -> None:
    response = owner_client.get(reverse("admin:accounts_gmailaccount_add"))
    assert response.headers["Location"] == CONNECT
    account = home.of(GmailAccount)
    url = reverse("admin:accounts_gmailaccount_delete", args=[account.pk])
    assert owner_client.post(url, {"post": "yes"}).status_code == 403
    assert "Delete" not in text(owner_client.get(account_page(account)))


def test_it_connects_again_by_consent_only_the_same_mailbox(
    gmail: PracticeGmail, owner_client: Client, home: Belongings
) -> None:
    account = connect_ana(home.workspace)
    again = reverse("admin:gmail_again", args=[account.pk])
    url = ask(owner_client, account=account.pk)
    response = come_back(owner_client, gmail.consent(url, account=BEN))
    assert response.redirect_chain[-1] == (again, 302)
    assert f"You chose {BEN}" in text(response)
    url = ask(owner_client, account=account.pk)
    assert "is connected" in text(come_back(owner_client, gmail.consent(url, account=ANA)))
    account.refresh_from_db()
    assert account.auth == GmailAccount.Auth.OAUTH


def test_it_connects_again_with_a_new_app_password(
    gmail: PracticeGmail, owner_client: Client, home: Belongings
) -> None:
    account = connect_by_consent(gmail, home.workspace)
    GmailAccount.objects.filter(pk=account.pk).update(state="needs_reconnecting", limit=77)
    again = reverse("admin:gmail_again", args=[account.pk])
    page = text(owner_client.post(again, {"password": "wrongwrongwrongx"}))
    assert "did not accept" in page
    assert "wrongwrongwrongx" not in page
    owner_client.post(again, {"password": ANA_PASSWORD})
    account.refresh_from_db()
    assert (account.state, account.auth, account.limit) == ("ready", "app_password", 77)


def test_it_asks_before_it_disconnects(
    gmail: PracticeGmail, owner_client: Client, home: Belongings
) -> None:
    account = connect_ana(home.workspace)
    url = reverse("admin:gmail_disconnect", args=[account.pk])
    assert f"Disconnect {ANA}?" in text(owner_client.get(url))
    account.refresh_from_db()
    assert account.state == GmailAccount.State.READY
    assert f"{ANA} is disconnected." in text(owner_client.post(url, follow=True))
    account.refresh_from_db()
    assert (account.state, account.sealed_secret) == (GmailAccount.State.DISCONNECTED, "")


def test_it_hides_the_accounts_of_others(
    gmail: PracticeGmail, outsider_client: Client, home: Belongings
) -> None:
    account = connect_ana(home.workspace)
    for name in ("admin:gmail_again", "admin:gmail_disconnect"):
        for method in (outsider_client.get, outsider_client.post):
            assert method(reverse(name, args=[account.pk])).status_code == 404
    assert outsider_client.get(account_page(account)).status_code == 404
    for key in (account.pk, "x", "999999"):
        assert outsider_client.post(CONSENT, {"account": key}).status_code == 404
    account.refresh_from_db()
    assert account.state == GmailAccount.State.READY
