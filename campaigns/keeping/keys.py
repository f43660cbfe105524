"""The keys of an instance in its backup: only where somebody asked for them."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from accounts import sealed
from accounts.vault import VaultError
from campaigns.keeping.archive import Archive, CannotKeep, Writer

VAULT, SECRET = "keys/vault_keys", "keys/secret_key"
SUPPRESSION, TOKEN = "keys/suppression_key", "keys/token_key"


def add(writer: Writer) -> None:
    """Those in use, whether they come from their files or from the environment."""
    writer.add(VAULT, ["\n".join(settings.VAULT_KEYS).encode()])
    writer.add(SECRET, [settings.SECRET_KEY.encode()])
    writer.add(SUPPRESSION, [settings.SUPPRESSION_KEY.encode()])
    writer.add(TOKEN, [settings.TOKEN_KEY.encode()])


@contextmanager
def of(archive: Archive) -> Iterator[None]:
    """With the keys of the backup in use, if it holds any, before those of this instance."""
    before = settings.VAULT_KEYS
    if archive.manifest.keys and _from_file():
        theirs = _read(archive, VAULT).split()
        settings.VAULT_KEYS = [*theirs, *(key for key in before if key not in theirs)]
    try:
        yield
    finally:
        settings.VAULT_KEYS = before


def refuse_where_they_do_not_fit() -> None:
    """Raise CannotKeep unless every secret in the database opens."""
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


def keep(archive: Archive) -> None:
    """Write the backup's keys where this instance reads them; the old vault keys stay with them."""
    if not archive.manifest.keys:
        return
    if _from_file():
        _write(Path(settings.KEYS_DIR) / "vault_keys", "\n".join(settings.VAULT_KEYS))
    # Signs sessions and links: with another one, links in mail that was sent would be dead.
    _write(Path(settings.KEYS_DIR) / "secret_key", _read(archive, SECRET))


def _from_file() -> bool:
    """Whether the vault keys in use are those of the file: the environment wins over it."""
    file = Path(settings.KEYS_DIR) / "vault_keys"
    return file.exists() and set(file.read_text().split()) <= set(settings.VAULT_KEYS)


def _read(archive: Archive, name: str) -> str:
    return b"".join(archive.chunks(name)).decode()


def _write(path: Path, text: str) -> None:
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(descriptor, "w") as file:
        file.write(f"{text}\n")
        file.flush()
        os.fsync(file.fileno())
    Path(draft).replace(path)
