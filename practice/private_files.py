"""Files that only their owner may read: keys, passwords, tokens, mail."""

import json
import os
import tempfile
from pathlib import Path
from typing import Any


class FileDamaged(Exception):
    """A file is not what was written there; the text is a sentence that names it."""


def make_private_directory(path: Path) -> None:
    """Make the directory where it is missing, and close it to other users (mode 0700)."""
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(0o700)


def read_json(path: Path, *, missing: Any) -> Any:
    """What a JSON file holds, or ``missing`` where there is none. Raises FileDamaged."""
    try:
        return json.loads(path.read_bytes())
    except FileNotFoundError:
        return missing
    except ValueError as err:
        raise FileDamaged(
            f"{path} is not JSON. Mend it, or move it away to start without it."
        ) from err


def write_private(path: Path, content: str | bytes) -> None:
    """Replace a file as a whole, mode 0600: a reader sees the old content or the new one."""
    data = content.encode() if isinstance(content, str) else content
    # mkstemp makes the file 0600 from its first moment, whatever the umask is.
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except OSError:
        Path(temporary).unlink(missing_ok=True)
        raise
