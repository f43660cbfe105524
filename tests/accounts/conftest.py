from collections.abc import Iterator
from typing import Any

import pytest
from pytest_django import Settings

from accounts.models import Workspace
from tests.accounts.gmail_cast import ANA, ANA_PASSWORD, BEN, new_workspace, settings_for
from tests.practice_gmail import PracticeGmail


@pytest.fixture(scope="session")
def shared_gmail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PracticeGmail]:
    directory = tmp_path_factory.mktemp("practice") / "gmail"
    accounts = [f"{ANA}:{ANA_PASSWORD}", BEN]
    with PracticeGmail(directory, accounts=accounts, limit=100_000) as gmail:
        yield gmail


@pytest.fixture
def gmail(shared_gmail: PracticeGmail, settings: Settings, tmp_path: Any) -> PracticeGmail:
    """A running practice Gmail without faults, which the environment calls Google."""
    as_at_first = {"imap": {ANA: True}, "pop": {ANA: True}, "hide": {ANA: []}}
    shared_gmail.control(clock_offset=0, limit=100_000, faults=[], **as_at_first)
    for name, value in settings_for(shared_gmail).items():
        setattr(settings, name, value)
    settings.PRACTICE_DIR = tmp_path / "no-practice"
    return shared_gmail


@pytest.fixture
def workspace(db: None) -> Workspace:
    return new_workspace()
