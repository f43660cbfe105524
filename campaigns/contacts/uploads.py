"""Files of imports in the data folder: readable by their owner only, named by nobody but us."""

import os
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from django.conf import settings

OWNER_ONLY = 0o600


def store(chunks: Iterable[bytes], begins_with: str = "") -> str:
    """Keep a file, in bounded memory. Returns the name that `path_of` understands."""
    name = f"{begins_with}{secrets.token_hex(16)}.csv"
    with create(name) as file:
        for chunk in chunks:
            file.write(chunk)
    return name


def create(name: str) -> BinaryIO:
    """A new file of this name, or the old one emptied, open for writing."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0)
    return os.fdopen(os.open(path_of(name), flags, OWNER_ONLY), "wb")


def path_of(name: str) -> Path:
    """Where the file of this name lies. Raises ValueError for a name that leads elsewhere."""
    if not name or name != Path(name).name:
        raise ValueError("Not the name of an upload.")
    return Path(settings.UPLOADS_DIR) / name


def remove(name: str) -> None:
    """Delete the file of this name, if there is one."""
    if name:
        path_of(name).unlink(missing_ok=True)
