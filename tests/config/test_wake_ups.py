"""What wakes a task by its name finds it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from accounts.clock import rules
from campaigns import tasks
from campaigns.inbound import schedule as inbound_schedule
from config import celery
from config.celery import app

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGES = ("accounts", "campaigns", "config")


def names_woken() -> Iterator[str]:
    for package in PACKAGES:
        for path in (REPOSITORY / package).rglob("*.py"):
            for call in ast.walk(ast.parse(path.read_text())):
                if isinstance(call, ast.Call) and ast.unparse(call.func).endswith("send_task"):
                    yield ast.literal_eval(call.args[0])


def test_it_wakes_only_tasks_that_there_are() -> None:
    app.loader.import_default_modules()
    woken = set(names_woken())
    assert len(woken) >= 2
    ticks = {entry["task"] for entry in app.conf.beat_schedule.values()}
    assert woken | ticks <= set(app.tasks)


def test_what_comes_back_is_looked_for_within_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    tick = app.conf.beat_schedule["inbox"]["schedule"].seconds
    assert tick + inbound_schedule.OFTEN.total_seconds() < 60
    read: list[int] = []
    monkeypatch.setattr(inbound_schedule, "due", lambda now: [7, 8])
    monkeypatch.setattr(
        tasks.read_mailbox, "apply_async", lambda args, **options: read.append(args[0])
    )
    tasks.read_what_came()
    assert read == [7, 8]


def test_a_tick_is_good_by_every_clock_that_is_believed() -> None:
    """Beat's five seconds would be over at once for a worker whose clock is ahead."""
    assert 2 * rules.AT_MOST_OFF.total_seconds() <= celery.APART_SECONDS
    for entry in app.conf.beat_schedule.values():
        assert entry["options"]["expires"] > celery.APART_SECONDS
