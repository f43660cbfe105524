"""The pytest plugin of this suite: where a run keeps its files, and which database it is on.

`pytest --database=postgres` runs on PostgreSQL what depends on the database; without it everything
runs, on SQLite. What depends on it can be told from the test: it asks for the database, and its
module is not marked `only_shows`. That mark is for pages that say, in forms and words, what other
modules decide and query: each address of theirs is asked on both databases by
`tests/test_outsider.py`. A test that starts another process has `both_databases` when that one
should run on both.

It is loaded by `-p` in pyproject.toml, so that the environment is ready before Django reads its
settings.
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

LONG = {"browser", "config", "journeys", "machine", "torture"}

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
    for line in (
        "both_databases: runs on PostgreSQL too, although this process does not touch the database",
        "only_shows: says in forms and words what is tested elsewhere on both databases",
    ):
        config.addinivalue_line("markers", line)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On PostgreSQL, leave out what would only do the same once more; begin with what is long."""
    if config.getoption("database") == "postgres":
        chosen = [item for item in items if _depends_on_the_database(item)]
        config.hook.pytest_deselected(
            items=[item for item in items if not _depends_on_the_database(item)]
        )
        items[:] = chosen
    # Whole instances and whole campaigns: begun last, one would keep the other cores waiting.
    items.sort(key=lambda item: not LONG & set(item.path.relative_to(config.rootpath).parts))


def _depends_on_the_database(item: pytest.Item) -> bool:
    if item.get_closest_marker("only_shows"):
        return False
    fixtures = set(getattr(item, "fixturenames", ()))
    return bool(
        {"db", "transactional_db"} & fixtures
        or item.get_closest_marker("django_db")
        or item.get_closest_marker("both_databases")
    )
