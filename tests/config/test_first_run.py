"""What an instance makes for itself on its first start, and how settings are given."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

from cryptography.fernet import Fernet

from config.first_run import ensure_folder, ensure_key, new_vault_key

REPOSITORY = Path(__file__).resolve().parents[2]
SHOW_KEYS = "from django.conf import settings; print(settings.SECRET_KEY, *settings.VAULT_KEYS)"


def environment(data_dir: Path, **settings: str) -> dict[str, str]:
    """Of a process that knows nothing but its data folder."""
    return {
        "PATH": os.environ["PATH"],
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DAYPOST_DATA_DIR": str(data_dir),
        **settings,
    }


def start(data_dir: Path, script: str = SHOW_KEYS, **settings: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=REPOSITORY,
        env=environment(data_dir, **settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def answer_of(process: "subprocess.Popen[str]") -> str:
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    return output.strip()


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_it_makes_folder_and_keys_that_only_their_owner_reads(tmp_path: Path) -> None:
    data_dir = tmp_path / "var"
    old_mask = os.umask(0)
    try:
        secret_key, vault_key = answer_of(start(data_dir)).split()
    finally:
        os.umask(old_mask)

    assert mode_of(data_dir) == mode_of(data_dir / "keys") == 0o700
    for name, key in (("secret_key", secret_key), ("vault_keys", vault_key)):
        file = data_dir / "keys" / name
        assert mode_of(file) == 0o600
        assert file.read_text().strip() == key
    assert len(secret_key) >= 50
    Fernet(vault_key)  # raises for what is no key


def test_it_makes_the_keys_once_for_processes_that_start_together(tmp_path: Path) -> None:
    processes = [start(tmp_path / "var") for _process in range(6)]

    answers = {answer_of(process) for process in processes}

    assert len(answers) == 1
    assert sorted(path.name for path in (tmp_path / "var" / "keys").iterdir()) == [
        "secret_key",
        "suppression_key",
        "token_key",
        "vault_keys",
    ]


def test_it_keeps_its_keys_from_start_to_start(tmp_path: Path) -> None:
    assert answer_of(start(tmp_path / "var")) == answer_of(start(tmp_path / "var"))


def test_it_lets_the_key_win_that_was_there_first(tmp_path: Path) -> None:
    """Another process links its key into place while this one is still writing its own."""
    path = ensure_folder(tmp_path / "keys") / "vault_keys"

    def make_late() -> str:
        path.write_text("theirs\n")
        return "ours"

    assert ensure_key(path, make_late) == "theirs"
    assert [file.name for file in path.parent.iterdir()] == ["vault_keys"]


def test_it_is_not_stopped_by_a_draft_of_a_process_that_was_killed(tmp_path: Path) -> None:
    path = tmp_path / "vault_keys"
    (tmp_path / f".vault_keys.{os.getpid()}").write_text("half a k")

    Fernet(ensure_key(path, new_vault_key))


# The name of a setting, what it is set to, and what must stand in the settings then.
GIVEN = [
    ("SECRET_KEY", "s" * 60, "settings.SECRET_KEY"),
    ("VAULT_KEYS", "new,old", "','.join(settings.VAULT_KEYS)"),
    ("SUPPRESSION_KEY", "one", "settings.SUPPRESSION_KEY"),
    ("TOKEN_KEY", "another", "settings.TOKEN_KEY"),
    ("GOOGLE_CLIENT_SECRET", "GOCSPX-abc", "settings.GOOGLE['client_secret']"),
    ("GMAIL_SMTP_SSL_PORT", "4650", "str(settings.GMAIL['smtp_ssl_port'])"),
    ("PUBLIC_URL", "https://mail.example.org", "settings.PUBLIC_URL"),
    ("ALLOWED_HOSTS", "a.example,b.example", "','.join(settings.ALLOWED_HOSTS)"),
    (
        "DATABASE_URL",
        "sqlite:////nowhere/x.sqlite3",
        "'sqlite:///' + settings.DATABASES['default']['NAME']",
    ),
    ("TIME_ZONE", "Europe/Paris", "settings.TIME_ZONE"),
    ("DEBUG", "1", "str(int(settings.DEBUG))"),
    ("CELERY_BROKER_URL", "redis://r", "settings.CELERY_BROKER_URL"),
]


def test_it_reads_settings_from_the_environment_or_from_files(tmp_path: Path) -> None:
    values = {name: value for name, value, _expression in GIVEN}
    files = {f"{name}_FILE": str(tmp_path / name) for name in values}
    for name, value in values.items():
        (tmp_path / name).write_text(f"{value}\n")
    answers = ", ".join(f"{name!r}: {expression}" for name, _value, expression in GIVEN)
    script = f"import json; from django.conf import settings; print(json.dumps({{{answers}}}))"

    by_value = start(tmp_path / "a", script, **values)
    by_file = start(tmp_path / "b", script, **files)

    assert json.loads(answer_of(by_value)) == json.loads(answer_of(by_file)) == values


def test_it_makes_no_key_where_one_is_given(tmp_path: Path) -> None:
    given = {
        "SECRET_KEY": "s" * 60,
        "VAULT_KEYS": new_vault_key(),
        "SUPPRESSION_KEY": "one",
        "TOKEN_KEY": "another",
    }

    answer_of(start(tmp_path / "var", **given))

    assert not list((tmp_path / "var" / "keys").iterdir())


def test_it_is_safe_by_default(tmp_path: Path) -> None:
    script = """
from django.conf import settings
assert settings.DEBUG is False
assert "*" not in settings.ALLOWED_HOSTS
assert settings.SIGNUP_OPEN is False
assert "db.DatabaseCache" in settings.CACHES["default"]["BACKEND"]
"""
    answer_of(start(tmp_path / "var", script))
