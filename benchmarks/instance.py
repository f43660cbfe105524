"""An instance to measure: PostgreSQL and Redis of its own, a sink that takes its mail, workers."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from honcho.environ import parse_procfile

from tests.services import postgres, redis

REPOSITORY = Path(__file__).resolve().parent.parent
# A worker may have to wait for the answer to the message in hand.
STOP_SECONDS = 30
START_SECONDS = 120


class Instance:
    """Services for this process, through its environment, and for the parts it starts."""

    def __init__(self, folder: Path, latency: float) -> None:
        self.folder = folder
        self.taken = folder / "taken"
        self.ca_file = folder / "certificates" / "ca.pem"
        self._latency = latency
        self._running = ExitStack()
        self.pids: dict[str, list[int]] = {"web": [], "worker": [], "beat": []}

    def __enter__(self) -> "Instance":
        with ExitStack() as started:
            # One for each thread of the workers, and some more.
            database = postgres(self.folder / "postgres", connections=200)
            os.environ["DATABASE_URL"] = started.enter_context(database)
            os.environ["CELERY_BROKER_URL"] = started.enter_context(redis(self.folder))
            self.port, clock = started.enter_context(self._sink())
            self._running = started.pop_all()
        os.environ["DAYPOST_DATA_DIR"] = str(self.folder / "data")
        os.environ["GMAIL_SMTP_HOST"] = "localhost"
        os.environ["GMAIL_SMTP_SSL_PORT"] = str(self.port)
        os.environ["GOOGLE_TOKEN_URI"] = f"http://localhost:{clock}/token"
        os.environ["GMAIL_CA_FILE"] = str(self.ca_file)
        os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()

    @contextmanager
    def _sink(self) -> Iterator[tuple[int, int]]:
        certificates = self.ca_file.parent
        certificates.mkdir()
        command = ("-m", "benchmarks.sink", str(certificates), str(self._latency), str(self.taken))
        with _process(command, stdout=subprocess.PIPE) as process:
            if process.stdout is None:
                raise RuntimeError("The sink does not say where it listens.")
            yield int(process.stdout.readline()), int(process.stdout.readline())

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """One more process of the `Procfile`, as it stands there."""
        command = parse_procfile((REPOSITORY / "Procfile").read_text()).processes[name]
        tools = Path(sys.executable).parent
        environment = os.environ | {"PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"}
        with _process(("/bin/sh", "-c", command), env=environment) as process:
            self.pids[name].append(process.pid)
            yield

    @property
    def postmaster(self) -> int:
        """The process of the database that has started all others."""
        return int((self.folder / "postgres/data/postmaster.pid").read_text().split()[0])

    def forget_taken(self) -> None:
        self.taken.write_text("")

    def taken_since(self, moment: float) -> list[tuple[float, str]]:
        """What the sink took since then: when, and from whom."""
        rows = (line.split() for line in self.taken.read_text().splitlines())
        return [(float(at), sender) for at, sender in rows if float(at) >= moment]

    def wait_for_the_first(self) -> None:
        """Starting the parts, and reading the trust roots, is not what is measured."""
        deadline = time.monotonic() + START_SECONDS
        while not self.taken_since(0) and time.monotonic() < deadline:
            time.sleep(0.1)


@contextmanager
def _process(
    command: tuple[str, ...], stdout: int | None = None, env: dict[str, str] | None = None
) -> "Iterator[subprocess.Popen[bytes]]":
    whole = command if command[0].startswith("/") else (sys.executable, *command)
    process = subprocess.Popen(whole, stdout=stdout, env=env, cwd=REPOSITORY)  # noqa: S603  ours
    try:
        yield process
    finally:
        process.terminate()
        process.wait(STOP_SECONDS)
