"""No secret in a log, an error, a page or a dump of the database."""

import logging
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.views.debug import ExceptionReporter
from pytest_django import Settings

from accounts import connect, sealed, sessions, tokens
from accounts.models import GmailAccount, OAuthClient
from gmail import oauth
from gmail.smtp import SmtpSession
from tests.accounts.gmail_cast import (
    ANA,
    ANA_PASSWORD,
    BEN,
    REDIRECT,
    connect_ana,
    connect_by_consent,
)
from tests.belongings import Belongings
from tests.practice_gmail import PracticeGmail

PACKED_PASSWORD = ANA_PASSWORD.replace(" ", "")


@pytest.fixture
def secrets(
    gmail: PracticeGmail, home: Belongings, settings: Settings, caplog: pytest.LogCaptureFixture
) -> dict[str, str]:
    """Every secret of a workspace with a client of its own and two accounts, one of each kind."""
    caplog.set_level(logging.DEBUG)
    client = home.of(OAuthClient)
    client.client_id = settings.GOOGLE["client_id"]
    client.sealed_secret = sealed.CLIENT_SECRET.seal(client, settings.GOOGLE["client_secret"])
    client.save()
    settings.GOOGLE = {**settings.GOOGLE, "client_id": "", "client_secret": ""}
    connect_ana(home.workspace)
    granted = connect_by_consent(gmail, home.workspace, BEN)
    GmailAccount.objects.filter(pk=granted.pk).update(access_token_expires_at=None)
    for account in GmailAccount.objects.filter(address__in=[ANA, BEN]):
        sessions.open_smtp(account, timezone.now()).close()
    granted.refresh_from_db()
    return {
        "app password": PACKED_PASSWORD,
        "app password as typed": ANA_PASSWORD,
        "refresh token": sealed.ACCOUNT_SECRET.open(granted),
        "access token": sealed.ACCESS_TOKEN.open(granted),
        "client secret": sealed.CLIENT_SECRET.open(client),
        "vault key": settings.VAULT_KEYS[0],
    }


def found_in(text: str, secrets: dict[str, str]) -> list[str]:
    return [name for name, secret in secrets.items() if secret in text]


def everything_logged(caplog: pytest.LogCaptureFixture) -> str:
    """What the fixtures logged included, with tracebacks."""
    records = [*caplog.get_records("setup"), *caplog.get_records("call")]
    return "\n".join(logging.Formatter().format(record) for record in records)


def test_it_writes_no_secret_into_the_log(
    secrets: dict[str, str],
    gmail: PracticeGmail,
    owner_client: Client,
    caplog: pytest.LogCaptureFixture,
) -> None:
    granted = GmailAccount.objects.get(address=BEN)
    owner_client.post(
        reverse("admin:gmail_connect"),
        {
            "google-address": ANA,
            "google-password": ANA_PASSWORD,
            "google-smtp_security": "starttls",
        },
    )
    connect.disconnect(granted)
    logged = everything_logged(caplog)
    assert "POST /token" in logged
    assert "POST /revoke" in logged
    assert found_in(logged, secrets) == []


def test_it_shows_no_secret_on_any_page_of_an_account(
    secrets: dict[str, str], owner_client: Client
) -> None:
    pages = [reverse(f"admin:{name}") for name in ("gmail_connect", "gmail_client", "index")]
    pages.append(reverse("admin:accounts_gmailaccount_changelist"))
    for account in GmailAccount.objects.filter(address__in=[ANA, BEN]):
        pages += [
            reverse("admin:accounts_gmailaccount_change", args=[account.pk]),
            reverse("admin:accounts_gmailaccount_history", args=[account.pk]),
            reverse("admin:gmail_again", args=[account.pk]),
            reverse("admin:gmail_disconnect", args=[account.pk]),
        ]
    for page in pages:
        response = owner_client.get(page)
        assert response.status_code == 200, page
        content = response.content.decode()
        assert found_in(content, secrets) == [], page
        # Not even sealed.
        for account in GmailAccount.objects.exclude(sealed_secret=""):
            assert account.sealed_secret not in content, page


