"""`create_owner` and `password_reset_link`."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from accounts.models import Membership, User, Workspace
from tests.accounts.test_entrance import NEW, is_logged_in, log_in
from tests.belongings import Belongings
from tests.cast import PASSWORD

pytestmark = pytest.mark.django_db


@pytest.fixture
def password_file(tmp_path: Path) -> str:
    file = tmp_path / "password"
    file.write_text(f"{PASSWORD}\n")
    return str(file)


def test_it_says_where_to_look_when_there_is_no_daypost_yet() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE accounts_workspace RENAME TO elsewhere")
    with pytest.raises(CommandError, match="no Daypost here yet"):
        call("forecast")


def call(*arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def test_it_makes_an_owner_and_a_workspace(password_file: str) -> None:
    answer = call(
        "create_owner",
        "Ana@Example.org",
        f"--password-file={password_file}",
        "--workspace=Seaside Choir",
        "--postal-address=1 Pier Road",
        "--json",
    )

    assert json.loads(answer) == {"user": "ana@example.org", "workspace": "Seaside Choir"}
    membership = Membership.objects.get()
    assert membership.role == Membership.Role.OWNER
    assert membership.workspace.postal_address == "1 Pier Road"
    assert is_logged_in(log_in("ana@example.org", PASSWORD))


def test_it_names_the_workspace_where_nobody_does(password_file: str) -> None:
    answer = call("create_owner", "ana@example.org", f"--password-file={password_file}")

    assert answer == "ana@example.org owns the workspace My workspace.\n"


@pytest.mark.parametrize(
    ("email", "password", "workspace", "sentence"),
    [
        ("ana at example", PASSWORD, "New", "Enter a valid email address."),
        ("ana@example.org", "short", "New", "This password is too short."),
        ("ana@example.org", "", "New", "This password is too short."),
        ("OWNER-zebra@example.org", PASSWORD, "New", "There is already an account"),
        ("ana@example.org", PASSWORD, "Zebra Club", "There is already a workspace"),
    ],
)
def test_it_makes_nothing_when_something_is_wrong(
    email: str, password: str, workspace: str, sentence: str, home: Belongings, tmp_path: Path
) -> None:
    file = tmp_path / "password"
    file.write_text(password)

    with pytest.raises(CommandError, match=sentence) as caught:
        call("create_owner", email, f"--password-file={file}", f"--workspace={workspace}")

    assert "\n" not in str(caught.value)
    assert User.objects.count() == Workspace.objects.count() == 1


def test_it_says_that_the_password_file_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be read"):
        call("create_owner", "ana@example.org", f"--password-file={tmp_path / 'none'}")


def test_it_prints_a_link_that_sets_a_new_password(owner: User) -> None:
    link = call("password_reset_link", owner.email.upper()).strip()

    assert link.startswith("http://localhost:8000/account/password/reset/key/")
    browser = Client()
    form = browser.get(link.removeprefix("http://localhost:8000"), follow=True)
    browser.post(form.redirect_chain[-1][0], {"password1": NEW, "password2": NEW})
    assert is_logged_in(log_in(owner.email, NEW))


def test_it_prints_the_public_address_where_there_is_one(owner: User, settings: Any) -> None:
    settings.PUBLIC_URL = "https://mail.example.org"

    assert call("password_reset_link", owner.email).startswith("https://mail.example.org/account/")


def test_it_prints_no_link_for_nobody(home: Belongings) -> None:
    with pytest.raises(CommandError, match="Nobody here has the address"):
        call("password_reset_link", "nobody@example.org")
