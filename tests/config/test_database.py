"""The tests run on the database that was asked for, set up as an instance sets it up."""

import pytest
from django.conf import settings
from django.core.checks import run_checks
from django.db import connection


@pytest.mark.django_db
def test_it_runs_on_the_chosen_database(request: pytest.FixtureRequest) -> None:
    wanted = {"sqlite": "sqlite", "postgres": "postgresql"}
    assert connection.vendor == wanted[request.config.getoption("database")]


@pytest.mark.django_db(transaction=True)
def test_it_locks_at_once_and_syncs_every_commit_on_sqlite() -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SHOW synchronous_commit")
            assert cursor.fetchone() == ("on",)
        return
    assert connection.settings_dict["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    with connection.cursor() as cursor:
        assert cursor.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert cursor.execute("PRAGMA synchronous").fetchone() == (2,)


@pytest.mark.django_db
def test_it_passes_its_own_checks() -> None:
    assert run_checks(databases=["default"]) == []


def test_it_never_touches_the_developers_data() -> None:
    assert not settings.DATA_DIR.is_relative_to(settings.BASE_DIR)
    assert not str(connection.settings_dict["NAME"]).startswith(str(settings.BASE_DIR))
