"""The first person owns the instance; after that sign-up is closed unless a setting opens it."""

import threading
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts.models import Membership, User, Workspace
from accounts.signup import SignupClosed, sign_up
from tests.belongings import Belongings
from tests.cast import PASSWORD

SIGNUP = "/account/signup/"


def filled(**changes: str) -> dict[str, str]:
    return {
        "email": "Ana@Example.org",
        "password1": PASSWORD,
        "password2": PASSWORD,
        "workspace_name": "Seaside Choir",
    } | changes


@pytest.mark.django_db
def test_it_welcomes_the_first_person_instead_of_asking_them_to_log_in() -> None:
    response = Client().get("/", follow=True)

    assert response.redirect_chain[-1][0] == SIGNUP
    assert "Welcome to Daypost" in response.text


@pytest.mark.django_db
def test_it_sends_the_first_person_on_from_the_login_page_too() -> None:
    assert Client().get("/account/login/").headers["Location"] == SIGNUP


@pytest.mark.django_db
def test_it_makes_person_workspace_and_ownership_and_logs_in() -> None:
    client = Client()

    response = client.post(SIGNUP, filled(), follow=True)

    membership = Membership.objects.get()
    assert membership.role == Membership.Role.OWNER
    assert membership.user.email == "ana@example.org"
    assert membership.workspace.name == "Seaside Choir"
    assert response.redirect_chain[-1][0] == "/"
    assert client.get(reverse("admin:people")).status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"email": "ana at example"}, "Enter a valid email address."),
        ({"password2": "another river"}, "You must type the same password each time."),
        ({"password1": "12345678", "password2": "12345678"}, "This password is entirely numeric."),
        ({"workspace_name": "  "}, "This field is required."),
        ({"workspace_name": "x" * 201}, "at most 200 characters"),
    ],
)
def test_it_says_what_is_wrong_and_keeps_what_was_typed(
    changes: dict[str, str], sentence: str
) -> None:
    response = Client().post(SIGNUP, filled(**changes))

    assert response.status_code == 200
    assert sentence in response.text
    assert f'value="{filled(**changes)["email"]}"' in response.text
    assert not User.objects.exists()
    assert not Workspace.objects.exists()


def test_it_is_closed_once_somebody_owns_the_instance(home: Belongings) -> None:
    for ask in (Client().get, Client().post):
        response = ask(SIGNUP, filled())
        assert "Sign-up is closed" in response.text
    assert User.objects.count() == 1


def test_it_gives_each_new_person_a_workspace_where_sign_up_is_open(
    home: Belongings, settings: Any
) -> None:
    settings.SIGNUP_OPEN = True

    Client().post(SIGNUP, filled())

    joined = Membership.objects.get(user__email="ana@example.org")
    assert joined.workspace.name == "Seaside Choir"
    assert joined.role == Membership.Role.OWNER


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"email": "OWNER-zebra@example.org"}, "already registered"),
        ({"workspace_name": "ZEBRA club"}, "There is already a workspace with this name."),
    ],
)
def test_it_says_what_is_taken_where_sign_up_is_open(
    changes: dict[str, str], sentence: str, home: Belongings, settings: Any
) -> None:
    settings.SIGNUP_OPEN = True

    response = Client().post(SIGNUP, filled(**changes))

    assert sentence in response.text
    assert User.objects.count() == Workspace.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_it_lets_exactly_one_of_several_first_persons_win() -> None:
    for _round in range(5):
        outcomes = _sign_up_at_once(["ana@example.org", "ben@example.org", "cleo@example.org"])

        assert sorted(outcomes) == ["closed", "closed", "owner"]
        assert User.objects.count() == Workspace.objects.count() == 1
        Workspace.objects.all().delete()
        User.objects.all().delete()


def _sign_up_at_once(emails: list[str]) -> list[str]:
    outcomes: list[str] = []
    together = threading.Barrier(len(emails))

    def sign_up_as(email: str) -> None:
        try:
            connection.ensure_connection()
            together.wait(timeout=20)
            sign_up(email, PASSWORD, f"Club of {email}")
            outcomes.append("owner")
        except SignupClosed:
            outcomes.append("closed")
        finally:
            connection.close()

    threads = [threading.Thread(target=sign_up_as, args=[email]) for email in emails]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return outcomes


@pytest.mark.django_db
def test_it_tells_the_one_who_came_second(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between looking and signing up, somebody else became the owner."""
    from accounts import forms

    def first_somebody_else(*args: str) -> Membership:
        sign_up("ben@example.org", PASSWORD, "Ben's club")
        return sign_up(*args)

    monkeypatch.setattr(forms, "sign_up", first_somebody_else)
    response = Client().post(SIGNUP, filled())

    assert "Sign-up is closed" in response.text
    assert [user.email for user in User.objects.all()] == ["ben@example.org"]
