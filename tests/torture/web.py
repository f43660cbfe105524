"""The web process of an instance: gunicorn by its own settings, asked over a socket and killed."""

import os
import signal
import socket
import sys
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlencode

from django.conf import settings
from django.test import Client
from django.urls import reverse

from accounts import running
from accounts.models import Membership, User, Workspace
from tests.torture.children import Child
from tests.torture.stage import Stage

HOST = "127.0.0.1"
PATIENCE_SECONDS = 20
# As Django makes it; cookie and form field need only agree.
CSRF = "a" * 32


class Web:
    """One person is logged in. Started by `start`, and again after each `kill`."""

    def __init__(self, stage: Stage, workspace: Workspace) -> None:
        self._stage = stage
        self._person = User.objects.create_user(email="owner@example.org", password=None)
        Membership.objects.create(
            user=self._person, workspace=workspace, role=Membership.Role.OWNER
        )
        self._port = _free_port()
        self._server: Child | None = None
        self.log_in()

    def log_in(self) -> None:
        """Once more after a restore, which ends all sessions."""
        client = Client()
        client.force_login(self._person)
        self._session = client.cookies[settings.SESSION_COOKIE_NAME].value

    def start(self) -> None:
        self._server = self._stage.child("web", self._serve)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            with suppress(OSError):
                return socket.create_connection((HOST, self._port)).close()
            if self._server.has_ended() or time.monotonic() > deadline:
                raise RuntimeError("The web process does not start.")
            time.sleep(0.01)

    def _serve(self) -> None:
        from gunicorn.app.wsgiapp import WSGIApplication

        # So that it is killed with the workers that it forks.
        os.setsid()
        running.take_part()
        os.environ["PORT"] = str(self._port)
        sys.argv = ["gunicorn", "--config", "python:config.gunicorn", "config.wsgi"]
        WSGIApplication(prog="gunicorn").run()

    def kill(self) -> None:
        """With all its workers."""
        if self._server is None:
            return
        if not self._server.has_ended():
            os.killpg(self._server.pid, signal.SIGKILL)
            self._server.wait()
            self._stage.kills += 1
        self._server = None

    def kill_a_worker(self) -> None:
        """gunicorn then starts another."""
        assert self._server is not None
        pid = self._server.pid
        for worker in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[:1]:
            with suppress(ProcessLookupError):
                os.kill(int(worker), signal.SIGKILL)
                self._stage.kills += 1

    def ask(self, page: str, campaign: int, method: str = "GET") -> "Asked":
        """Of one campaign: a page of it, or something to be done with it."""
        body = urlencode({"csrfmiddlewaretoken": CSRF}) if method == "POST" else ""
        cookies = {settings.SESSION_COOKIE_NAME: self._session, settings.CSRF_COOKIE_NAME: CSRF}
        lines = [
            f"{method} {reverse(f'admin:campaigns_campaign_{page}', args=[campaign])} HTTP/1.1",
            f"Host: {HOST}:{self._port}",
            f"Cookie: {'; '.join(f'{name}={value}' for name, value in cookies.items())}",
            "Content-Type: application/x-www-form-urlencoded",
            f"Content-Length: {len(body)}",
            "Connection: close",
        ]
        line = socket.create_connection((HOST, self._port), PATIENCE_SECONDS)
        line.sendall(("\r\n".join([*lines, "", ""]) + body).encode())
        return Asked(line)


class Asked:
    """A request under way."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line

    def status(self) -> int:
        """What was answered; 0 where the line broke before."""
        heard = b""
        with self._line, suppress(OSError):
            while some := self._line.recv(65536):
                heard += some
        return int(heard.split(b" ", 2)[1]) if heard.startswith(b"HTTP/1.") else 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
