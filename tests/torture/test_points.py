"""A few of the fault points, one of each kind; `make torture` has them all, and random rounds."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
NOTHING_FOUND = {"duplicates": 0, "lost": 0, "over_limit": 0, "stuck": 0, "disagreements": 0}


@pytest.mark.both_databases
def test_it_keeps_every_promise_when_it_dies_at_any_step(request: pytest.FixtureRequest) -> None:
    """In a process of its own, because it forks workers, and this one has threads."""
    database = request.config.getoption("database")
    command = [sys.executable, "-m", "tests.torture", "--points", "some", "--rounds", "0"]
    done = subprocess.run(
        [*command, "--db", database],
        cwd=REPOSITORY,
        env=os.environ,
        capture_output=True,
        text=True,
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    summary: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert summary.items() >= NOTHING_FOUND.items(), said
