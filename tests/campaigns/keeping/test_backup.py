"""A backup is made while others write, and restored whole or not at all."""

import io
import json
import os
import subprocess
import sys
import threading
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.apps import apps
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.db import connection, connections, transaction
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from accounts import generation, halts, sealed
from accounts.halts import Cause
from accounts.models import Generation, GmailAccount, Workspace
from campaigns.contacts import uploads
from campaigns.keeping import postgres, sqlite
from campaigns.models import Contact, ContactImport, Message
from tests.campaigns.making import make_account, make_campaign, make_workspace

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def data_dir(settings: Any, tmp_path: Path) -> Path:
    settings.DATA_DIR = tmp_path
    for name in ("UPLOADS_DIR", "KEYS_DIR"):
        setattr(settings, name, tmp_path / name)
        (tmp_path / name).mkdir()
    (tmp_path / "KEYS_DIR" / "vault_keys").write_text("\n".join(settings.VAULT_KEYS))
    (tmp_path / "KEYS_DIR" / "secret_key").write_text(settings.SECRET_KEY)
    return tmp_path


def run(command: str, *arguments: object) -> dict[str, Any]:
    out = io.StringIO()
    call_command(command, *map(str, arguments), "--json", stdout=out)
    answer: dict[str, Any] = json.loads(out.getvalue())
    return answer


def an_instance() -> GmailAccount:
    """One campaign of three people, an account with a secret, and an import with its files."""
    account = make_account(make_workspace())
    account.sealed_secret = sealed.ACCOUNT_SECRET.seal(account, "abcd efgh ijkl mnop")
    account.save()
    make_campaign(account.workspace, [account], recipients=3)
    Message.objects.filter(pk=Message.objects.first().pk).update(raw=b"\x00\\.\ttab\r\nline")
    ContactImport.objects.create(
        workspace=account.workspace,
        file_name="zoë.csv",
        stored_as=uploads.store([b"Email\n"]),
        columns={"Na\tme": "field\\n"},
    )
    return account


def everything() -> dict[str, list[dict[str, Any]]]:
    """Every row of every table, but what a restore itself writes."""
    left_out = {"Session", "Halt", "Generation"}
    models = list(apps.get_models(include_auto_created=True))
    rows = {m.__name__: list(m._default_manager.order_by("pk").values()) for m in models}
    return {
        name: [
            {k: bytes(v) if isinstance(v, memoryview) else v for k, v in row.items()}
            for row in found
        ]
        for name, found in rows.items()
        if name not in left_out
    }


def test_it_gives_back_every_row_and_file(tmp_path: Path) -> None:
    account = an_instance()
    before = everything()
    stored = ContactImport.objects.get().stored_as
    file = tmp_path / "one.daypost"
    made = run("backup", file)
    assert made["database"] == connection.vendor
    assert made["uploads"] == 1
    assert made["keys"] is False
    assert file.stat().st_mode & 0o777 == 0o600

    Contact.objects.all().delete()
    make_workspace(name="Later")
    Session.objects.create(session_key="x", session_data="", expire_date=timezone.now())
    uploads.remove(stored)

    report = run("restore", file, "--yes")
    assert everything() == before
    assert uploads.path_of(stored).read_bytes() == b"Email\n"
    assert not Session.objects.exists()
    assert report["kept_aside"]
    # The next row gets a number of its own.
    assert make_workspace().pk > account.workspace_id
    assert sealed.ACCOUNT_SECRET.open(GmailAccount.objects.get()) == "abcd efgh ijkl mnop"


def test_it_brings_a_backup_of_an_older_daypost_up_to_date(tmp_path: Path) -> None:
    executor = MigrationExecutor(connection)
    (last,) = executor.loader.graph.leaf_nodes("account")
    before = executor.loader.graph.node_map[last].parents
    workspace = make_workspace()
    executor.migrate([parent.key for parent in before if parent.key[0] == "account"])
    run("backup", tmp_path / "old")
    MigrationExecutor(connection).migrate([last])
    run("restore", tmp_path / "old", "--yes")
    assert last in MigrationExecutor(connection).loader.applied_migrations
    assert Workspace.objects.get() == workspace


def test_it_halts_what_it_restores(tmp_path: Path) -> None:
    account = an_instance()
    Generation.objects.update_or_create(pk=1, defaults={"number": 3})
    made = run("backup", tmp_path / "b")
    generation.remember(8)
    run("restore", tmp_path / "b", "--yes")
    assert halts.of_cause(account, Cause.RESTORED)
    assert Generation.objects.get().number == 8
    assert generation.copied_at().isoformat() == made["made_at"]  # type: ignore[union-attr]


def test_it_is_one_moment_while_others_write(tmp_path: Path) -> None:
    """Pairs are written together, so that a copy of two moments holds half a pair."""
    workspace = make_workspace()
    Contact.objects.bulk_create(
        Contact(workspace=workspace, email=f"{n}@b.org", email_key=f"{n}@b.org", consent="x" * 500)
        for n in range(2_000)
    )
    stop, wrote = threading.Event(), threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            with transaction.atomic():
                Workspace.objects.create(name=f"pair {number}", postal_address="")
                email = f"pair{number}@b.org"
                Contact.objects.create(workspace=workspace, email=email, email_key=email)
            number += 1
            wrote.set()
        connections.close_all()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert wrote.wait(30)
        run("backup", tmp_path / "b")
    finally:
        stop.set()
        writer.join()
    run("restore", tmp_path / "b", "--yes")
    pairs = Workspace.objects.filter(name__startswith="pair").count()
    assert pairs == Contact.objects.filter(email__startswith="pair").count()
    assert Contact.objects.count() == 2_000 + pairs


