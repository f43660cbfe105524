"""A campaign of three people, and an account connected to a practice Gmail."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from accounts import connect
from accounts.models import GmailAccount
from campaigns.models import Campaign
from tests.campaigns.making import make_campaign, make_workspace
from tests.gmail_settings import point_at
from tests.practice_gmail import PracticeGmail

ANA = "ana@gmail.com"


@pytest.fixture(scope="module")
def shared_gmail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PracticeGmail]:
    folder: Path = tmp_path_factory.mktemp("practice")
    with PracticeGmail(folder / "gmail", accounts=[ANA], limit=100_000) as gmail:
        yield gmail


@pytest.fixture
def gmail(shared_gmail: PracticeGmail, settings: Any) -> PracticeGmail:
    shared_gmail.control(clock_offset=0, limit=100_000, faults=[])
    point_at(shared_gmail, settings)
    return shared_gmail


@pytest.fixture
def account(gmail: PracticeGmail, db: None) -> GmailAccount:
    """It is not read: what other tests sent would count as written by hand."""
    password = gmail.app_password(ANA)
    inbound = GmailAccount.Inbound.NONE
    return connect.connect_by_app_password(make_workspace(), ANA, password, inbound=inbound)


@pytest.fixture
def campaign(account: GmailAccount) -> Campaign:
    return make_campaign(account.workspace, [account], recipients=3)
