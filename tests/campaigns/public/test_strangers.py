"""What holds for every address that recipients can reach, also for one that is added later.

`tests/site_map.py` leaves them to these tests: whoever has a token may open them, in whichever
workspace, and nobody without one learns anything.
"""

from collections.abc import Iterator

import pytest
from django.db import connection
from django.db.models import Model
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.tenancy import visible
from campaigns import tokens
from campaigns.models import Message, Suppression
from campaigns.public.urls import urlpatterns
from campaigns.tokens import Purpose
from tests.belongings import Belongings, our_models
from tests.campaigns.public.recipients import UNKNOWN, stranger
from tests.cast import HOME

pytestmark = pytest.mark.django_db

# By whose tokens they are opened; the others take none.
PURPOSES = {
    "leave": Purpose.LEAVE,
    "take_back": Purpose.LEAVE,
    "preferences": Purpose.LEAVE,
    "view": Purpose.VIEW,
    "open": Purpose.OPEN,
    "click": Purpose.CLICK,
}
# What they show belongs to nobody: test_reachable.py.
WITHOUT_TOKEN = {"nothing", "reachable"}
# To look is what they are there to count: test_track.py.
COUNTS_LOOKS = {"open", "click"}


def paths(message: Message | None) -> Iterator[tuple[str, str]]:
    for pattern in urlpatterns:
        if pattern.name in WITHOUT_TOKEN:
            continue
        token = tokens.make(PURPOSES[pattern.name or ""], message.pk) if message else UNKNOWN
        number = {"number": 1} if pattern.name == "click" else {}
        path = reverse(f"public:{pattern.name}", kwargs={"token": token} | number)
        yield pattern.name or "", path


def everything(home: Belongings) -> dict[type[Model], list[dict[str, object]]]:
    return {
        model: list(visible(model._default_manager.all(), home.workspace).order_by("pk").values())
        for model in our_models()
    }


def test_it_opens_to_whoever_has_the_token(home: Belongings) -> None:
    for _name, path in paths(home.of(Message)):
        assert stranger().get(path).status_code in {200, 302}


def test_it_changes_nothing_when_it_is_looked_at(home: Belongings) -> None:
    before = everything(home)
    for name, path in paths(home.of(Message)):
        if name not in COUNTS_LOOKS:
            stranger().get(path)
        stranger().head(path)
    assert everything(home) == before


def test_it_tells_nobody_without_a_token_anything(home: Belongings) -> None:
    for _name, path in paths(None):
        response = stranger().get(path)
        assert response.status_code == 404
        assert HOME not in response.content.decode()


def test_it_does_not_ask_who_is_there(home: Belongings) -> None:
    """No session, no user: nothing that could be slow, or tell people apart."""
    for _name, path in paths(home.of(Message)):
        with CaptureQueriesContext(
            connection,
        ) as asked:
            stranger().get(path)
        assert not [query for query in asked if "django_session" in query["sql"]]
        assert not [query for query in asked if "accounts_user" in query["sql"]]


def test_it_cannot_be_told_which_message_a_token_is_of(home: Belongings) -> None:
    """Tokens of messages that follow one another have nothing in common that counts."""
    made = [tokens.make(Purpose.LEAVE, number) for number in range(1, 200)]
    assert len({token[:4] for token in made}) > 190


@pytest.mark.parametrize("name", ["leave", "take_back", "preferences"])
def test_under_another_key_nothing_is_noted_where_nobody_looks(
    home: Belongings, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """A mail program tries again; a page asks to."""
    monkeypatch.setattr("campaigns.lasting_keys.fit", lambda: False)
    path = reverse(f"public:{name}", args=[tokens.make(Purpose.LEAVE, home.of(Message).pk)])
    before = Suppression.objects.count()
    answer = stranger().post(path, {"choice": "none"})
    assert answer.status_code == 503
    assert b"Nothing was changed" in answer.content
    assert Suppression.objects.count() == before
