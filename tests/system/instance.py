"""An instance as somebody sees it who cloned the repository and typed `make run`."""

import os
import signal
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from config.ports import find_free

# The first start installs everything.
START_SECONDS = 600
STOP_SECONDS = 8
# What reaches the network of this machine, if it needs to be told.
PASSED_ON = ("PIP_", "SSL_", "REQUESTS_", "HTTP", "http", "NO_PROXY", "no_proxy", "LANG", "PATH")


class Instance:
    """`make run` in a folder, in a process group of its own, as in a terminal."""

    def __init__(self, folder: Path, home: Path, **settings: str) -> None:
        self.folder = folder
        self.port = find_free(6)
        self.practice_port = self.port + 1
        # Every process that it starts inherits this, whatever group or session it moves to.
        self._mark = f"DAYPOST_BLACK_BOX={uuid.uuid4()}"
        name, _, value = self._mark.partition("=")
        self._environment = {
            **{name: value for name, value in os.environ.items() if name.startswith(PASSED_ON)},
            "HOME": str(home),
            "PORT": str(self.port),
            "PRACTICE_PORT": str(self.practice_port),
            name: value,
            **settings,
        }
        self.lines: list[str] = []

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}/"

    def start(self) -> "Instance":
        self.process = subprocess.Popen(
            ["make", "run"],
            cwd=self.folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        return self

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                self.lines.append(line.rstrip("\n"))

    def wait_until_ready(self) -> "Instance":
        """Wait for the address on a line of its own."""
        deadline = time.monotonic() + START_SECONDS
        while self.url not in self.lines:
            assert self.process.poll() is None, f"It ended by itself:\n{self.output}"
            assert time.monotonic() < deadline, f"It was never ready:\n{self.output}"
            time.sleep(0.1)
        return self

    def wait_until_ended(self) -> int:
        status = self.process.wait(START_SECONDS)
        self._reader.join(STOP_SECONDS)
        return status

    def press_ctrl_c(self) -> float:
        """What a terminal does. Returns the seconds until it had ended."""
        return self._stop(lambda: os.killpg(self.process.pid, signal.SIGINT))

    def terminate(self) -> float:
        """What a service manager does to the process that it started: SIGTERM to make alone."""
        return self._stop(self.process.terminate)

    def _stop(self, how: Callable[[], None]) -> float:
        asked = time.monotonic()
        how()
        self.process.wait(STOP_SECONDS)
        took = time.monotonic() - asked
        self._reader.join(STOP_SECONDS)
        return took

    def processes(self) -> dict[int, str]:
        """Every living process that came from this `make run`: pid and command line."""
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if self._mark.encode() in (folder / "environ").read_bytes().split(b"\0"):
                    command = (folder / "cmdline").read_bytes().replace(b"\0", b" ")
                    found[int(folder.name)] = command.decode().strip()
            except (OSError, ValueError):
                continue  # it ended meanwhile, or is somebody else's
        return found

    @property
    def output(self) -> str:
        return "\n".join(self.lines)

    def clean_up(self) -> None:
        """End whatever a failed test left."""
        for pid in self.processes():
            os.kill(pid, signal.SIGKILL)
        self.process.wait()


@contextmanager
def running(folder: Path, home: Path, **settings: str) -> Iterator[Instance]:
    instance = Instance(folder, home, **settings).start()
    try:
        yield instance.wait_until_ready()
    finally:
        instance.clean_up()
