"""The people of a workspace: owners add and remove them, members look."""

import re

import pytest
from django.test import Client
from pytest_django import Settings

from accounts.models import Membership, User
from accounts.signup import sign_up
from tests.accounts.test_entrance import NEW, is_logged_in, log_in
from tests.belongings import Belongings
from tests.cast import PASSWORD, client_of

PEOPLE = "/people/"
LINK = re.compile(r"<code>(http://testserver/account/password/reset/key/\S+)</code>")


def add(client: Client, email: str, role: str = "member") -> str:
    return client.post(PEOPLE, {"email": email, "role": role}, follow=True).text


def test_it_adds_a_team_mate_who_sets_a_password_by_a_link(
    home: Belongings, owner_client: Client
) -> None:
    text = add(owner_client, "Ben@Example.org")

    (link,) = LINK.findall(text)
    browser = Client()
    form = browser.get(link, follow=True)
    browser.post(form.redirect_chain[-1][0], {"password1": NEW, "password2": NEW})
    ben = log_in("ben@example.org", NEW)
    assert is_logged_in(ben)
    assert "zebra club" in ben.get(PEOPLE).text
    assert Membership.objects.get(user__email="ben@example.org").role == Membership.Role.MEMBER
    # Once set, there is no link any more.
    assert not LINK.findall(owner_client.get(PEOPLE).text)


def test_it_says_that_somebody_is_there_already(owner_client: Client, team_mate: User) -> None:
    text = add(owner_client, team_mate.email.upper())

    assert "is in this workspace already" in text
    assert f'value="{team_mate.email.upper()}"' in text


def test_it_keeps_what_was_typed_when_it_is_no_address(
    home: Belongings, owner_client: Client
) -> None:
    text = add(owner_client, "ben at example")

    assert "Enter a valid email address." in text
    assert 'value="ben at example"' in text
    assert Membership.objects.count() == 1


def test_it_makes_the_link_for_the_public_address(
    home: Belongings, owner_client: Client, settings: Settings
) -> None:
    settings.PUBLIC_URL = "https://post.example.org"

    text = add(owner_client, "ben@example.org")

    assert "<code>https://post.example.org/account/password/reset/key/" in text
    assert "http://testserver/account" not in text


ELSEWHERE = "already has an account on this Daypost"


def set_password(link: str, password: str) -> bool:
    """Follow a link and set a password there; False where the link does not work."""
    browser = Client()
    form = browser.get(link, follow=True)
    if "This link does not work" in form.text:
        return False
    browser.post(form.redirect_chain[-1][0], {"password1": password, "password2": password})
    return True


def remove(client: Client, email: str) -> None:
    membership = Membership.objects.get(user__email=email)
    client.post(f"/people/{membership.pk}/remove/")


def test_it_adds_nobody_who_has_an_account_elsewhere(
    home: Belongings, elsewhere: Belongings, owner_client: Client
) -> None:
    """Whoever holds it may not be who the address says: nobody confirms an address here."""
    text = add(owner_client, elsewhere.owner.email.upper())

    assert ELSEWHERE in text
    assert elsewhere.workspace.name not in text
    assert f'value="{elsewhere.owner.email.upper()}"' in text
    assert not LINK.findall(text)
    assert elsewhere.owner.memberships.get().workspace == elsewhere.workspace
    assert is_logged_in(log_in(elsewhere.owner.email, PASSWORD))


@pytest.mark.parametrize("has_password", [True, False])
def test_it_lets_nobody_in_by_an_account_made_beforehand_elsewhere(
    has_password: bool, home: Belongings, outsider: User, owner_client: Client
) -> None:
    (link,) = LINK.findall(add(client_of(outsider), "ben@example.org"))
    if has_password:
        assert set_password(link, NEW)

    text = add(owner_client, "ben@example.org")

    assert ELSEWHERE in text
    ben = User.objects.get(email="ben@example.org")
    assert not ben.memberships.filter(workspace=home.workspace).exists()


@pytest.mark.parametrize("has_password", [True, False])
def test_it_starts_an_account_afresh_that_belongs_to_no_workspace(
    has_password: bool, home: Belongings, outsider: User, owner_client: Client
) -> None:
    """What an earlier workspace knew of it opens nothing: neither link, password nor log-in."""
    theirs = client_of(outsider)
    (old_link,) = LINK.findall(add(theirs, "ben@example.org"))
    if has_password:
        assert set_password(old_link, NEW)
    logged_in = client_of(User.objects.get(email="ben@example.org"))
    remove(theirs, "ben@example.org")

    (link,) = LINK.findall(add(owner_client, "ben@example.org"))

    assert not set_password(old_link, "the stranger's own 9")
    assert not is_logged_in(log_in("ben@example.org", NEW))
    assert not is_logged_in(logged_in)
    assert set_password(link, "a kettle on the hill")
    assert is_logged_in(log_in("ben@example.org", "a kettle on the hill"))


def test_it_leads_nobody_into_a_workspace_who_signed_up_with_the_address_of_another(
    home: Belongings, owner_client: Client, settings: object
) -> None:
    settings.SIGNUP_OPEN = True  # type: ignore[attr-defined]
    stranger = sign_up("ben@example.org", NEW, "Somebody's").user

    assert ELSEWHERE in add(owner_client, "ben@example.org")
    assert home.workspace.name not in client_of(stranger).get(PEOPLE).text


def test_it_shows_members_everybody_but_lets_them_change_nothing(
    owner: User, team_mate: User, team_mate_client: Client, owner_client: Client
) -> None:
    add(owner_client, "ben@example.org")
    owners = Membership.objects.get(user=owner)

    text = team_mate_client.get(PEOPLE).text
    assert owner.email in text and team_mate.email in text
    assert not LINK.findall(text)
    assert "<form" not in text.partition("<main")[2]

    assert team_mate_client.post(PEOPLE, {"email": "x@example.org"}).status_code == 403
    for ask in (team_mate_client.get, team_mate_client.post):
        assert ask(f"/people/{owners.pk}/remove/").status_code == 403
    assert Membership.objects.filter(pk=owners.pk).exists()
    assert not User.objects.filter(email="x@example.org").exists()


def test_it_removes_somebody_at_once(owner_client: Client, team_mate: User) -> None:
    theirs = client_of(team_mate)
    assert is_logged_in(theirs)
    membership = Membership.objects.get(user=team_mate)

    asked = owner_client.get(f"/people/{membership.pk}/remove/").text
    assert "Remove mate-zebra@example.org?" in asked
    done = owner_client.post(f"/people/{membership.pk}/remove/", follow=True).text

    assert "mate-zebra@example.org is no longer in this workspace." in done
    assert not is_logged_in(theirs)


def test_it_never_removes_the_last_owner(
    owner: User, team_mate: User, owner_client: Client
) -> None:
    mine = Membership.objects.get(user=owner)

    refused = owner_client.post(f"/people/{mine.pk}/remove/", follow=True).text
    assert "The last owner stays" in refused
    assert Membership.objects.filter(pk=mine.pk).exists()

    add(owner_client, "cleo@example.org", "owner")
    owner_client.post(f"/people/{mine.pk}/remove/")
    assert not Membership.objects.filter(pk=mine.pk).exists()


@pytest.mark.parametrize("role", ["", "emperor"])
def test_it_knows_no_other_roles(role: str, home: Belongings, owner_client: Client) -> None:
    add(owner_client, "ben@example.org", role)

    assert not User.objects.filter(email="ben@example.org").exists()
