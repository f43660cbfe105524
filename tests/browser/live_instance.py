"""An instance as `make run` starts it: web, worker, beat and practice Gmail, each a process."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

from config.ports import find_free
from tests.services import create_database, redis

REPOSITORY = Path(__file__).resolve().parents[2]
START_SECONDS = 90
STOP_SECONDS = 15


class LiveInstance:
    """With `on_postgres` on PostgreSQL and Redis, otherwise on files alone."""

    def __init__(
        self,
        folder: Path,
        *,
        on_postgres: bool,
        parts: Sequence[str] = (),
        settings: dict[str, str] | None = None,
    ):
        """`parts` are those that `make run` is asked to start; without any, all of them."""
        self.data_dir = folder / "data"
        self._folder = folder
        self._on_postgres = on_postgres
        self._parts = parts
        self._services = ExitStack()
        self.port = find_free(6)
        self.practice_port = self.port + 1
        self.env = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "DAYPOST_DATA_DIR": str(self.data_dir),
            "PORT": str(self.port),
            "PRACTICE_PORT": str(self.practice_port),
            **(settings or {}),
        }
        if not on_postgres:
            self.env["DATABASE_URL"] = f"sqlite:///{self.data_dir / 'daypost.sqlite3'}"

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}/"

    @property
    def practice_url(self) -> str:
        return f"http://localhost:{self.practice_port}/"

    @property
    def log(self) -> str:
        return (self._folder / "log").read_text()

    def practice_ledger(self) -> list[dict[str, Any]]:
        """What the practice Gmail has accepted, oldest first, as it wrote it down itself."""
        path = self.data_dir / "practice" / "ledger.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def manage(self, *arguments: str) -> str:
        """Run a `manage.py` command on this instance, and return what it printed."""
        command: Sequence[str] = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(
            command, cwd=REPOSITORY, env=self.env, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def __enter__(self) -> "LiveInstance":
        if self._on_postgres:
            # The environment names the server of the run; each instance has its own database.
            server = os.environ["DATABASE_URL"]
            self.env["DATABASE_URL"] = create_database(server, f"live_{self.port}")
            self.env["CELERY_BROKER_URL"] = self._services.enter_context(redis(self._folder))
        try:
            self._start()
        except BaseException:
            self._services.close()
            raise
        return self

    def _start(self) -> None:
        with (self._folder / "log").open("w") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "config.run", *self._parts],
                cwd=REPOSITORY,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        deadline = time.monotonic() + START_SECONDS
        while self.url not in self.log.splitlines():
            assert self._process.poll() is None, self.log
            if time.monotonic() > deadline:
                self._stop()
                raise TimeoutError(self.log)
            time.sleep(0.05)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        stayed_up = self._process.poll() is None
        self._stop()
        self._services.close()
        # Seen by nobody in a browser: a part that died, an error that only the log tells.
        assert stayed_up and "Traceback" not in self.log, self.log

    def _stop(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(STOP_SECONDS)
