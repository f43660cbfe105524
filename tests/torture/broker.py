"""The broker of a run, killed and started again: Redis, or the folder where there is no server."""

import shutil
from pathlib import Path
from typing import Protocol

from django.conf import settings

from config.celery import app
from tests.services import Redis


class Broker(Protocol):
    runs: bool

    def kill(self) -> None:
        """Whatever was queued is gone, and whoever asks gets an error."""

    def start(self) -> None:
        """It is there again, and empty."""

    def flush(self) -> None:
        """Whatever was queued is gone."""


class RedisBroker:
    def __init__(self, server: Redis) -> None:
        self._server = server
        self.runs = True

    def kill(self) -> None:
        self._server.kill()
        self.runs = False

    def start(self) -> None:
        if not self.runs:
            self._server.start()
        self.runs = True

    def flush(self) -> None:
        with app.connection_for_write() as connection:
            connection.default_channel.client.flushall()


class FolderBroker:
    """The broker that needs no server: its folder is taken away."""

    def __init__(self) -> None:
        self._folder = Path(settings.BROKER_DIR)
        self.runs = True

    def kill(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
        self.runs = False

    def start(self) -> None:
        for name in ("queue", "control"):
            (self._folder / name).mkdir(parents=True, exist_ok=True)
        self.runs = True

    def flush(self) -> None:
        for message in (self._folder / "queue").glob("*.msg"):
            message.unlink(missing_ok=True)
