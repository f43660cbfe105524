"""A disk that can be full, in two ways: as the database says it, and as the kernel does.

The first refuses every statement that writes, and every commit, in those processes that have
`install`ed it. The second takes from running processes the right to write beyond a size
(RLIMIT_FSIZE): a write then fails wherever it stands, between two pages of SQLite's log or with
half of one written, and so does the file beside the database.
"""

import resource
import struct
from collections.abc import Callable
from contextlib import suppress
from mmap import mmap
from typing import Any

from django.db import OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

WRITES = ("INSERT", "UPDATE", "DELETE")
_STATE = struct.Struct("?i")


class Disk:
    """What it is like lies in memory that children share."""

    def __init__(self) -> None:
        self._shared = mmap(-1, _STATE.size)
        self._set(False, 0)

    @property
    def full(self) -> bool:
        return bool(_STATE.unpack_from(self._shared)[0])

    @property
    def refused(self) -> int:
        """How many writes of the database have failed since `empty` for want of space."""
        return int(_STATE.unpack_from(self._shared)[1])

    def fill(self) -> None:
        self._set(True, self.refused)

    def free(self) -> None:
        self._set(False, self.refused)

    def empty(self) -> None:
        self._set(False, 0)

    def install(self) -> None:
        """From now on this process writes its database on it."""
        commit = BaseDatabaseWrapper._commit

        def on_this_disk(connection: BaseDatabaseWrapper) -> None:
            self._watched(lambda: commit(connection), writes=True)

        BaseDatabaseWrapper._commit = on_this_disk  # type: ignore[method-assign]
        connection_created.connect(self._watch, weak=False)

    def _watch(self, connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
        if self._execute not in connection.execute_wrappers:
            connection.execute_wrappers.append(self._execute)

    def _execute(self, execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        writes = sql.lstrip().upper().startswith(WRITES)
        return self._watched(lambda: execute(sql, *rest), writes)

    def _watched(self, do: Callable[[], Any], writes: bool) -> Any:
        try:
            if writes and self.full:
                raise OperationalError("database or disk is full")
            return do()
        except OperationalError as error:
            # SQLite calls what the kernel says an error of input or output.
            if "disk" in str(error):
                self._set(self.full, self.refused + 1)
            raise

    def _set(self, full: bool, refused: int) -> None:
        _STATE.pack_into(self._shared, 0, full, refused)


def limit_files(pid: int, size: int = resource.RLIM_INFINITY) -> None:
    """From now on no file that this process writes may grow beyond so many bytes."""
    with suppress(ProcessLookupError):
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
