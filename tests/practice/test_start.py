"""Starting and stopping: what lies in the directory, what is remembered, what is refused."""

import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from tests.practice.clients import ANA, ANA_PASSWORD, BEN, Wire, logged_in
from tests.practice_gmail import REPOSITORY, PracticeGmail

SECRETS = ["env", "accounts.json", "client.json", "ca.key", "server.key", "ledger.jsonl"]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "practice", *arguments]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=20)


def test_it_writes_the_settings_of_a_client(gmail: PracticeGmail) -> None:
    port, web = gmail.port, f"http://127.0.0.1:{gmail.port}"
    assert port is not None
    env = gmail.env
    assert env == {
        "GOOGLE_CLIENT_ID": env["GOOGLE_CLIENT_ID"],
        "GOOGLE_CLIENT_SECRET": env["GOOGLE_CLIENT_SECRET"],
        "GOOGLE_AUTH_URI": f"{web}/o/oauth2/v2/auth",
        "GOOGLE_TOKEN_URI": f"{web}/token",
        "GOOGLE_USERINFO_URI": f"{web}/v1/userinfo",
        "GOOGLE_REVOKE_URI": f"{web}/revoke",
        "GMAIL_SMTP_HOST": "127.0.0.1",
        "GMAIL_SMTP_SSL_PORT": str(port + 1),
        "GMAIL_SMTP_STARTTLS_PORT": str(port + 2),
        "GMAIL_IMAP_HOST": "127.0.0.1",
        "GMAIL_IMAP_PORT": str(port + 3),
        "GMAIL_POP_HOST": "127.0.0.1",
        "GMAIL_POP_PORT": str(port + 4),
        "GMAIL_CA_FILE": str(gmail.directory / "ca.pem"),
    }
    assert re.fullmatch(
        r"\d{12}-[a-z0-9]{32}\.apps\.googleusercontent\.com", env["GOOGLE_CLIENT_ID"]
    )
    assert env["GOOGLE_CLIENT_SECRET"].startswith("GOCSPX-")


def test_it_keeps_its_directory_and_its_secrets_to_itself(gmail: PracticeGmail) -> None:
    assert stat.S_IMODE(gmail.directory.stat().st_mode) == 0o700
    for name in SECRETS:
        assert stat.S_IMODE((gmail.directory / name).stat().st_mode) == 0o600, name


def test_it_closes_a_directory_that_was_open_to_others(tmp_path: Path) -> None:
    directory = tmp_path / "gmail"
    directory.mkdir(mode=0o755)
    with PracticeGmail(directory):
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700


def test_it_listens_on_this_machine_only(gmail: PracticeGmail) -> None:
    assert gmail.port is not None
    listening = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:]:
            _, local, _, state, *_ = line.split()
            address, port = local.split(":")
            if state == "0A" and gmail.port <= int(port, 16) <= gmail.port + 4:
                listening.add((address, int(port, 16) - gmail.port))
    assert listening == {("0100007F", offset) for offset in range(5)}


def test_it_is_up_quickly_and_says_so_last(tmp_path: Path) -> None:
    with PracticeGmail(tmp_path / "gmail") as gmail:
        # The processor's time, because the machine may be busy with other tests.
        ticks = Path(f"/proc/{gmail.pid}/stat").read_text().rpartition(")")[2].split()[11:13]
        assert sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK") < 2
        written = (gmail.directory / "ready").stat().st_mtime_ns
        assert (gmail.directory / "env").stat().st_mtime_ns <= written
        assert requests.get(gmail.web, timeout=10).status_code == 200


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_cleanly_with_connections_open(
    own_gmail: PracticeGmail, how: signal.Signals
) -> None:
    with Wire(own_gmail) as wire:
        wire.hello()
        assert own_gmail.stop(how) == 0
        assert not (own_gmail.directory / "ready").exists()
        assert wire.closed()


def test_it_removes_the_ready_file_of_a_process_that_was_killed(own_gmail: PracticeGmail) -> None:
    own_gmail.kill()
    ready = own_gmail.directory / "ready"
    assert ready.exists()
    taken = socket.create_server(("127.0.0.1", own_gmail.port or 0))
    with taken, pytest.raises(Exception, match="is taken"):
        own_gmail.start()
    assert not ready.exists()


def test_it_starts_again_on_the_same_ports_with_the_same_secrets(own_gmail: PracticeGmail) -> None:
    before = own_gmail.env
    kept = {name: (own_gmail.directory / name).read_bytes() for name in SECRETS}
    kept["ca.pem"] = (own_gmail.directory / "ca.pem").read_bytes()
    assert own_gmail.stop() == 0
    own_gmail.start()
    assert own_gmail.env == before
    assert {name: (own_gmail.directory / name).read_bytes() for name in kept} == kept


