"""A practice Gmail as a real process, for every test that needs one.

with PracticeGmail(tmp_path / "gmail", accounts=["ana@gmail.com:abcd efgh ijkl mnop"]) as gmail:
    gmail.env["GMAIL_SMTP_SSL_PORT"]
    gmail.control(limit=3, clock_offset=86_400)
    location = gmail.consent(authorization_url, account="ana@gmail.com")
    [row["to"] for row in gmail.ledger()]
"""

import json
import random
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from html import unescape
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urljoin

import requests

REPOSITORY = Path(__file__).resolve().parent.parent
PORTS = 5
# Below the ports that the system gives to outgoing connections.
LOWEST_PORT, HIGHEST_PORT = 20_000, 32_000
START_SECONDS = 20
TRIES = 20


class PracticeGmail:
    """One data directory, and the process that serves it while it is started."""

    def __init__(
        self,
        directory: Path,
        *,
        accounts: Sequence[str] = (),
        limit: int | None = None,
        port: int | None = None,
        idle_timeout: float | None = None,
        sent_name: str | None = None,
    ) -> None:
        """``accounts`` are EMAIL or EMAIL:APP-PASSWORD; without ``port``, free ones are found."""
        self.directory = directory
        self.port = port
        self._accounts = list(accounts)
        self._limit = limit
        self._idle_timeout = idle_timeout
        self._sent_name = sent_name
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> "PracticeGmail":
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> "PracticeGmail":
        """Start, or start again on the same ports, and return when all of them listen."""
        if self.port is not None:
            self._start_on(self.port)
            return self
        for _ in range(TRIES):
            port = _free_ports()
            try:
                self._start_on(port)
            except PortTaken:
                continue
            self.port = port
            return self
        raise RuntimeError("No free ports were found for the practice Gmail.")

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int | None:
        """End it as a person would; the exit status, or None when it was not running."""
        return self._end(how)

    def kill(self) -> int | None:
        """End it by SIGKILL, as a crash would."""
        return self._end(signal.SIGKILL)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def env(self) -> dict[str, str]:
        """The GOOGLE_* and GMAIL_* settings with which a client talks to it."""
        lines = (self.directory / "env").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)

    @property
    def web(self) -> str:
        """The address of the web mailbox, without a slash at its end."""
        return f"http://127.0.0.1:{self.port}"

    def app_password(self, email: str) -> str:
        rows = json.loads((self.directory / "accounts.json").read_text())
        return str(next(row["app_password"] for row in rows if row["email"] == email))

    def control(self, **settings: Any) -> dict[str, Any]:
        """Set ``clock_offset``, ``limit``, ``faults``, ... (see ``practice.control``).

        The answer is the state after it.
        """
        answer = requests.post(f"{self.web}/control", json=settings, timeout=10)
        if answer.status_code != 200:
            raise ValueError(answer.text.strip())
        return dict(answer.json())

    def consent(
        self, url: str, *, account: str | None = None, allow: bool = True, mail: bool = True
    ) -> str:
        """Go through the consent page as a person would; the address that one is sent back to.

        Without ``account`` the one that is preselected; ``mail=False`` unticks access to mail.
        """
        with requests.Session() as browser:
            shown = browser.get(url, timeout=10)
            shown.raise_for_status()
            action = unescape(_find(r'<form[^>]* action="([^"]+)"', shown.text))
            fields = [
                ("secret", _find(r'name="secret" value="([^"]+)"', shown.text)),
                ("decision", "allow" if allow else "cancel"),
                ("account", account or _find(r'value="([^"]+)" checked="checked"', shown.text)),
            ]
            if mail:
                fields.append(("scope", "https://mail.google.com/"))
            answer = browser.post(
                urljoin(url, action), data=fields, allow_redirects=False, timeout=10
            )
        if answer.status_code != 302:
            raise ValueError(f"{answer.status_code}: {answer.text}")
        return answer.headers["Location"]

    def ledger(self) -> list[dict[str, Any]]:
        """The accepted messages, oldest first; a line that is still being written is left out."""
        return _rows(self.directory / "ledger.jsonl")

    def refused(self) -> list[dict[str, Any]]:
        return _rows(self.directory / "refused.jsonl")

    def _start_on(self, port: int) -> None:
        command = [sys.executable, "-m", "practice", "--dir", str(self.directory)]
        command += ["--port", str(port)]
        for account in self._accounts:
            command += ["--account", account]
        if self._limit is not None:
            command += ["--limit", str(self._limit)]
            # Only the first start sets it, so that a restart shows what the server remembers.
            self._limit = None
        if self._idle_timeout is not None:
            command += ["--idle-timeout", str(self._idle_timeout)]
        if self._sent_name is not None:
            command += ["--sent-name", self._sent_name]
        self._process = subprocess.Popen(
            command,
            cwd=REPOSITORY,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._wait_until_ready(self._process)

    def _wait_until_ready(self, process: subprocess.Popen[str]) -> None:
        deadline = time.monotonic() + START_SECONDS
        ready = self.directory / "ready"
        while time.monotonic() < deadline:
            if process.poll() is not None:
                self._process = None
                assert process.stderr is not None
                with process.stderr as stderr:
                    complaint = stderr.read().strip()
                raise PortTaken(complaint) if "is taken" in complaint else RuntimeError(complaint)
            # A killed process left an old one behind; the new one removes it before it listens,
            # at any moment of ours.
            with suppress(FileNotFoundError):
                if ready.read_text().strip() == str(process.pid):
                    return
            time.sleep(0.01)
        self.kill()
        raise TimeoutError(f"The practice Gmail was not ready within {START_SECONDS} seconds.")

    def _end(self, how: signal.Signals) -> int | None:
        if self._process is None:
            return None
        process, self._process = self._process, None
        process.send_signal(how)
        try:
            _, complaints = process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise
        if complaints:
            sys.stderr.write(complaints)
        return process.returncode


class PortTaken(Exception):
    """Another process got the port first."""


def _free_ports() -> int:
    for _ in range(TRIES):
        first = random.randrange(LOWEST_PORT, HIGHEST_PORT)
        if all(_is_free(port) for port in range(first, first + PORTS)):
            return first
    raise RuntimeError("No free ports were found for the practice Gmail.")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _rows(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text().splitlines(True) if line.endswith("\n")]


def _find(pattern: str, html: str) -> str:
    match = re.search(pattern, html)
    assert match, f"{pattern} is not on the page:\n{html}"
    return match[1]