def damaged(file: Path, how: str) -> Path:
    whole = file.read_bytes()
    with zipfile.ZipFile(file) as archive:
        largest = max(archive.infolist(), key=lambda entry: entry.compress_size)
    inside = largest.header_offset + 60 + len(largest.filename) + largest.compress_size // 2
    broken = file.with_name(how)
    broken.write_bytes(
        {
            "cut": whole[:inside],
            "bent": whole[:inside] + b"bent" * 8 + whole[inside + 32 :],
            "empty": b"",
            "text": b"not a backup at all",
        }[how]
    )
    return broken


@pytest.mark.parametrize("how", ["cut", "bent", "empty", "text"])
def test_it_restores_nothing_that_is_damaged(tmp_path: Path, how: str) -> None:
    an_instance()
    run("backup", tmp_path / "b")
    before = everything()
    with pytest.raises(CommandError, match=r"damaged|Nothing was changed"):
        run("restore", damaged(tmp_path / "b", how), "--yes")
    assert everything() == before
    assert not halts.Halt.objects.exists()


def rewritten(file: Path, **changes: object) -> Path:
    """The same backup with another manifest."""
    other = file.with_name("other")
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(other, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "manifest.json":
                content = json.dumps(json.loads(content) | changes).encode()
            new.writestr(name, content)
    return other


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"database": "oracle"}, "DATABASE_URL"),
        ({"migrations": ["accounts.0001_initial", "accounts.0999_later"]}, "newer Daypost"),
        ({"format": 2}, "newer Daypost"),
        ({"entries": {}}, "damaged"),
    ],
)
def test_it_restores_nothing_that_does_not_fit(
    tmp_path: Path, changes: dict[str, object], says: str
) -> None:
    an_instance()
    run("backup", tmp_path / "b")
    with pytest.raises(CommandError, match=says):
        run("restore", rewritten(tmp_path / "b", **changes), "--yes")
    assert not halts.Halt.objects.exists()


def test_it_restores_nothing_whose_secrets_no_key_opens(tmp_path: Path, settings: Any) -> None:
    an_instance()
    run("backup", tmp_path / "b")
    before = everything()
    settings.VAULT_KEYS = [Fernet.generate_key().decode()]
    (settings.KEYS_DIR / "vault_keys").write_text(settings.VAULT_KEYS[0])
    with pytest.raises(CommandError, match="keys of this instance do not open"):
        run("restore", tmp_path / "b", "--yes")
    assert everything() == before
    assert not halts.Halt.objects.exists()


def test_it_carries_the_keys_where_that_was_asked_for(tmp_path: Path, settings: Any) -> None:
    an_instance()
    theirs, ours = settings.VAULT_KEYS[0], Fernet.generate_key().decode()
    assert run("backup", tmp_path / "b", "--with-keys")["keys"] is True
    settings.VAULT_KEYS = [ours]
    (settings.KEYS_DIR / "vault_keys").write_text(ours)
    (settings.KEYS_DIR / "secret_key").write_text("another")
    run("restore", tmp_path / "b", "--yes")
    assert (settings.KEYS_DIR / "vault_keys").read_text().split() == [theirs, ours]
    assert (settings.KEYS_DIR / "secret_key").read_text().strip() == settings.SECRET_KEY


def test_it_keeps_the_keys_out_otherwise(tmp_path: Path, settings: Any) -> None:
    run("backup", tmp_path / "b")
    with zipfile.ZipFile(tmp_path / "b") as archive:
        for name in archive.namelist():
            assert settings.VAULT_KEYS[0].encode() not in archive.read(name)


def test_it_overwrites_nothing(tmp_path: Path) -> None:
    (tmp_path / "b").write_text("dear")
    with pytest.raises(CommandError, match="is there already"):
        run("backup", tmp_path / "b")
    assert (tmp_path / "b").read_text() == "dear"
    with pytest.raises(CommandError, match="cannot be written"):
        run("backup", tmp_path / "no folder" / "b")


def test_it_leaves_no_half_a_backup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CommandError, match="No space left"):
        run("backup", tmp_path / "b")
    assert [one.name for one in tmp_path.iterdir() if one.name == "b" or ".b" in one.name] == []


def test_it_restores_nothing_while_daypost_is_alive(tmp_path: Path) -> None:
    run("backup", tmp_path / "b")
    alive = (
        "import fcntl, sys; file = open(sys.argv[1], 'a'); fcntl.flock(file, fcntl.LOCK_SH); "
        "print(); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", alive, str(tmp_path / "running")],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout and process.stdin
        process.stdout.readline()
        with pytest.raises(CommandError, match="Daypost is running here"):
            run("restore", tmp_path / "b", "--yes")
        process.stdin.write("\n")
    run("restore", tmp_path / "b", "--yes")


def test_it_asks_where_somebody_can_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run("backup", tmp_path / "b")
    with pytest.raises(CommandError, match="Say --yes"):
        run("restore", tmp_path / "b")
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    monkeypatch.setattr("builtins.input", lambda question: "")
    with pytest.raises(CommandError, match="Nothing was changed"):
        run("restore", tmp_path / "b")
    monkeypatch.setattr("builtins.input", lambda question: "y")
    run("restore", tmp_path / "b")


def test_it_is_dated_before_the_copy_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What leaves while a copy is made must count as having left since."""
    kind = sqlite if connection.vendor == "sqlite" else postgres
    add = kind.add
    began: list[datetime] = []

    def note(*given: Any) -> list[str]:
        began.append(timezone.now())
        return add(*given)

    monkeypatch.setattr(kind, "add", note)
    made_at = datetime.fromisoformat(run("backup", tmp_path / "b")["made_at"])
    assert made_at <= began[0]
