import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from accounts.management.commands.connect_gmail import Command
from accounts.models import GmailAccount, Workspace
from gmail.endpoints import Endpoints
from tests.accounts.gmail_cast import ANA, ANA_PASSWORD, new_workspace
from tests.practice_gmail import PracticeGmail


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
    options += ["--name", "Siop Tregaron"]
    call_command("connect_gmail", ANA, f"--app-password-file={password_file}", *options, stdout=out)
    assert json.loads(out.getvalue()) == {"account": ANA, "state": "ready"}
    account = GmailAccount.objects.get()
    assert (account.smtp_security, account.inbound, account.limit) == ("starttls", "pop", 80)
    assert account.workspace == workspace
    assert account.display_name == "Siop Tregaron"


def test_it_takes_an_old_mailbox_for_what_it_is(
    gmail: PracticeGmail, workspace: Workspace, password_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Endpoints, "on_this_machine", False)
    options = [f"--app-password-file={password_file}", "--no-ramp"]
    call_command("connect_gmail", ANA, *options, stdout=StringIO())
    assert not GmailAccount.objects.get().ramp


def test_it_connects_the_practice_gmail_of_this_machine(
    shared_gmail: PracticeGmail, workspace: Workspace, password_file: Path, settings: Settings
) -> None:
    settings.PRACTICE_DIR = shared_gmail.directory
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
        (ANA_PASSWORD, ["--name", "Ana\nBcc: all@example.org"], "line breaks"),
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


@pytest.mark.django_db(transaction=True)
def test_it_ends_with_a_status_that_says_how_it_went(
    gmail: PracticeGmail, password_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new_workspace()

    def run(*options: str) -> tuple[int, str, str]:
        """As manage.py runs it, down to its exit status."""
        try:
            Command().run_from_argv(["manage.py", "connect_gmail", ANA, *options])
        except SystemExit as end:
            status = int(end.code or 0)
        else:
            status = 0
        return status, *capsys.readouterr()

    option = f"--app-password-file={password_file}"
    status, out, err = run(option, "--json")
    assert (status, json.loads(out)["state"], err) == (0, "ready", "")
    password_file.write_text("abcd efgh ijkl mnoq")
    status, out, err = run(option, "--json")
    assert (status, out) == (1, "")
    assert err.count("\n") == 1
    assert "did not accept" in err
    assert run()[0] == 2
    assert run(option, "--smtp", "plain")[0] == 2
