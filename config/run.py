"""`make run`: everything that an instance needs, in the foreground, until Ctrl-C.

Looks whether the ports are free, brings the tables up to date, starts the parts named in the
`Procfile` under honcho, and prints the address once the page answers. When a part dies, honcho
stops the others, and all of them are started again: see
`docs/decisions/one-command-and-its-parts.md`.
"""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from types import FrameType

from config import settings

# OAuth and the web mailbox, SMTP twice, IMAP, POP.
PRACTICE_PORTS = 5
# Parts that die within this many seconds would die again: the person should read why.
SETTLED_AFTER = 60
# Honcho kills what has not ended 5 seconds after it was asked to. A worker that has just given a
# message to Gmail waits for the answer, and killed before it comes would leave it in doubt.
HONCHO = "from honcho import command, manager; manager.KILL_WAIT = 20; command.main()"
MANAGE = settings.BASE_DIR / "manage.py"


class CannotRun(Exception):
    """Why nothing was started: one sentence with the next step."""


def main() -> int:
    try:
        port = port_from_environment("PORT", 8000)
        practice_port = port_from_environment("PRACTICE_PORT", 8025)
        host = os.environ.setdefault("HOST", "127.0.0.1")
        refuse_taken_ports(host, port, practice_port)
        update_tables()
    except CannotRun as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    # The children must mean the same folder, wherever the setting came from.
    os.environ["DAYPOST_DATA_DIR"] = str(settings.DATA_DIR)
    os.environ["PRACTICE_PORT"] = str(practice_port)
    return Parts(port).keep_running()


def port_from_environment(name: str, default: int) -> int:
    """The port in the variable `name`. Raises CannotRun when it is none."""
    text = os.environ.get(name) or str(default)
    if not text.isdecimal() or not 0 < int(text) <= 65535 - PRACTICE_PORTS:
        raise CannotRun(f'{name} is "{text}", which is not a port. Use a number such as {default}.')
    return int(text)


def refuse_taken_ports(host: str, port: int, practice_port: int) -> None:
    """Raise CannotRun unless every port can be listened on, all at the same time."""
    wanted = [("PORT", host, port)] + [
        ("PRACTICE_PORT", "127.0.0.1", practice_port + i) for i in range(PRACTICE_PORTS)
    ]
    with ExitStack() as open_sockets:
        for setting, address, number in wanted:
            try:
                open_sockets.enter_context(
                    socket.create_server((address, number), family=_family(address))
                )
            except OSError as error:
                raise CannotRun(
                    f"Port {number} cannot be used ({os.strerror(error.errno or 0)}). "
                    f"Stop what uses it, or choose another: make run {setting}={number + 1000}"
                ) from error


def _family(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def update_tables() -> None:
    """Bring the database up to date. Raises CannotRun."""
    migrate = [sys.executable, str(MANAGE), "migrate", "--verbosity", "0"]
    if subprocess.run(migrate, check=False).returncode:  # noqa: S603  our own command
        raise CannotRun("The database could not be brought up to date: see the lines above.")


class Parts:
    """The parts of the `Procfile` under honcho, as one thing that runs or does not."""

    def __init__(self, port: int) -> None:
        self.address = f"http://localhost:{port}/"
        self.asked_to_stop = False
        self.honcho: subprocess.Popen[bytes] | None = None
        self.command = [
            *(sys.executable, "-c", HONCHO, "start"),
            *("--procfile", str(settings.BASE_DIR / "Procfile")),
            *("--app-root", str(settings.BASE_DIR)),
            # Daypost reads `.env` by itself; honcho would let it win over the environment.
            *("--env", os.devnull),
            *("--port", str(port)),
        ]

    def keep_running(self) -> int:
        """Run until somebody asks to stop (0), or until a part cannot even start (1)."""
        for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(signum, self._stop)
        environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
        while not self.asked_to_stop:
            started = time.monotonic()
            self.honcho = subprocess.Popen(self.command, env=environment)  # noqa: S603  ours
            self._wait_for(self.honcho)
            if self.asked_to_stop:
                break
            if time.monotonic() - started < SETTLED_AFTER:
                sys.stderr.write("A part of Daypost did not stay up: see the lines above.\n")
                return 1
            sys.stderr.write("A part of Daypost stopped by itself. Starting all of it again.\n")
        return 0

    def _stop(self, signum: int, frame: FrameType | None) -> None:
        self.asked_to_stop = True
        if self.honcho is not None:
            self.honcho.send_signal(signal.SIGTERM)

    def _wait_for(self, honcho: "subprocess.Popen[bytes]") -> None:
        announced = False
        while honcho.poll() is None:
            if not announced and not self.asked_to_stop and page_answers(self.address):
                announced = True
                sys.stdout.write(f"\n  Daypost is ready. Open\n\n{self.address}\n\n")
                sys.stdout.flush()
            time.sleep(0.2)


def page_answers(address: str) -> bool:
    """Whether a browser would get a page from `address` now."""
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:  # noqa: S310  ours
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


if __name__ == "__main__":
    sys.exit(main())
