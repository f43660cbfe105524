"""The live suite, whole, with the practice Gmail in the place of a real account."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.practice.clients import ANA, ANA_PASSWORD, BEN, OAuthClient
from tests.practice_gmail import REPOSITORY, PracticeGmail

ALIAS = "ana@herbs.example"
SECONDS = 120
# What the practice Gmail shows, as a regular expression for each fact.
SIGHTS = [
    ("What EHLO offers under TLS", "SIZE 35882577"),
    ("A wrong token, SMTP", r"^535 5\.7\.8 .*taken as: credentials"),
    ("A wrong token, IMAP", "taken as: credentials"),
    ("A wrong token, POP", "taken as: credentials"),
    ("XOAUTH2 with an initial response of so many characters", "^400: taken; "),
    ("The answer to the end of a message", r"^250 2\.0\.0 OK \d+ .* - gsmtp$"),
    ("The clock in that answer", r"; [+-]\d s from this machine's clock"),
    ("A recipient in a domain that cannot be", "^taken at RCPT$"),
    ("20 messages over one session", r"^20 of 20 accepted over 1 session\(s\)"),
    ("Idle time that SMTP allows", "^still open after 0.2 s$"),
    ("A valid Message-ID of another domain", "^kept$"),
    ("A Message-ID with two @", r"^replaced by one at mx\.google\.com; .* <two@signs@"),
    ("The copy in Sent", r"^after \d\.\d s$"),
    ("Search for the Message-ID", "^X-GM-RAW rfc822msgid: finds 1$"),
    ("The same Message-ID sent twice", "^answers 250, 250; 1 in Sent$"),
    ("A From that is no alias", r"^rewritten to .*\(mine\).* somebody@daypost\.example"),
    ("A verified alias as From", "^kept$"),
    ("A plus address of one's own", "^in the inbox after "),
    ("List-Unsubscribe in the DKIM signature", "^no DKIM-Signature at the second address$"),
    ("Folders by their flags", r"^\\Sent: \[Gmail\]/Sent Mail; "),
    ("What POP shows", "mail to oneself is among them$"),
    ("A message after TOP", "^shown in the next session$"),
    ("A message after RETR", "^not shown in the next session$"),
    ("The same, with recent: before the user name", "^shown$"),
    ("One message more than the limit", r"^message \d+ got: 550 5\.4\.5 Daily user sending"),
]


def look(environment: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    """Run it with nothing of this process's own settings."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-m", "tests.live"],
        cwd=REPOSITORY,
        env=kept | dict(environment),
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )


@pytest.fixture(scope="module")
def gmail(tmp_path_factory: pytest.TempPathFactory) -> PracticeGmail:
    accounts = [f"{ANA}:{ANA_PASSWORD}", BEN]
    directory = tmp_path_factory.mktemp("practice") / "gmail"
    with PracticeGmail(directory, accounts=accounts, limit=40) as gmail:
        gmail.control(sent_delay=0.5, answer_delay=0.2, aliases={ANA: [ALIAS]})
        yield gmail


@pytest.fixture(scope="module")
def environment(gmail: PracticeGmail) -> dict[str, str]:
    return gmail.env | {
        "LIVE_GMAIL_ADDRESS": ANA,
        "LIVE_GMAIL_REFRESH_TOKEN": OAuthClient(gmail).connect(ANA)["refresh_token"],
        "LIVE_GMAIL_SECOND_ADDRESS": BEN,
        "LIVE_GMAIL_SECOND_APP_PASSWORD": gmail.app_password(BEN),
        "LIVE_GMAIL_ALIAS": ALIAS,
        "LIVE_GMAIL_PATIENCE": "10",
        "LIVE_GMAIL_IDLE": "0.2",
        "LIVE_GMAIL_PASS_THE_LIMIT": "40",
    }


@pytest.fixture(scope="module")
def told(environment: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    return look(environment)


@pytest.fixture(scope="module")
def seen(told: "subprocess.CompletedProcess[str]") -> dict[str, str]:
    """What was seen, by the name of the fact."""
    assert told.returncode == 0, told.stderr
    rows = [line.strip("| \n").split(" | ") for line in told.stdout.splitlines()]
    assert {len(row) for row in rows} == {4}
    return {fact: sight for fact, sight, _, _ in rows[2:]}


def test_it_sees_what_the_practice_gmail_does(seen: dict[str, str]) -> None:
    differing = [fact for fact, sight in SIGHTS if not re.search(sight, seen[fact])]
    assert differing == []


def test_it_looks_at_every_fact(seen: dict[str, str]) -> None:
    assert [fact for fact, sight in seen.items() if "not seen" in sight or not sight] == []


def test_it_sends_to_nobody_else(
    gmail: PracticeGmail, told: "subprocess.CompletedProcess[str]"
) -> None:
    assert {row["to"].replace("+Tk7Q2a", "") for row in gmail.ledger()} == {ANA, BEN}


def test_it_tells_no_secret_and_no_address(
    told: "subprocess.CompletedProcess[str]", environment: dict[str, str]
) -> None:
    output = told.stdout + told.stderr
    secrets = [
        name for name in environment if name.endswith(("ADDRESS", "ALIAS", "TOKEN", "PASSWORD"))
    ]
    for name in [*secrets, "GOOGLE_CLIENT_SECRET"]:
        assert environment[name] not in output
    assert "127.0.0.1" not in told.stdout


def test_it_says_what_it_needs_to_know() -> None:
    done = look({})
    assert done.returncode == 2
    assert done.stderr.startswith("Set LIVE_GMAIL_ADDRESS, and LIVE_GMAIL_APP_PASSWORD or ")


def test_it_reads_a_secret_from_a_file(gmail: PracticeGmail, tmp_path: Path) -> None:
    wrong = tmp_path / "password"
    wrong.write_text("not the password\n")
    login = {"LIVE_GMAIL_ADDRESS": ANA, "LIVE_GMAIL_APP_PASSWORD_FILE": str(wrong)}
    done = look(gmail.env | login)
    assert done.returncode == 1
    assert done.stderr.startswith("The account cannot be opened: Gmail refused the login")
    assert done.stdout == ""
