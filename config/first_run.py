"""What an instance makes for itself the first time it starts: its data folder and its keys.

Keys live in files of mode 0600 beside the database, never in it, so that a database dump
alone opens nothing.
"""

import os
import secrets
import tempfile
from collections.abc import Callable
from pathlib import Path

from cryptography.fernet import Fernet


def ensure_folder(path: Path) -> Path:
    """Make `path`, readable by its owner only, when it is missing."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def ensure_key(path: Path, make: Callable[[], str]) -> str:
    """Return the key in the file `path`, making it once when it is missing.

    Safe when several processes start at the same moment: the finished file is linked into
    place, and only the first link succeeds.
    """
    if not path.exists():
        # A name of its own (mode 0600), also beside a draft that a killed process left behind.
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        draft = Path(name)
        with os.fdopen(descriptor, "w") as file:
            file.write(make() + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass  # another process was first: its key is the key
        finally:
            draft.unlink()
    return path.read_text().strip()


def new_secret_key() -> str:
    return secrets.token_urlsafe(50)


def new_lasting_key() -> str:
    """One that is never changed."""
    return secrets.token_urlsafe(32)


def new_vault_key() -> str:
    return Fernet.generate_key().decode()
