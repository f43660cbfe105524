"""The beat goes on whatever is done to the wall clock."""

import time
from datetime import timedelta
from typing import Any

import pytest
from celery import Celery

from config.beat import Every, Scheduler
from config.celery import app as daypost


class Beat(Scheduler):
    """Writes down what it would send, to no broker."""

    producer = None

    def __init__(self, app: Celery) -> None:
        self.woken: list[str] = []
        super().__init__(app, lazy=True)
        self.setup_schedule()

    def apply_async(self, entry: Any, *args: Any, **kwargs: Any) -> None:
        self.woken.append(entry.name)


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The clock that nobody sets; the test moves it."""
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


@pytest.fixture
def app(seconds: list[float]) -> Celery:
    app = Celery("test", set_as_current=False)
    app.conf.beat_schedule = {
        "often": {"task": "often", "schedule": Every(5)},
        "seldom": {"task": "seldom", "schedule": Every(30)},
    }
    return app


def run(beat: Beat, seconds: list[float], until: float) -> list[str]:
    beat.woken.clear()
    while seconds[0] < until:
        while beat.tick() == 0:
            pass  # whatever else is due at this moment
        seconds[0] += 1
    return list(beat.woken)


def test_it_wakes_each_as_often_as_it_should(app: Celery, seconds: list[float]) -> None:
    woken = run(Beat(app), seconds, 1061)
    assert woken.count("often") == 12
    assert woken.count("seldom") == 2


@pytest.mark.parametrize("hours", [25, -25, 24 * 365])
def test_it_goes_on_when_the_wall_clock_is_set(
    app: Celery, seconds: list[float], monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    beat = Beat(app)
    shift = timedelta(hours=hours)
    real = app.now
    monkeypatch.setattr(app, "now", lambda: real() + shift)
    run(beat, seconds, 1041)
    monkeypatch.setattr(app, "now", real)
    woken = run(beat, seconds, 1081)
    assert woken.count("often") == 8
    assert woken.count("seldom") >= 1


def test_every_entry_of_ours_goes_by_it() -> None:
    assert daypost.conf.beat_scheduler == "config.beat:Scheduler"
    entries = daypost.conf.beat_schedule.values()
    assert all(isinstance(entry["schedule"], Every) for entry in entries)