def test_it_has_two_accounts_when_none_is_named(tmp_path: Path) -> None:
    with PracticeGmail(tmp_path / "gmail") as gmail:
        accounts = json.loads((gmail.directory / "accounts.json").read_text())
        emails = [account["email"] for account in accounts]
        assert emails == ["practice@gmail.com", "second.practice@gmail.com"]
        passwords = [account["app_password"] for account in accounts]
        assert all(re.fullmatch("[a-z]{16}", password) for password in passwords)
        assert passwords[0] != passwords[1]
        with logged_in(gmail, emails[1]) as client:
            assert client.noop()[0] == 250


def test_it_adds_a_named_account_to_those_it_knows(tmp_path: Path) -> None:
    directory = tmp_path / "gmail"
    with PracticeGmail(directory, accounts=[f"{ANA}:{ANA_PASSWORD}"]) as gmail:
        assert gmail.app_password(ANA) == "abcdefghijklmnop"
    with PracticeGmail(directory, accounts=[BEN]) as gmail:
        bens = gmail.app_password(BEN)
        assert gmail.app_password(ANA) == "abcdefghijklmnop"
    with PracticeGmail(directory, accounts=[f"{ANA.upper()}:new password", BEN]) as gmail:
        assert gmail.app_password(ANA) == "newpassword"
        assert gmail.app_password(BEN) == bens
        assert [row["email"] for row in gmail.control()["accounts"]] == [ANA, BEN]


def test_it_takes_the_limit_that_was_named_over_the_one_of_last_time(tmp_path: Path) -> None:
    with PracticeGmail(tmp_path / "gmail", limit=7) as gmail:
        assert gmail.control()["limit"] == 7
        gmail.control(limit=8)
    with PracticeGmail(tmp_path / "gmail") as gmail:
        assert gmail.control()["limit"] == 8
    with PracticeGmail(tmp_path / "gmail", limit=9) as gmail:
        assert gmail.control()["limit"] == 9


@pytest.mark.parametrize("offset", [0, 1, 2])
def test_it_says_which_port_is_taken(own_gmail: PracticeGmail, tmp_path: Path, offset: int) -> None:
    own_gmail.stop()
    assert own_gmail.port is not None
    with socket.create_server(("127.0.0.1", own_gmail.port + offset)):
        ended = run("--dir", str(tmp_path / "other"), "--port", str(own_gmail.port))
    assert ended.returncode == 1
    sentence = f"Port {own_gmail.port + offset} is taken. Choose another first port with --port.\n"
    assert ended.stderr == sentence
    assert not (tmp_path / "other" / "ready").exists()


def test_it_does_not_share_a_directory_with_another_process(own_gmail: PracticeGmail) -> None:
    ended = run("--dir", str(own_gmail.directory), "--port", "65000")
    assert ended.returncode == 1
    assert ended.stderr == f"Another practice Gmail is running on {own_gmail.directory}.\n"
    assert (own_gmail.directory / "ready").exists()


def test_it_says_when_it_cannot_have_its_directory(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ended = run("--dir", str(tmp_path / "file"))
    assert ended.returncode == 1
    assert str(tmp_path / "file") in ended.stderr
    assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "--dir"),
        (["--port", "0"], "0 is not a port between 1 and 65531."),
        (["--port", "65532"], "65532 is not a port between 1 and 65531."),
        (["--port", "web"], "web is not a port"),
        (["--limit", "-1"], "-1 is not a whole number."),
        (["--limit", "many"], "many is not a whole number."),
        (["--account", "ana"], "ana is not an e-mail address."),
        (["--account", ":secret"], " is not an e-mail address."),
        (["--idle-timeout", "0"], "The idle time-out lies between 0 and 86400 seconds."),
        (["--nonsense"], "--nonsense"),
    ],
)
def test_it_refuses_wrong_usage(tmp_path: Path, arguments: list[str], complaint: str) -> None:
    directory = ["--dir", str(tmp_path / "gmail")] if arguments else []
    ended = run(*directory, *arguments)
    assert ended.returncode == 2
    assert complaint in ended.stderr
    assert not (tmp_path / "gmail").exists()


def test_it_is_imported_by_nothing_and_imports_nothing_of_the_application() -> None:
    foreign = re.compile(r"^\s*(?:from|import) (accounts|campaigns|config|gmail|django)\b", re.M)
    sources = sorted((REPOSITORY / "practice").glob("*.py"))
    assert len(sources) > 10
    for source in sources:
        assert not foreign.search(source.read_text()), source
    practice = re.compile(r"^\s*(?:from|import) practice\b", re.M)
    for package in ("accounts", "campaigns", "config", "gmail"):
        for source in (REPOSITORY / package).rglob("*.py"):
            assert not practice.search(source.read_text()), source
