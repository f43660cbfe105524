"""A mail server of this test run alone: its folder, its process, and the wait until it answers.

Dovecot and Postfix start as root and go on as users of the system. So their folder must be one that
those users can walk to, which the folders that pytest makes are not.
"""

import os
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

START_SECONDS = 30
STOP_SECONDS = 15
TRIES = 5


class PortTaken(Exception):
    """Something else listened on one of its ports first."""


@contextmanager
def open_folder(name: str) -> Iterator[Path]:
    """An empty folder that every user of the system can walk to; gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix=f"daypost-{name}-", dir=_open_parent()))
    try:
        folder.chmod(0o755)
        yield folder
    finally:
        shutil.rmtree(folder)


def _open_parent() -> Path:
    """The folder for temporary files; the system's, where only its owner can walk to that one."""
    chosen = Path(tempfile.gettempdir()).resolve()
    open_to_all = all(each.stat().st_mode & 0o001 for each in (chosen, *chosen.parents))
    return chosen if open_to_all else Path("/tmp")


class PrivateServer:
    """A server in the foreground, in a process group of its own."""

    def __init__(self, command: Sequence[str], log: Path) -> None:
        self._log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                # A path of the caller's would reach the servers' own helpers.
                env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"},
            )

    def wait_until_it_answers(self, ports: Sequence[int], ca_file: Path) -> None:
        """Wait for TLS on each of `ports`, by a certificate of this run's own authority.

        Raises PortTaken, or RuntimeError with its log when it does not start.
        """
        deadline = time.monotonic() + START_SECONDS
        context = ssl.create_default_context(cafile=str(ca_file))
        while not all(_answers(port, context) for port in ports):
            ended = self._process.poll() is not None
            if ended and "Address already in use" in self.log:
                raise PortTaken(self.log)
            if ended or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(f"The server did not start:\n{self.log}")
            time.sleep(0.05)

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def end(self, processes: Iterable[int]) -> None:
        """SIGTERM to these of its processes, and wait until they are gone."""
        deadline = time.monotonic() + STOP_SECONDS
        for process in processes:
            # One that ended meanwhile may have left its number to somebody else's.
            with suppress(ProcessLookupError):
                if os.getpgid(process) == self._process.pid:
                    os.kill(process, signal.SIGTERM)
                while os.getpgid(process) == self._process.pid:
                    assert time.monotonic() < deadline, f"{process} does not end:\n{self.log}"
                    time.sleep(0.01)

    def stop(self) -> None:
        """SIGTERM to the master, which ends the rest; SIGKILL for what stays."""
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_SECONDS)
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


def _answers(port: int, context: ssl.SSLContext) -> bool:
    try:
        with (
            socket.create_connection(("127.0.0.1", port), timeout=5) as plain,
            context.wrap_socket(plain, server_hostname="127.0.0.1"),
        ):
            return True
    except OSError:
        return False
