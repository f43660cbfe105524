"""A disk that can be full: for those processes that have it, nothing is written any more."""

from collections.abc import Callable
from mmap import mmap
from typing import Any

from django.db import OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

WRITES = ("INSERT", "UPDATE", "DELETE")


class Disk:
    """What it is like lies in memory that children share."""

    def __init__(self) -> None:
        self._full = mmap(-1, 1)

    def fill(self) -> None:
        self._full[0] = 1

    def empty(self) -> None:
        self._full[0] = 0

    def install(self) -> None:
        """From now on this process writes its database on it."""
        commit = BaseDatabaseWrapper._commit

        def on_this_disk(connection: BaseDatabaseWrapper) -> None:
            self._refuse_when_full()
            commit(connection)

        BaseDatabaseWrapper._commit = on_this_disk  # type: ignore[method-assign]
        connection_created.connect(self._watch, weak=False)

    def _watch(self, connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
        if self._write not in connection.execute_wrappers:
            connection.execute_wrappers.append(self._write)

    def _write(self, execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        if sql.lstrip().upper().startswith(WRITES):
            self._refuse_when_full()
        return execute(sql, *rest)

    def _refuse_when_full(self) -> None:
        if self._full[0]:
            raise OperationalError("database or disk is full")
