"""`manage.py backup`: one consistent moment of an instance, in one file, while it works."""

from dataclasses import dataclass
from pathlib import Path

from django.db import connection
from django.utils import timezone

from campaigns.contacts import uploads
from campaigns.keeping import keys, postgres, sqlite
from campaigns.keeping.archive import Manifest, Progress, Writer, new_archive, version

UPLOADS = "uploads"


@dataclass(frozen=True)
class Made:
    """`uploads`: how many files of imports are in it."""

    manifest: Manifest
    uploads: int
    size: int


def backup(path: Path, *, with_keys: bool, progress: Progress) -> Made:
    """Write a backup to `path`. Raises CannotKeep; then there is no file."""
    # Before the copy: whatever leaves later than this may be missing from it.
    made_at = timezone.now().isoformat()
    manifest = Manifest(connection.vendor, made_at, version(), keys=with_keys)
    with new_archive(path, manifest) as writer:
        if connection.vendor == "sqlite":
            names = sqlite.add(writer, path, progress)
        else:
            names = postgres.add(writer, progress)
        count = sum(_add_upload(writer, name) for name in names)
        if with_keys:
            keys.add(writer)
    return Made(manifest, count, path.stat().st_size)


def _add_upload(writer: Writer, name: str) -> bool:
    """False for one that is gone: its import has ended since."""
    file = uploads.path_of(name)
    if not file.exists():
        return False
    writer.add_file(f"{UPLOADS}/{name}", file)
    return True
