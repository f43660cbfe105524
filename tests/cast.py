"""The cast of every test about people: owner, team mate, outsider, and what their workspaces hold.

The word of the workspace at home is `zebra`, elsewhere it is `otter`.
"""

import pytest
from django.test import Client

from accounts.models import Membership, User, Workspace
from tests.belongings import Belongings

HOME = "zebra"
ELSEWHERE = "otter"

PASSWORD = "a river under 7 bridges"


def make_belongings(word: str) -> Belongings:
    """A workspace named after `word`, its owner, and one row of every model."""
    owner = User.objects.create_user(f"owner-{word}@example.org", PASSWORD)
    workspace = Workspace.objects.create(name=f"{word} club", postal_address=f"1 {word} Street")
    Membership.objects.create(user=owner, workspace=workspace, role=Membership.Role.OWNER)
    has = Belongings(word, workspace, owner)
    has.everything()
    return has


def client_of(user: User) -> Client:
    """A browser in which `user` is logged in."""
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def home(db: None) -> Belongings:
    return make_belongings(HOME)


@pytest.fixture
def elsewhere(db: None) -> Belongings:
    return make_belongings(ELSEWHERE)


@pytest.fixture
def owner(home: Belongings) -> User:
    return home.owner


@pytest.fixture
def team_mate(home: Belongings) -> User:
    """Somebody who works in the owner's workspace without owning it."""
    mate = User.objects.create_user(f"mate-{HOME}@example.org", PASSWORD)
    Membership.objects.create(user=mate, workspace=home.workspace)
    return mate


@pytest.fixture
def outsider(home: Belongings, elsewhere: Belongings) -> User:
    """Somebody who owns another workspace, and has no business at home."""
    return elsewhere.owner


@pytest.fixture
def owner_client(owner: User) -> Client:
    return client_of(owner)


@pytest.fixture
def team_mate_client(team_mate: User) -> Client:
    return client_of(team_mate)


@pytest.fixture
def outsider_client(outsider: User) -> Client:
    return client_of(outsider)
