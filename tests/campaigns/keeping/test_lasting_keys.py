"""The keys that are never changed, on the way of a backup from one machine to another."""

from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from campaigns import lasting_keys
from campaigns.contacts.suppressing import suppress
from campaigns.models import Contact, KeyMark, Suppression
from campaigns.models.address_hash import address_hash
from tests.campaigns.keeping.test_backup import data_dir, run  # noqa: F401  a fixture
from tests.campaigns.making import make_workspace

pytestmark = pytest.mark.django_db(transaction=True)

NEVER = "never@example.org"


@pytest.fixture(autouse=True)
def from_files(data_dir: Path, settings: Any) -> Path:  # noqa: F811
    """The keys in use are those of the files, as where nothing is set in the environment."""
    for name in lasting_keys.NAMES:
        _in_file(settings, name).write_text(f"{getattr(settings, name)}\n")
        KeyMark.objects.update_or_create(name=name, defaults={"mark": lasting_keys.mark(name)})
    return data_dir


def _in_file(settings: Any, name: str) -> Path:
    file: Path = settings.KEYS_DIR / name.lower()
    return file


def another_machine(settings: Any) -> None:
    """Its keys are its own, and what it holds was made with them."""
    for name in lasting_keys.NAMES:
        setattr(settings, name, f"another {name}")
        _in_file(settings, name).write_text(f"another {name}\n")
        KeyMark.objects.filter(name=name).update(mark=lasting_keys.mark(name))


@pytest.mark.parametrize("name", lasting_keys.NAMES)
def test_it_restores_nothing_that_was_made_with_another(
    tmp_path: Path, settings: Any, name: str
) -> None:
    suppress(make_workspace(), [NEVER])
    run("backup", tmp_path / "b")
    setattr(settings, name, "another")
    _in_file(settings, name).write_text("another")
    KeyMark.objects.filter(name=name).update(mark=lasting_keys.mark(name))
    Suppression.objects.all().delete()

    refused = f"(?s){name} of this instance.*{name.lower()}.*Nothing was changed"
    with pytest.raises(CommandError, match=refused):
        run("restore", tmp_path / "b", "--yes")
    assert not Suppression.objects.exists()
    assert lasting_keys.wrong() == []


def test_it_carries_them_where_that_was_asked_for(tmp_path: Path, settings: Any) -> None:
    suppress(make_workspace(), [NEVER])
    theirs = {name: getattr(settings, name) for name in lasting_keys.NAMES}
    run("backup", tmp_path / "b", "--with-keys")
    another_machine(settings)

    run("restore", tmp_path / "b", "--yes")
    for name in lasting_keys.NAMES:
        assert _in_file(settings, name).read_text().strip() == theirs[name]
        (old,) = settings.KEYS_DIR.glob(f"{name.lower()}.before-*")
        assert old.read_text().strip() == f"another {name}"
        assert old.stat().st_mode & 0o777 == 0o600
    # What the next start reads.
    for name, key in theirs.items():
        setattr(settings, name, key)
    assert lasting_keys.wrong() == []
    assert Suppression.objects.get().email_hash == address_hash(NEVER)


def test_the_environment_wins_and_is_refused_where_it_does_not_fit(
    tmp_path: Path, settings: Any
) -> None:
    run("backup", tmp_path / "b", "--with-keys")
    settings.SUPPRESSION_KEY = "set in the environment"
    with pytest.raises(CommandError, match="SUPPRESSION_KEY of this instance"):
        run("restore", tmp_path / "b", "--yes")
    assert not list(settings.KEYS_DIR.glob("*.before-*"))


def test_an_older_backup_is_brought_up_to_date_with_the_keys_it_brings(
    tmp_path: Path, settings: Any
) -> None:
    """Its migrations hash the addresses: under the key that stays."""
    before_hashes = [("campaigns", "0006_what_comes_back")]
    latest = MigrationExecutor(connection).loader.graph.leaf_nodes()
    workspace = make_workspace()
    Contact.objects.create(workspace=workspace, email=NEVER)
    Contact.objects.update(email_hash="")
    theirs = settings.SUPPRESSION_KEY
    MigrationExecutor(connection).migrate(before_hashes)
    run("backup", tmp_path / "old", "--with-keys")
    MigrationExecutor(connection).migrate(latest)
    another_machine(settings)

    run("restore", tmp_path / "old", "--yes")
    settings.SUPPRESSION_KEY = theirs
    assert Contact.objects.get().email_hash == address_hash(NEVER)
    assert "SUPPRESSION_KEY" not in lasting_keys.wrong()
