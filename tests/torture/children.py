"""Processes that can be killed and stopped: forks of the runner, with Django loaded already."""

import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from django.db import connections

PATIENCE_SECONDS = 30
ENDED_WELL, FAILED = 0, 1


class Child:
    """Runs `work` in a process of its own; what it says goes to `log`."""

    def __init__(self, name: str, work: Callable[[], object], log: Path) -> None:
        self.name = name
        # A connection must not be shared with a child.
        connections.close_all()
        self.pid = os.fork()
        self._status: int | None = None
        if self.pid == 0:
            _become(work, log)

    def signal(self, number: signal.Signals) -> None:
        if not self.has_ended():
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.signal(signal.SIGKILL)
        self.wait()

    def stop(self) -> None:
        self.signal(signal.SIGSTOP)

    def wake(self) -> None:
        self.signal(signal.SIGCONT)

    def has_ended(self) -> bool:
        if self._status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self._status = status
        return self._status is not None

    def is_stopped(self) -> bool:
        """Whether it lies still, by SIGSTOP."""
        with suppress(OSError):
            state = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0]
            return state == "T"
        return False

    def wait(self) -> int:
        """Until it has ended: its exit status, or minus the signal that killed it."""
        self.wait_until(self.has_ended)
        assert self._status is not None
        return os.waitstatus_to_exitcode(self._status)

    def join(self) -> None:
        self.wait()

    def wait_until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            if time.monotonic() > deadline:
                self.kill_at_once()
                raise TimeoutError(f"{self.name} did not come to its end.")
            time.sleep(0.002)

    def kill_at_once(self) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)


def _become(work: Callable[[], object], log: Path) -> None:
    """Never returns."""
    status = FAILED
    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        with log.open("a") as file:
            os.dup2(file.fileno(), sys.stdout.fileno())
            os.dup2(file.fileno(), sys.stderr.fileno())
        work()
        status = ENDED_WELL
    except BaseException:  # noqa: BLE001  whatever it was, it must not climb into the runner
        traceback.print_exc()
    finally:
        # Where no file may grow, not even this can be said.
        with suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)
