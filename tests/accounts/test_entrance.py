"""Logging in and out, and passwords."""

import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from django.core.mail import EmailMessage
from django.db import connection
from django.test import Client
from django.urls import NoReverseMatch, reverse
from pytest_django import Settings

from accounts.models import GmailAccount, User
from tests.belongings import Belongings
from tests.cast import PASSWORD, client_of

LOGIN = "/account/login/"
RESET = "/account/password/reset/"
NEW = "seven lamps of a harbour"


def log_in(email: str, password: str = PASSWORD, next: str = "") -> Client:
    client = Client()
    client.post(LOGIN, {"login": email, "password": password, "next": next})
    return client


def is_logged_in(client: Client) -> bool:
    return client.get("/people/").status_code == 200


# --- In and out -------------------------------------------------------------------------------


def test_it_logs_in_by_address_in_any_case(owner: User) -> None:
    assert is_logged_in(log_in(owner.email.upper()))


def test_it_leads_back_to_where_the_person_was_going(owner: User) -> None:
    client = Client()
    page = client.get("/people/", follow=True)
    assert page.redirect_chain[-1][0] == "/account/login/?next=/people/"

    answer = client.post(LOGIN, {"login": owner.email, "password": PASSWORD, "next": "/people/"})

    assert answer.headers["Location"] == "/people/"


def test_it_leads_to_no_other_site(owner: User) -> None:
    answer = Client().post(
        LOGIN, {"login": owner.email, "password": PASSWORD, "next": "https://evil.example/"}
    )
    assert answer.headers["Location"] == "/"


def test_it_says_the_same_for_a_wrong_password_and_an_unknown_address(owner: User) -> None:
    answers = [
        Client().post(LOGIN, {"login": email, "password": "wrong"}).text
        for email in (owner.email, "nobody@example.org")
    ]
    sentences = [
        re.findall(r'class="dp-notice dp-danger".*?</div>', text, re.S) for text in answers
    ]

    assert sentences[0] == sentences[1] != []


def test_it_logs_out_only_when_asked_by_a_button(owner_client: Client) -> None:
    assert "Log out?" in owner_client.get("/account/logout/").text
    assert is_logged_in(owner_client)

    owner_client.post("/account/logout/")
    assert not is_logged_in(owner_client)


def test_it_tells_somebody_without_a_workspace_so(db: None) -> None:
    alone = User.objects.create_user("alone@example.org", PASSWORD)

    answer = client_of(alone).get("/", follow=True)

    assert answer.status_code == 403
    assert "You belong to no workspace" in answer.text
    assert "alone@example.org" in answer.text


def test_it_lets_nobody_in_who_is_switched_off(owner: User) -> None:
    User.objects.filter(pk=owner.pk).update(is_active=False)
    assert not is_logged_in(log_in(owner.email))


# --- Rate limits ------------------------------------------------------------------------------

TRY_THREE_TIMES = """
import django; django.setup()
from django.test import Client
for attempt in range(3):
    answer = Client().post("/account/login/", {"login": EMAIL, "password": "wrong"})
    assert answer.status_code == 200, answer
"""


@pytest.mark.django_db(transaction=True)
def test_it_counts_failed_logins_of_all_processes_together(tmp_path: Path) -> None:
    """Five within five minutes for one address: three in one process, the rest in another."""
    User.objects.create_user("ana@example.org", PASSWORD)
    for _process in range(2):
        _in_a_process(TRY_THREE_TIMES.replace("EMAIL", "'ana@example.org'"), tmp_path)

    answer = Client().post(LOGIN, {"login": "ana@example.org", "password": PASSWORD})

    assert answer.status_code == 200
    assert "Too many failed login attempts" in answer.text


def _in_a_process(script: str, data_dir: Path) -> None:
    """Run a script on the database of this test, as another web process would."""
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DAYPOST_DATA_DIR": str(data_dir),
        "DATABASE_URL": _url_of_this_database(),
        "ALLOWED_HOSTS": "testserver",
    }
    subprocess.run([sys.executable, "-c", script], env=environment, check=True, timeout=60)


def _url_of_this_database() -> str:
    name = str(connection.settings_dict["NAME"])
    if connection.vendor == "sqlite":
        return f"sqlite:///{name}"
    server, _slash, _old = os.environ["DATABASE_URL"].partition("?")[0].rpartition("/")
    return f"{server}/{name}?{os.environ['DATABASE_URL'].partition('?')[2]}"


def test_it_stops_a_flood_from_one_place(owner: User) -> None:
    answers = [
        Client().post(LOGIN, {"login": f"{n}@example.org", "password": "wrong"}) for n in range(31)
    ]

    assert answers[-1].status_code == 429
    assert "Too many tries" in answers[-1].text


def test_it_stops_a_flood_behind_a_proxy_without_stopping_others(
    owner: User, settings: Settings
) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    # What a visitor writes into the header stands before what the proxy adds.
    for n in range(31):
        flood = {"X-Forwarded-For": f"198.51.100.{n}, 203.0.113.9"}
        answer = Client().post(LOGIN, {"login": f"{n}@x.org", "password": "no"}, headers=flood)
    assert answer.status_code == 429

    answer = Client().post(
        LOGIN,
        {"login": owner.email, "password": PASSWORD},
        headers={"X-Forwarded-For": "198.51.100.7"},
    )

    assert answer.status_code == 302


