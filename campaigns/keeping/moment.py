"""What is asked of a database that is being copied, at the very moment of the copy."""

from collections.abc import Callable, Iterable
from typing import Any

Ask = Callable[[str], Iterable[tuple[Any, ...]]]


def migrations(ask: Ask) -> list[str]:
    """Those applied, as "app.name"."""
    rows = ask("SELECT app, name FROM django_migrations ORDER BY app, name")
    return [f"{app}.{name}" for app, name in rows]


def uploads(ask: Ask) -> list[str]:
    """The names of the files that imports point to."""
    rows = ask("SELECT stored_as, problems_as FROM campaigns_contactimport ORDER BY id")
    return [name for row in rows for name in row if name]
