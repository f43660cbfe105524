import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gmail.cast import ANA, ANA_PASSWORD, BEN
from tests.practice_gmail import PracticeGmail
from tests.system.mail_servers import MailServers, mail_servers

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with nothing in it."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="session")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is committed, in a folder whose name has a space, and nothing installed."""
    folder = tmp_path_factory.mktemp("clone") / "Day post"
    subprocess.run(["git", "clone", "--quiet", REPOSITORY, folder], check=True, env=os.environ)
    return folder


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailServers]:
    """Dovecot and Postfix for Ana and Ben, with a practice Gmail that gives out their tokens."""
    directory = tmp_path_factory.mktemp("practice") / "gmail"
    accounts = [f"{ANA}:{ANA_PASSWORD}", BEN]
    with (
        PracticeGmail(directory, accounts=accounts) as gmail,
        mail_servers(gmail, [ANA, BEN]) as both,
    ):
        yield both
