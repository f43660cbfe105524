from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gmail_settings import point_at
from tests.journeys.daypost import connect, make_owner
from tests.practice_gmail import PracticeGmail

ANA = "ana@gmail.com"
BEN = "ben@gmail.com"


@pytest.fixture
def gmail(tmp_path: Path, settings: object) -> Iterator[PracticeGmail]:
    """A practice Gmail of its own, and an app whose settings point at it."""
    with PracticeGmail(tmp_path / "gmail", accounts=[ANA, BEN]) as gmail:
        point_at(gmail, settings)
        yield gmail


@pytest.fixture
def shop(gmail: PracticeGmail, tmp_path: Path, transactional_db: None) -> Path:
    """A workspace with one connected account; returns a folder for its files."""
    make_owner(tmp_path)
    connect(tmp_path, ANA, gmail.app_password(ANA))
    return tmp_path
