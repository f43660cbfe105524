"""Which processes of this instance are alive on this machine, as far as one must know it.

Every process that works on the data folder shares a lock for as long as it lives; the system lets
go of it however the process ends. Whoever must be alone takes it for itself.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

_shared: dict[Path, int] = {}


class StillRunning(Exception):
    """Another process of this instance is alive."""


def take_part() -> None:
    """Be known as alive until this process ends; waits while somebody must be alone."""
    path = _path()
    if path not in _shared:
        _shared[path] = _open(path)
        fcntl.flock(_shared[path], fcntl.LOCK_SH)


@contextmanager
def alone() -> Iterator[None]:
    """While no other process works on the data folder, and none begins to. Raises StillRunning."""
    path = _path()
    # One's own share would stand in the way of a second descriptor.
    descriptor = _shared.get(path) or _open(path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise StillRunning from error
    try:
        yield
    finally:
        if path in _shared:
            fcntl.flock(descriptor, fcntl.LOCK_SH)
        else:
            os.close(descriptor)


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _path() -> Path:
    return Path(settings.DATA_DIR) / "running"
