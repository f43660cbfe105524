import time as clock
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from campaigns.delivery import deadline
from campaigns.delivery.deadline import Deadline


def test_it_does_not_mind_the_wall_clock() -> None:
    running = Deadline(timedelta(minutes=4))
    with time_machine.travel(datetime.now(UTC) + timedelta(days=1)):
        assert not running.passed
    with time_machine.travel(datetime.now(UTC) - timedelta(days=1)):
        assert Deadline(timedelta()).passed


def test_it_passes_on_the_clock_that_counts_suspend(monkeypatch: pytest.MonkeyPatch) -> None:
    counts_suspend = getattr(clock, "CLOCK_BOOTTIME", clock.CLOCK_MONOTONIC)
    shows = {counts_suspend: 1000.0}
    monkeypatch.setattr(deadline.time, "clock_gettime", shows.__getitem__)
    running = Deadline(timedelta(minutes=4))
    shows[counts_suspend] += 239
    assert not running.passed
    shows[counts_suspend] += 1
    assert running.passed