@pytest.mark.parametrize(
    ("environment", "count"),
    [
        ({}, "0"),
        ({"PUBLIC_URL": "https://post.example.org"}, "1"),
        ({"PUBLIC_URL": "https://x.org", "ALLAUTH_TRUSTED_PROXY_COUNT": "2"}, "2"),
    ],
)
def test_it_expects_a_proxy_where_there_is_one(
    environment: dict[str, str], count: str, tmp_path: Path
) -> None:
    asked = "from config import settings; print(settings.ALLAUTH_TRUSTED_PROXY_COUNT)"
    answer = subprocess.run(
        [sys.executable, "-c", asked],
        env={**os.environ, "PUBLIC_URL": "", "DAYPOST_DATA_DIR": str(tmp_path), **environment},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert answer.stdout.strip() == count


# --- A forgotten password ---------------------------------------------------------------------


def link_in(mail: EmailMessage) -> str:
    found = re.search(r"http://testserver(/account/password/reset/key/\S+)", str(mail.body))
    assert found
    return found.group(1)


def test_it_mails_a_link_that_sets_a_new_password_once(
    owner: User, mailoutbox: list[EmailMessage]
) -> None:
    client = Client()
    client.post(RESET, {"email": owner.email.upper()})
    assert [mail.to for mail in mailoutbox] == [[owner.email]]
    link = link_in(mailoutbox[0])

    form = client.get(link, follow=True)
    assert "Set your password" in form.text
    done = client.post(
        form.redirect_chain[-1][0], {"password1": NEW, "password2": NEW}, follow=True
    )

    assert "Your password is set" in done.text
    assert is_logged_in(log_in(owner.email, NEW))
    assert not is_logged_in(log_in(owner.email, PASSWORD))
    assert "This link does not work" in Client().get(link, follow=True).text


def test_it_mails_one_person_a_few_links_an_hour_and_a_few_a_day(
    owner: User, mailoutbox: list[EmailMessage]
) -> None:
    start = datetime(2030, 1, 1, tzinfo=UTC)
    mailed = []
    for hour in range(3):
        for minute in range(5):
            with time_machine.travel(start + timedelta(minutes=61 * hour + minute)):
                Client().post(RESET, {"email": owner.email})
        mailed.append(len(mailoutbox))

    assert mailed == [3, 6, 6]


def test_it_mails_few_links_for_one_place(home: Belongings, mailoutbox: list[EmailMessage]) -> None:
    people = [User.objects.create_user(f"person{n}@example.org") for n in range(22)]

    answers = [Client().post(RESET, {"email": person.email}) for person in people]

    assert answers[-1].status_code == 429
    assert len(mailoutbox) == 20


def test_it_mails_a_link_to_the_public_address_whatever_the_request_says(
    owner: User, mailoutbox: list[EmailMessage], settings: Settings
) -> None:
    settings.PUBLIC_URL = "https://post.example.org"
    settings.ALLOWED_HOSTS = ["*"]

    Client().post(RESET, {"email": owner.email}, headers={"Host": "evil.example"})

    body = str(mailoutbox[0].body)
    assert "https://post.example.org/account/password/reset/key/" in body
    assert "evil.example" not in body
    link = body[body.index("/account/password/") :].split()[0]
    assert "Set your password" in Client().get(link, follow=True).text


def test_it_answers_the_same_for_an_address_that_nobody_has(
    owner: User, mailoutbox: list[EmailMessage]
) -> None:
    known = Client().post(RESET, {"email": owner.email}, follow=True)
    unknown = Client().post(RESET, {"email": "nobody@example.org"}, follow=True)

    assert known.redirect_chain == unknown.redirect_chain
    assert known.text == unknown.text
    # And a stranger is not written to.
    assert len(mailoutbox) == 1


def test_it_says_how_to_get_a_link_where_no_mail_can_leave(home: Belongings) -> None:
    assert "password_reset_link" not in Client().get(RESET).text
    GmailAccount.objects.update(state=GmailAccount.State.NEEDS_RECONNECTING)

    for path in (RESET, f"{RESET}done/"):
        assert "manage.py password_reset_link" in Client().get(path).text


def test_it_answers_the_same_when_the_mail_cannot_leave(
    owner: User, settings: object, caplog: pytest.LogCaptureFixture
) -> None:
    settings.EMAIL_BACKEND = "campaigns.delivery.backend.GmailBackend"  # type: ignore[attr-defined]
    GmailAccount.objects.update(state=GmailAccount.State.DISCONNECTED)

    known = Client().post(RESET, {"email": owner.email})
    unknown = Client().post(RESET, {"email": "nobody@example.org"})

    assert known.status_code == unknown.status_code == 302
    assert known.headers["Location"] == unknown.headers["Location"]
    assert "connect a Gmail account" in caplog.text


# --- Changing it ------------------------------------------------------------------------------


def test_it_changes_a_password_and_stays_logged_in(owner: User, owner_client: Client) -> None:
    other_browser = client_of(owner)

    answer = owner_client.post(
        "/account/password/change/",
        {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW},
        follow=True,
    )

    assert "Your password is changed." in answer.text
    assert is_logged_in(owner_client)
    assert not is_logged_in(other_browser)
    assert is_logged_in(log_in(owner.email, NEW))


def test_it_asks_for_the_password_now(owner: User, owner_client: Client) -> None:
    answer = owner_client.post(
        "/account/password/change/", {"oldpassword": "wrong", "password1": NEW, "password2": NEW}
    )

    assert "Please type your current password." in answer.text
    assert is_logged_in(log_in(owner.email, PASSWORD))


@pytest.mark.parametrize(
    "name",
    ["account_email", "account_email_verification_sent", "account_reauthenticate"],
)
def test_it_has_no_page_for_what_daypost_does_not_do(name: str) -> None:
    with pytest.raises(NoReverseMatch):
        reverse(name)
