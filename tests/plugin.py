"""The pytest plugin of this suite: where a run keeps its files, and which database it is on.

`pytest --database=postgres` runs what touches the database on PostgreSQL; without it everything
runs, on SQLite. It is loaded by `-p` in pyproject.toml, so that the environment is ready before
Django reads its settings.
"""

import atexit
import os
import shutil
import signal
import tempfile
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.services import postgres

_until_the_end = ExitStack()
atexit.register(_until_the_end.close)  # for a run that fails before it is configured


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--database", choices=["sqlite", "postgres"], default="sqlite", help="what to run on"
    )


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Runs in the process that was started by hand; xdist workers inherit its environment."""
    # Being terminated is no reason to leave a server behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    folder = Path(tempfile.mkdtemp(prefix="daypost-test-"))
    _until_the_end.callback(shutil.rmtree, folder, ignore_errors=True)
    os.environ["DAYPOST_TEST_FOLDER"] = str(folder)
    os.environ.pop("DATABASE_URL", None)
    if early_config.known_args_namespace.database == "postgres":
        server = postgres(folder / "postgres", durable=False)
        os.environ["DATABASE_URL"] = _until_the_end.enter_context(server)


def pytest_unconfigure() -> None:
    _until_the_end.close()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "both_databases: runs on PostgreSQL too, although this process does not touch the database",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On PostgreSQL, leave out what would only do the same once more."""
    if config.getoption("database") != "postgres":
        return
    chosen = [item for item in items if _touches_the_database(item)]
    config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
    items[:] = chosen


def _touches_the_database(item: pytest.Item) -> bool:
    fixtures = set(getattr(item, "fixturenames", ()))
    return bool(
        {"db", "transactional_db"} & fixtures
        or item.get_closest_marker("django_db")
        or item.get_closest_marker("both_databases")
    )