def test_it_dumps_no_secret(secrets: dict[str, str]) -> None:
    out = StringIO()
    call_command("dumpdata", stdout=out)
    dump = out.getvalue()
    assert ANA in dump
    assert found_in(dump, secrets) == []


class Broken(RuntimeError):
    """What no code of ours expects."""


def break_it(*args: Any, **kwargs: Any) -> None:
    raise Broken("out of order")


@pytest.fixture(params=[False, True], ids=["debug-off", "debug-on"])
def debug(request: pytest.FixtureRequest, settings: Settings) -> bool:
    settings.DEBUG = request.param
    return bool(request.param)


def report(error: Exception) -> str:
    """What Django would mail, or show with DEBUG, of an error, from the first frame of ours on."""
    traceback = error.__traceback__
    while traceback is not None and "/tests/" in traceback.tb_frame.f_code.co_filename:
        traceback = traceback.tb_next
    reporter = ExceptionReporter(None, type(error), error, traceback)
    return str(reporter.get_traceback_html()) + str(reporter.get_traceback_text())


@pytest.mark.parametrize("place", ["login", "exchange", "refresh", "check"])
def test_it_reports_no_secret_of_an_error_that_nobody_expected(
    secrets: dict[str, str],
    gmail: PracticeGmail,
    home: Belongings,
    monkeypatch: pytest.MonkeyPatch,
    settings: Settings,
    debug: bool,
    place: str,
) -> None:
    """The worst case: it breaks in the innermost function, every secret in a variable above."""
    from accounts.endpoints import google_endpoints
    from accounts.google_client import keep_client

    granted = GmailAccount.objects.get(address=BEN)
    session: dict[str, Any] = {}
    answer = gmail.consent(connect.start_oauth(session, home.workspace, REDIRECT), account=BEN)
    client_id = google_endpoints(home.workspace).client_id

    def renew() -> None:
        GmailAccount.objects.update(access_token_expires_at=None)
        tokens.access_token(granted, timezone.now())

    places = {
        "login": lambda: connect_ana(home.workspace),
        "exchange": lambda: connect.finish_oauth(session, home.workspace, answer, timezone.now()),
        "refresh": renew,
        "check": lambda: keep_client(
            home.workspace,
            client_id,
            secrets["client secret"],
            google_endpoints(home.workspace),
        ),
    }
    monkeypatch.setattr("gmail.smtp._expect_login", break_it)
    monkeypatch.setattr("requests.Session.send", break_it)
    with pytest.raises(Broken) as caught:
        places[place]()
    shown = report(caught.value)
    assert "out of order" in shown
    assert found_in(shown, secrets) == []
    assert gmail.app_password(ANA) == PACKED_PASSWORD


@pytest.mark.parametrize("debug_on", [False, True])
def test_it_shows_no_secret_on_an_error_page(
    secrets: dict[str, str],
    owner_client: Client,
    monkeypatch: pytest.MonkeyPatch,
    settings: Settings,
    caplog: pytest.LogCaptureFixture,
    debug_on: bool,
) -> None:
    settings.DEBUG = debug_on
    owner_client.raise_request_exception = False
    monkeypatch.setattr(SmtpSession, "open", break_it)
    monkeypatch.setattr(oauth, "check_client", break_it)
    account = GmailAccount.objects.get(address=ANA)
    posts = [
        (
            reverse("admin:gmail_connect"),
            {
                "google-address": ANA,
                "google-password": ANA_PASSWORD,
                "google-smtp_security": "ssl",
            },
        ),
        (reverse("admin:gmail_again", args=[account.pk]), {"password": ANA_PASSWORD}),
        (
            reverse("admin:gmail_client"),
            {
                "client_id": OAuthClient.objects.get(workspace=account.workspace).client_id,
                "client_secret": secrets["client secret"],
            },
        ),
    ]
    for url, fields in posts:
        response = owner_client.post(url, fields)
        assert response.status_code == 500, url
        content = response.content.decode()
        assert ("Broken" in content) == debug_on
        assert found_in(content, secrets) == [], url
    assert found_in(everything_logged(caplog), secrets) == []
