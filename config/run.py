"""`make run`: everything that an instance needs, in the foreground, until Ctrl-C.

`python -m config.run web worker beat` starts only the parts named. Exit status: 0 when it was asked
to stop, 1 when it could not start or stay up, 2 for a part that there is not.

Looks whether the ports are free, brings the tables up to date, starts the parts named in the
`Procfile` under honcho, and prints the address once the page answers. When a part dies, honcho
stops the others, and all of them are started again: see
`docs/decisions/one-command-and-its-parts.md`.
"""

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Collection, Sequence
from pathlib import Path
from subprocess import Popen
from types import FrameType
from typing import IO

from honcho.environ import parse_procfile

from config import settings
from config.ports import PortUnusable, try_all

# OAuth and the web mailbox, SMTP twice, IMAP, POP.
PRACTICE_PORTS = 5
# Parts that die within this many seconds would die again: the person should read why.
SETTLED_AFTER = 60
# Honcho kills what has not ended 5 seconds after it was asked to. A worker that has just given a
# message to Gmail waits for the answer, and killed before it comes would leave it in doubt.
HONCHO = "from honcho import command, manager; manager.KILL_WAIT = 20; command.main()"
MANAGE = settings.BASE_DIR / "manage.py"
PROCFILE = settings.BASE_DIR / "Procfile"


class CannotRun(Exception):
    """Why nothing was started: one sentence with the next step."""


class NoSuchPart(CannotRun):
    """A part was named that is not in the `Procfile`."""


def main(names: Sequence[str]) -> int:
    try:
        parts = parts_named(names)
        port = port_from_environment("PORT", 8000)
        practice_port = port_from_environment("PRACTICE_PORT", 8025)
        host = os.environ.setdefault("HOST", "127.0.0.1")
        refuse_taken_ports(host, port, practice_port, parts)
        update_tables()
    except CannotRun as problem:
        sys.stderr.write(f"{problem}\n")
        return 2 if isinstance(problem, NoSuchPart) else 1
    # The children must mean the same folder, wherever the setting came from.
    os.environ["DAYPOST_DATA_DIR"] = str(settings.DATA_DIR)
    os.environ["PRACTICE_PORT"] = str(practice_port)
    return Instance(port, parts).keep_running()


def parts_named(names: Sequence[str]) -> list[str]:
    """The parts to start: those named, or all of the `Procfile`. Raises NoSuchPart."""
    known = list(parse_procfile(PROCFILE.read_text()).processes)
    for name in names:
        if name not in known:
            raise NoSuchPart(f'There is no part "{name}". The parts are: {", ".join(known)}.')
    return list(names) or known


def port_from_environment(name: str, default: int) -> int:
    """The port in the variable `name`. Raises CannotRun when it is none."""
    text = os.environ.get(name) or str(default)
    if not (text.isascii() and text.isdecimal()) or not 0 < int(text) <= 65535 - PRACTICE_PORTS:
        raise CannotRun(f'{name} is "{text}", which is not a port. Use a number such as {default}.')
    return int(text)


def refuse_taken_ports(host: str, port: int, practice_port: int, parts: Collection[str]) -> None:
    """Raise CannotRun unless `parts` can listen on every port of theirs, all at the same time."""
    web = [(host, port)]
    practice = [("127.0.0.1", practice_port + offset) for offset in range(PRACTICE_PORTS)]
    try:
        try_all([*(web if "web" in parts else []), *(practice if "practice" in parts else [])])
    except PortUnusable as error:
        setting = "PORT" if error.number == port else "PRACTICE_PORT"
        another = f"make run {setting}={error.number + 1000}"
        raise CannotRun(f"{error} Stop what uses it, or choose another: {another}") from error


def update_tables() -> None:
    """Bring the database up to date. Raises CannotRun."""
    migrate = [sys.executable, str(MANAGE), "migrate", "--verbosity", "0"]
    if subprocess.run(migrate, check=False).returncode:  # noqa: S603  our own command
        raise CannotRun("The database could not be brought up to date: see the lines above.")


def start_parts(*names: str, port: int, output: IO[bytes] | None = None) -> "Popen[bytes]":
    """Start honcho with the parts of the `Procfile` named, or with all; SIGTERM stops them.

    `DAYPOST_DATA_DIR` and `PRACTICE_PORT` must stand in the environment.
    """
    command = [
        *(sys.executable, "-c", HONCHO, "start"),
        *("--procfile", str(PROCFILE)),
        *("--app-root", str(settings.BASE_DIR)),
        # Daypost reads `.env` by itself; honcho would let it win over the environment.
        *("--env", os.devnull),
        *("--port", str(port)),
        *names,
    ]
    tools = Path(sys.executable).parent
    environment = os.environ | {"PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"}
    return Popen(command, env=environment, stdout=output, stderr=output)  # noqa: S603  ours


class Instance:
    """Its parts, as one thing that runs or does not."""

    def __init__(self, port: int, parts: Sequence[str]) -> None:
        self.port = port
        self.parts = parts
        self.address = f"http://localhost:{port}/"
        self.asked_to_stop = False

    def keep_running(self) -> int:
        """Run until somebody asks to stop (0), or until a part cannot even start (1)."""
        for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(signum, self._stop)
        while not self.asked_to_stop:
            started = time.monotonic()
            self._wait_for(start_parts(*self.parts, port=self.port))
            if self.asked_to_stop:
                break
            if time.monotonic() - started < SETTLED_AFTER:
                sys.stderr.write("A part of Daypost did not stay up: see the lines above.\n")
                return 1
            sys.stderr.write("A part of Daypost stopped by itself. Starting all of it again.\n")
        return 0

    def _stop(self, signum: int, frame: FrameType | None) -> None:
        self.asked_to_stop = True

    def _wait_for(self, honcho: "Popen[bytes]") -> None:
        announced = "web" not in self.parts
        while honcho.poll() is None and not self.asked_to_stop:
            if not announced and page_answers(self.address):
                announced = True
                sys.stdout.write(f"\n  Daypost is ready. Open\n\n{self.address}\n\n")
                sys.stdout.flush()
            time.sleep(0.1)
        honcho.terminate()
        honcho.wait()


def page_answers(address: str, patience: float = 1) -> bool:
    """Whether a browser would get a page from `address` within `patience` seconds."""
    try:
        with urllib.request.urlopen(address, timeout=patience) as answer:  # noqa: S310  ours
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
