"""Name, postal address and time zone of a workspace, and choosing among several."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import Membership, User, Workspace
from tests.belongings import Belongings

SETTINGS = "/settings/"
FILLED: dict[str, Any] = {
    "name": "Pier Café",
    "postal_address": "1 Pier Road",
    "time_zone": "Europe/London",
    "soft_bounces": 5,
}


def values(workspace: Workspace) -> dict[str, Any]:
    return Workspace.objects.filter(pk=workspace.pk).values(*FILLED)[0]


def test_it_saves_what_the_owner_writes(home: Belongings, owner_client: Client) -> None:
    text = owner_client.post(SETTINGS, FILLED, follow=True).text

    assert "The settings are saved." in text
    assert values(home.workspace) == FILLED


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"name": ""}, "This field is required."),
        ({"name": "otter club"}, "Workspace with this Name already exists."),
        ({"time_zone": "Middle/Earth"}, "Middle/Earth is not a time zone."),
        ({"soft_bounces": "-1"}, "greater than or equal to 0"),
    ],
)
def test_it_says_what_is_wrong_keeps_what_was_typed_and_saves_nothing(
    changes: dict[str, str],
    sentence: str,
    home: Belongings,
    elsewhere: Belongings,
    owner_client: Client,
) -> None:
    before = values(home.workspace)

    text = owner_client.post(SETTINGS, FILLED | changes).text

    assert sentence in text
    assert "1 Pier Road" in text
    assert values(home.workspace) == before
    # The menu names the workspace as it is, not as it was refused.
    assert "zebra club" in text.partition("<main")[0]


def test_it_shows_members_the_settings_without_a_form(
    home: Belongings, team_mate_client: Client
) -> None:
    text = team_mate_client.get(SETTINGS).text.partition("<main")[2]

    assert "1 zebra Street" in text
    assert "<form" not in text
    before = values(home.workspace)
    assert team_mate_client.post(SETTINGS, FILLED).status_code == 403
    assert values(home.workspace) == before


# --- Several workspaces -----------------------------------------------------------------------


@pytest.fixture
def also_elsewhere(owner: User, elsewhere: Belongings) -> Belongings:
    """The owner of home belongs to the other workspace too, as a member."""
    Membership.objects.create(user=owner, workspace=elsewhere.workspace)
    return elsewhere


def test_it_offers_no_choice_where_there_is_none(home: Belongings, owner_client: Client) -> None:
    assert "/workspace/" not in owner_client.get("/people/").text


def test_it_works_in_the_chosen_workspace_until_another_is_chosen(
    home: Belongings, also_elsewhere: Belongings, owner_client: Client
) -> None:
    contacts = "/campaigns/contact/"
    assert "zebra@example.com" in owner_client.get(contacts).text

    owner_client.post("/workspace/", {"workspace": also_elsewhere.workspace.pk})

    text = owner_client.get(contacts).text
    assert "otter@example.com" in text
    assert "zebra@example.com" not in text
    # Who owns one workspace may still only look in the other.
    assert owner_client.post("/people/", {"email": "x@example.org"}).status_code == 403


@pytest.mark.parametrize("chosen", ["", "x", "-1", "999999", "²"])
def test_it_answers_404_for_a_workspace_that_is_none(
    chosen: str, home: Belongings, owner_client: Client
) -> None:
    assert owner_client.post("/workspace/", {"workspace": chosen}).status_code == 404


def test_it_answers_404_for_the_workspace_of_others(
    home: Belongings, elsewhere: Belongings, owner_client: Client
) -> None:
    answer = owner_client.post("/workspace/", {"workspace": elsewhere.workspace.pk})

    assert answer.status_code == 404
    assert "otter" not in owner_client.get("/campaigns/contact/").text


def test_it_chooses_only_by_a_button(owner_client: Client, also_elsewhere: Belongings) -> None:
    assert (
        owner_client.get("/workspace/", {"workspace": also_elsewhere.workspace.pk}).status_code
        == 405
    )


def test_it_forgets_a_choice_that_is_no_longer_open(
    owner: User, home: Belongings, also_elsewhere: Belongings, owner_client: Client
) -> None:
    owner_client.post("/workspace/", {"workspace": also_elsewhere.workspace.pk})
    Membership.objects.get(user=owner, workspace=also_elsewhere.workspace).delete()

    text = owner_client.get("/campaigns/contact/").text

    assert "zebra@example.com" in text
    assert "otter@example.com" not in text
