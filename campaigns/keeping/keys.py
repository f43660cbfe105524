"""The keys of an instance in its backup: only where somebody asked for them.

Those that are never changed (`campaigns.lasting_keys`) must be the ones that the database was made
with, also while the migrations of an older backup run: they may hash addresses.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from accounts import sealed
from accounts.vault import VaultError
from campaigns import lasting_keys
from campaigns.keeping.archive import Archive, CannotKeep, Writer

VAULT, SECRET = "keys/vault_keys", "keys/secret_key"
LASTING = {name: f"keys/{name.lower()}" for name in lasting_keys.NAMES}


def add(writer: Writer) -> None:
    """Those in use, whether they come from their files or from the environment."""
    writer.add(VAULT, ["\n".join(settings.VAULT_KEYS).encode()])
    writer.add(SECRET, [settings.SECRET_KEY.encode()])
    for name, entry in LASTING.items():
        writer.add(entry, [getattr(settings, name).encode()])


@contextmanager
def of(archive: Archive) -> Iterator[None]:
    """With the keys of the backup in use, if it holds any, before those of this instance."""
    before = {name: getattr(settings, name) for name in ("VAULT_KEYS", *LASTING)}
    if archive.manifest.keys and _from_file():
        theirs = _read(archive, VAULT).split()
        ours = settings.VAULT_KEYS
        settings.VAULT_KEYS = [*theirs, *(key for key in ours if key not in theirs)]
    for name, key in _lasting_in(archive).items():
        # The environment wins over a file, and would again when Daypost starts.
        if _text_of(_file_of(name)) == getattr(settings, name):
            setattr(settings, name, key)
    try:
        yield
    finally:
        for name, key in before.items():
            setattr(settings, name, key)


def refuse_where_they_do_not_fit() -> None:
    """Raise CannotKeep unless every secret in the database opens, and it was made with our keys."""
    for name in lasting_keys.wrong():
        raise CannotKeep(
            _(
                "%(name)s of this instance is not the key that this backup was made with. Put that "
                "one into %(file)s (or %(name)s), then restore it again. Nothing was changed."
            )
            % {"name": name, "file": _file_of(name)}
        )
    for column in sealed.ALL:
        for row in column.model._default_manager.exclude(**{column.column: ""}).iterator():
            try:
                column.open(row)
            except VaultError as error:
                raise CannotKeep(
                    _(
                        "The keys of this instance do not open the secrets in this backup. Put "
                        "the keys that belong to it into %(folder)s (or VAULT_KEYS), then restore "
                        "it again. Nothing was changed."
                    )
                    % {"folder": settings.KEYS_DIR}
                ) from error


def keep(archive: Archive, now: datetime) -> None:
    """Write the backup's keys where this instance reads them.

    The old vault keys stay with them; another old key stays under another name, beside it: the
    database that this instance had until now was made with it.
    """
    if not archive.manifest.keys:
        return
    if _from_file():
        _write(Path(settings.KEYS_DIR) / "vault_keys", "\n".join(settings.VAULT_KEYS))
    # Signs sessions and links: with another one, links in mail that was sent would be dead.
    _write(Path(settings.KEYS_DIR) / "secret_key", _read(archive, SECRET))
    for name, key in _lasting_in(archive).items():
        file = _file_of(name)
        ours = _text_of(file)
        if key != getattr(settings, name) or key == ours:
            continue
        if ours:
            _write(file.with_name(f"{file.name}.before-{now:%Y%m%d-%H%M%S-%f}"), ours)
        _write(file, key)


def _from_file() -> bool:
    """Whether the vault keys in use are those of the file: the environment wins over it."""
    file = Path(settings.KEYS_DIR) / "vault_keys"
    return file.exists() and set(file.read_text().split()) <= set(settings.VAULT_KEYS)


def _lasting_in(archive: Archive) -> dict[str, str]:
    """The backup's keys that are never changed; one of an older Daypost holds none."""
    there = archive.manifest.entries if archive.manifest.keys else {}
    return {name: _read(archive, entry) for name, entry in LASTING.items() if entry in there}


def _file_of(name: str) -> Path:
    return Path(settings.KEYS_DIR) / name.lower()


def _text_of(file: Path) -> str:
    return file.read_text().strip() if file.exists() else ""


def _read(archive: Archive, name: str) -> str:
    return b"".join(archive.chunks(name)).decode()


def _write(path: Path, text: str) -> None:
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(descriptor, "w") as file:
        file.write(f"{text}\n")
        file.flush()
        os.fsync(file.fileno())
    Path(draft).replace(path)
