"""python -m tests.torture: faults at every step of sending, by name and at random, and the count.

The last line is one JSON object. Exit status 0 when nothing was found, 1 otherwise.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

from tests.torture.checker import Verdict
from tests.torture.clock import Clock

# So much is shown of what the processes of a red case said.
LOG_LINES = 60


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20, help="random rounds")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--db", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--points", choices=["all", "some", "none", "phases"], default="all")
    options = parser.parse_args()
    with ExitStack() as until_the_end:
        folder = Path(until_the_end.enter_context(tempfile.TemporaryDirectory("-torture")))
        server = _choose_database(options.db, folder, until_the_end)
        clock = _start_django(folder)
        # Only now: these need Django.
        from tests.torture import named, phases, rounds, working
        from tests.torture.databases import PostgresDatabases, SqliteFiles
        from tests.torture.stage import Stage

        if options.db == "sqlite":
            databases = SqliteFiles(folder)
        else:
            databases = PostgresDatabases(os.environ["DATABASE_URL"], server)
        working.get_ready(clock)
        working.hurry()
        chosen = {"all": named.EVERYTHING, "some": named.SOME, "none": [], "phases": []}[
            options.points
        ]
        mailboxes = 100 + len(chosen) + 3 * options.rounds
        stage = until_the_end.enter_context(Stage(folder, clock, databases, mailboxes).open())
        total = Verdict()
        for name, how in chosen:
            verdict = named.run(stage, name, how)
            _tell(f"{how} {name}", verdict, stage.log)
            total.add(verdict)
        for name, verdict in phases.run_all(stage) if options.points in ("all", "phases") else ():
            _tell(name, verdict, stage.log)
            total.add(verdict)
        for number in range(1, options.rounds + 1):
            began = time.monotonic()
            verdict, said = rounds.run(stage, options.seed, number)
            took = time.monotonic() - began
            _tell(f"round {number} of SEED={options.seed}, {took:.1f} s", verdict, stage.log, said)
            total.add(verdict)
    sys.stdout.write(json.dumps(_summary(total, options.rounds, stage.kills)) + "\n")
    return 1 if total.red else 0


def _choose_database(kind: str, folder: Path, until_the_end: ExitStack) -> Path | None:
    """Sets DATABASE_URL; the folder of the server when it was started here."""
    if kind == "sqlite":
        os.environ["DATABASE_URL"] = f"sqlite:///{folder / 'daypost.sqlite3'}"
        return None
    if os.environ.get("DATABASE_URL", "").startswith("postgresql:"):
        return None
    from tests.services import postgres, redis

    os.environ["CELERY_BROKER_URL"] = until_the_end.enter_context(redis(folder))
    os.environ["DATABASE_URL"] = until_the_end.enter_context(postgres(folder / "postgres"))
    return folder / "postgres"


def _start_django(folder: Path) -> Clock:
    os.environ["DAYPOST_TEST_FOLDER"] = str(folder / "data")
    (folder / "data").mkdir()
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    os.environ.setdefault("LOG_LEVEL", "ERROR")
    clock = Clock()
    clock.install()
    import django

    django.setup()
    return clock


def _tell(case: str, verdict: Verdict, log: Path, said: list[str] | None = None) -> None:
    if not verdict.red:
        sys.stdout.write(f"ok   {case}\n")
    else:
        sys.stdout.write(f"RED  {case}\n")
        for line in said or []:
            sys.stdout.write(f"       {line}\n")
        for problem in verdict.problems:
            sys.stdout.write(f"       {problem}\n")
        for line in log.read_text().splitlines()[-LOG_LINES:]:
            sys.stdout.write(f"       | {line}\n")
    sys.stdout.flush()


def _summary(total: Verdict, rounds: int, kills: int) -> dict[str, int]:
    counts = asdict(total)
    del counts["problems"]
    return {"rounds": rounds, "kills": kills, **counts}


if __name__ == "__main__":
    sys.exit(main())
