"""What every test may ask for, and the clock that all but its own tests run on."""

import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.conf import settings

from accounts.clock import readings
from accounts.clock.rules import Answer
from campaigns import lasting_keys
from tests.cast import (  # noqa: F401  fixtures
    elsewhere,
    home,
    outsider,
    outsider_client,
    owner,
    owner_client,
    team_mate,
    team_mate_client,
)


@pytest.fixture(autouse=True)
def _nothing_handed_over() -> None:
    """Each test has a database of its own, and the data folder is one for all."""
    (Path(settings.DATA_DIR) / "generation").unlink(missing_ok=True)


@pytest.fixture(autouse=True)
def _no_key_was_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process looks once, and here one process has many databases and keys."""
    monkeypatch.setattr(lasting_keys, "_fitting", ())


@pytest.fixture(autouse=True)
def clock_that_agrees(monkeypatch: pytest.MonkeyPatch) -> None:
    """The boot counts whatever the wall clock passes, and Google has the same time.

    So a test that moves the wall clock moves a machine that was switched off meanwhile, or asleep.
    """

    def ask(account: object) -> Answer:
        now = datetime.now(UTC)
        return Answer(now, now, now)

    monkeypatch.setattr(readings, "boottime", time.time)
    monkeypatch.setattr(readings, "ask", ask)
