"""System checks: what must hold before Daypost may send."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connections


@register(Tags.database)
def sqlite_is_durable(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None, **kwargs: Any
) -> list[CheckMessage]:
    """SQLite must take its lock at once and sync every commit, or a claim can be taken twice.

    See `docs/decisions/` on SQLite.
    """
    problems: list[CheckMessage] = []
    for alias in databases or []:
        connection = connections[alias]
        if connection.vendor != "sqlite":
            continue
        if connection.settings_dict["OPTIONS"].get("transaction_mode") != "IMMEDIATE":
            problems.append(Error("SQLite transactions must be IMMEDIATE.", id="accounts.E001"))
        with connection.cursor() as cursor:
            full = 2
            if cursor.execute("PRAGMA synchronous").fetchone()[0] != full:
                problems.append(Error("SQLite must run with synchronous=FULL.", id="accounts.E002"))
    return problems
