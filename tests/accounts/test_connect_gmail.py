import json
import os
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from accounts.models import GmailAccount, Workspace
from tests.accounts.gmail_cast import ANA, ANA_PASSWORD
from tests.practice_gmail import REPOSITORY, PracticeGmail


@pytest.fixture
def password_file(tmp_path: Path) -> Path:
    path = tmp_path / "app-password"
    path.write_text(f"{ANA_PASSWORD}\n")
    return path


def test_it_connects_and_answers_in_json(
    gmail: PracticeGmail, workspace: Workspace, password_file: Path
) -> None:
    out = StringIO()
    options = ["--smtp", "starttls", "--inbound", "pop", "--limit", "80", "--json"]
    call_command("connect_gmail", ANA, f"--app-password-file={password_file}", *options, stdout=out)
    assert json.loads(out.getvalue()) == {"account": ANA, "state": "ready"}
    account = GmailAccount.objects.get()
    assert (account.smtp_security, account.inbound, account.limit) == ("starttls", "pop", 80)
    assert account.workspace == workspace


def test_it_connects_the_practice_gmail_of_this_machine(
    shared_gmail: PracticeGmail, workspace: Workspace, password_file: Path, settings: object
) -> None:
    settings.PRACTICE_DIR = shared_gmail.directory  # type: ignore[attr-defined]
    call_command(
        "connect_gmail",
        ANA,
        f"--app-password-file={password_file}",
        "--practice",
        stdout=StringIO(),
    )
    assert GmailAccount.objects.get().practice


@pytest.mark.parametrize(
    ("password", "more", "words"),
    [
        ("abcd efgh ijkl mnoq", [], "did not accept"),
        ("", [], "Paste the app password"),
        (ANA_PASSWORD, ["--limit", "2001"], "2000"),
        (ANA_PASSWORD, ["--limit", "-1"], "-1"),
        (ANA_PASSWORD, ["--workspace", "Nobody's"], "no workspace"),
    ],
)
def test_it_says_in_one_sentence_why_not(
    gmail: PracticeGmail,
    workspace: Workspace,
    password_file: Path,
    password: str,
    more: list[str],
    words: str,
) -> None:
    password_file.write_text(password)
    with pytest.raises(CommandError, match=words) as caught:
        call_command("connect_gmail", ANA, f"--app-password-file={password_file}", *more)
    assert "\n" not in str(caught.value)
    assert not GmailAccount.objects.exists()


def test_it_says_that_the_file_cannot_be_read(workspace: Workspace, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("connect_gmail", ANA, f"--app-password-file={tmp_path / 'none'}")


def test_it_ends_with_status_1_and_the_sentence_on_standard_error(
    shared_gmail: PracticeGmail, tmp_path: Path, password_file: Path
) -> None:
    """The command as people run it, on a data folder of its own."""
    environment = {
        **os.environ,
        **shared_gmail.env,
        "DAYPOST_DATA_DIR": str(tmp_path / "var"),
        "DATABASE_URL": f"sqlite:///{tmp_path / 'db.sqlite3'}",
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }

    def run(*command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "manage.py", *command],
            cwd=REPOSITORY,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    assert run("migrate", "-v0").returncode == 0
    owner_password = tmp_path / "owner"
    owner_password.write_text("a river under 7 bridges")
    assert run("create_owner", "o@example.org", f"--password-file={owner_password}").returncode == 0
    good = run("connect_gmail", ANA, f"--app-password-file={password_file}", "--json")
    assert (good.returncode, json.loads(good.stdout)["state"]) == (0, "ready")
    password_file.write_text("abcd efgh ijkl mnoq")
    bad = run("connect_gmail", ANA, f"--app-password-file={password_file}", "--json")
    assert (bad.returncode, bad.stdout) == (1, "")
    assert bad.stderr.count("\n") == 1
    assert "did not accept" in bad.stderr
    assert run("connect_gmail", ANA).returncode == 2
