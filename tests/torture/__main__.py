"""python -m tests.torture: faults at every step of sending, by name and at random, and the count.

The last line is one JSON object. Exit status 0 when nothing was found, 1 otherwise. SIGTERM ends it
after the round in hand.
"""

import argparse
import json
import os
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

from tests.services import Redis, postgres
from tests.torture.checker import Verdict
from tests.torture.clock import Clock

# So much is shown of what the processes of a red case said.
LOG_LINES = 60
POINTS = ["all", "some", "none", "phases", "stories"]
# After so many rounds each fault must have struck.
ENOUGH_FOR_EACH = 100


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20, help="random rounds")
    parser.add_argument("--first", type=int, default=1, help="number of the first round")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--db", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--points", choices=POINTS, default="all")
    parser.add_argument(
        "--only", default="", help="of the points and stories, those whose name holds this"
    )
    options = parser.parse_args()
    with ExitStack() as until_the_end:
        folder = Path(until_the_end.enter_context(tempfile.TemporaryDirectory("-torture")))
        server, redis = _choose_database(options.db, folder, until_the_end)
        clock = _start_django(folder)
        # Only now: these need Django.
        from tests.torture import named, phases, rounds, stories, working
        from tests.torture.broker import FolderBroker, RedisBroker
        from tests.torture.databases import PostgresDatabases, SqliteFiles
        from tests.torture.stage import Stage

        if options.db == "sqlite":
            databases = SqliteFiles(folder)
        else:
            databases = PostgresDatabases(os.environ["DATABASE_URL"], server)
        working.get_ready(clock)
        working.hurry()
        chosen = {"all": named.EVERYTHING, "some": named.SOME}.get(options.points, [])
        chosen = [(name, how) for name, how in chosen if options.only in f"{how} {name}"]
        mailboxes = 100 + len(chosen) + 2 * options.rounds
        broker = RedisBroker(redis) if redis else FolderBroker()
        stage = Stage(folder, clock, databases, broker, mailboxes)
        until_the_end.enter_context(stage.open())
        total, struck, done = Verdict(), Counter[str](), 0
        for name, how in chosen:
            verdict = named.run(stage, name, how)
            _tell(f"{how} {name}", verdict, stage.log)
            total.add(verdict)
        told = {"all": stories.STORIES, "some": stories.SOME, "stories": stories.STORIES}
        names = [name for name in told.get(options.points, ()) if options.only in name]
        for name, verdict in stories.run(stage, names):
            _tell(name, verdict, stage.log)
            total.add(verdict)
        for name, verdict in phases.run_all(stage) if options.points in ("all", "phases") else ():
            _tell(name, verdict, stage.log)
            total.add(verdict)
        ended = threading.Event()
        signal.signal(signal.SIGTERM, lambda *_: ended.set())
        numbers = range(options.first, options.first + options.rounds)
        for number in numbers:
            began = time.monotonic()
            this = rounds.run(stage, options.seed, number)
            took = time.monotonic() - began
            name = f"round {number} of SEED={options.seed}, {took:.1f} s"
            _tell(name, this.verdict, stage.log, this.said)
            total.add(this.verdict)
            struck += this.struck
            done += 1
            if ended.is_set():
                break
        if options.rounds:
            sys.stdout.write(f"Faults that struck: {json.dumps(_by_number(struck))}\n")
        never = [name for name in rounds.faults.names() if not struck[name]]
        if never and done >= ENOUGH_FOR_EACH:
            total.note("disagreements", f"never struck: {', '.join(never)}")
            sys.stdout.write(f"RED  {total.problems[-1]}\n")
    sys.stdout.write(json.dumps(_summary(total, done, stage.kills)) + "\n")
    return 1 if total.red else 0


def _by_number(struck: Counter[str]) -> dict[str, int]:
    return {name: times for name, times in struck.most_common() if times}


def _choose_database(
    kind: str, folder: Path, until_the_end: ExitStack
) -> tuple[Path | None, Redis | None]:
    """Sets DATABASE_URL; the servers that were started here, PostgreSQL by its folder."""
    if kind == "sqlite":
        os.environ["DATABASE_URL"] = f"sqlite:///{folder / 'daypost.sqlite3'}"
        return None, None
    if os.environ.get("DATABASE_URL", "").startswith("postgresql:"):
        return None, None
    redis = Redis(folder)
    redis.start()
    until_the_end.callback(redis.stop)
    os.environ["CELERY_BROKER_URL"] = redis.url
    os.environ["DATABASE_URL"] = until_the_end.enter_context(postgres(folder / "postgres"))
    return folder / "postgres", redis


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
