"""With a key that the database was not made with, nobody who opted out would be known again."""

import io
import json
import logging
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from campaigns import lasting_keys
from campaigns.contacts.suppressing import suppress
from campaigns.delivery.claim import claim_next, take_account
from campaigns.models import Contact, KeyMark, Message, Suppression
from campaigns.models.address_hash import address_hash
from campaigns.planning.sharing import Reason, Turn
from tests.campaigns.making import make_account, make_campaign, make_workspace

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def marks() -> None:
    """As the migration leaves them, whatever a test before emptied."""
    for name in lasting_keys.NAMES:
        KeyMark.objects.update_or_create(name=name, defaults={"mark": lasting_keys.mark(name)})


def test_it_knows_its_own_keys() -> None:
    assert lasting_keys.wrong() == []
    assert lasting_keys.fit()
    call_command("check", "--database", "default")


@pytest.mark.parametrize(("name", "id"), [("SUPPRESSION_KEY", "E002"), ("TOKEN_KEY", "E003")])
def test_it_does_not_start_with_another(
    name: str, id: str, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    assert lasting_keys.fit()
    setattr(settings, name, "another")
    assert lasting_keys.wrong() == [name]
    with caplog.at_level(logging.ERROR):
        assert not lasting_keys.fit()
    assert f"Nothing is sent. {name} is not the key that this database was made with" in caplog.text
    # What `make run` and `config.run` begin with, on every machine.
    with pytest.raises(CommandError, match=rf"campaigns\.{id}.*\n.*{name.lower()}"):
        call_command("migrate", "--verbosity", "0", skip_checks=False)


@pytest.mark.parametrize("name", lasting_keys.NAMES)
def test_it_sends_nothing_with_another(name: str, settings: Any) -> None:
    account = make_account(make_workspace())
    make_campaign(account.workspace, [account], recipients=2)
    suppress(account.workspace, [Message.objects.first().to_email])  # type: ignore[union-attr]
    now = timezone.now()
    right = getattr(settings, name)
    setattr(settings, name, "another")
    take_account(account.pk, "me", now)
    assert claim_next(account.pk, "me", now, 5) == Turn(None, None, Reason.HALTED)
    assert set(Message.objects.values_list("state", flat=True)) == {Message.State.WAITING}

    setattr(settings, name, right)
    claims = claim_next(account.pk, "me", now, 5)
    assert isinstance(claims, list)
    assert [claim.suppressed for claim in claims] == [True, False]


def test_it_asks_the_database_once(settings: Any, django_assert_num_queries: Any) -> None:
    assert lasting_keys.fit()
    with django_assert_num_queries(0):
        assert lasting_keys.fit()


def test_its_mark_does_not_give_the_key_away() -> None:
    marks = set(KeyMark.objects.values_list("mark", flat=True))
    assert len(marks) == 2
    assert all(len(mark) == 64 for mark in marks)


def test_where_a_key_is_lost_another_is_accepted(settings: Any) -> None:
    workspace = make_workspace()
    Contact.objects.create(workspace=workspace, email="ana@example.org")
    suppress(workspace, ["ana@example.org", "erased@example.org"])
    Suppression.objects.filter(email_key__startswith="erased").update(email_key="")
    assert accept_keys() == {"accepted": [], "not_known_again": 0}
    settings.SUPPRESSION_KEY = "another"
    # By whoever went on with the wrong key.
    suppress(workspace, ["ana@example.org"], "once more")
    with pytest.raises(CommandError, match="say --yes"):
        accept_keys()
    assert lasting_keys.wrong() == ["SUPPRESSION_KEY"]

    assert accept_keys("--yes") == {"accepted": ["SUPPRESSION_KEY"], "not_known_again": 1}
    assert lasting_keys.fit()
    hashed = address_hash("ana@example.org")
    assert Contact.objects.get().email_hash == hashed
    assert Suppression.objects.exclude(email_key="").get().email_hash == hashed


def accept_keys(*arguments: str) -> dict[str, Any]:
    out = io.StringIO()
    call_command("accept_keys", "--json", *arguments, stdout=out)
    answer: dict[str, Any] = json.loads(out.getvalue())
    return answer
