"""The people of a workspace: owners add and remove them, members look."""

import re

import pytest
from django.test import Client

from accounts.models import Membership, User
from tests.accounts.test_entrance import NEW, is_logged_in, log_in
from tests.cast import PASSWORD, Belongings, client_of

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


def test_it_gives_no_link_to_an_account_that_has_a_password(
    home: Belongings, outsider: User, owner_client: Client
) -> None:
    """Else an owner could take over the account of somebody who works elsewhere too."""
    text = add(owner_client, outsider.email)

    assert "They have an account here" in text
    assert not LINK.findall(text)
    assert is_logged_in(log_in(outsider.email, PASSWORD))


def test_it_gives_no_link_to_an_account_that_was_invited_elsewhere_too(
    home: Belongings, outsider: User, owner_client: Client
) -> None:
    add(client_of(outsider), "ben@example.org")

    text = add(owner_client, "ben@example.org")

    assert "They were invited elsewhere too" in text
    assert not LINK.findall(text)
    assert not LINK.findall(client_of(outsider).get(PEOPLE).text)


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
