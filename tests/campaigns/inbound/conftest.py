"""An account on a practice Gmail in which answers lie at once, read by IMAP or by POP."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from accounts import connect
from accounts.models import GmailAccount
from tests.campaigns.making import make_workspace
from tests.gmail_settings import point_at
from tests.practice_gmail import PracticeGmail

# One for each test, so that nobody hears another test's mail.
PEOPLE = [f"club{number}@gmail.com" for number in range(80)]
_next = count()


@pytest.fixture(scope="package")
def shared_gmail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PracticeGmail]:
    folder: Path = tmp_path_factory.mktemp("practice")
    with PracticeGmail(folder / "gmail", accounts=PEOPLE, limit=100_000) as gmail:
        yield gmail


@pytest.fixture
def gmail(shared_gmail: PracticeGmail, settings: Any) -> PracticeGmail:
    shared_gmail.control(clock_offset=0, faults=[], sent_delay=0, answer_delay=0)
    point_at(shared_gmail, settings)
    return shared_gmail


@pytest.fixture(params=["imap", "pop"])
def inbound(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def account(gmail: PracticeGmail, db: None, inbound: str) -> GmailAccount:
    return connected(gmail, inbound)


@pytest.fixture
def by_imap(gmail: PracticeGmail, db: None) -> GmailAccount:
    return connected(gmail, "imap")


def connected(gmail: PracticeGmail, inbound: str) -> GmailAccount:
    address = PEOPLE[next(_next)]
    password = gmail.app_password(address)
    return connect.connect_by_app_password(make_workspace(), address, password, inbound=inbound)
