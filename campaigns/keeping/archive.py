"""The file of a backup: a zip archive whose last entry says what the others are.

It is written beside its final name and takes that name once it is whole and on the disk; and it is
read to its end before anybody believes a word of it.
"""

import hashlib
import json
import os
import tempfile
import tomllib
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO

from django.conf import settings
from django.utils.translation import gettext as _

FORMAT = 1
MANIFEST = "manifest.json"
CHUNK = 1 << 20

Progress = Callable[[str], None]


class CannotKeep(Exception):
    """Why a backup was not made or not restored: a sentence with the next step."""


@dataclass
class Manifest:
    """What a backup holds.

    `made_at`: ISO 8601, UTC, a moment before the database was copied. `migrations`: those applied,
    as "app.name". `tables`: of PostgreSQL, the columns of each. `entries`: the SHA-256 of each.
    """

    database: str
    made_at: str
    version: str = ""
    format: int = FORMAT
    keys: bool = False
    migrations: list[str] = field(default_factory=list)
    tables: dict[str, list[str]] = field(default_factory=dict)
    entries: dict[str, str] = field(default_factory=dict)


def version() -> str:
    """Of this Daypost."""
    project = tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text())
    return str(project["project"]["version"])


class Writer:
    """Adds entries, each as a stream of chunks."""

    def __init__(self, archive: zipfile.ZipFile, manifest: Manifest) -> None:
        self._archive = archive
        self.manifest = manifest

    def add(self, name: str, chunks: Iterable[bytes | memoryview]) -> None:
        digest = hashlib.sha256()
        with self._archive.open(name, "w", force_zip64=True) as entry:
            for chunk in chunks:
                digest.update(chunk)
                entry.write(chunk)
        self.manifest.entries[name] = digest.hexdigest()

    def add_file(self, name: str, path: Path) -> None:
        with path.open("rb") as file:
            self.add(name, chunks_of(file))


@contextmanager
def new_archive(path: Path, manifest: Manifest) -> Iterator[Writer]:
    """A backup that is written to `path`, mode 0600, whole or not at all. Raises CannotKeep."""
    if path.exists():
        raise CannotKeep(_("%(path)s is there already. Choose another name.") % {"path": path})
    try:
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise _cannot_write(path, error) from error
    draft = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
                yield Writer(archive, manifest)
                archive.writestr(MANIFEST, json.dumps(asdict(manifest), indent=1))
            file.flush()
            os.fsync(file.fileno())
        # A link, unlike a rename, never takes the place of a file that came meanwhile.
        os.link(draft, path)
        sync_folder(path.parent)
    except FileExistsError as error:
        raise CannotKeep(
            _("%(path)s is there already. Choose another name.") % {"path": path}
        ) from error
    except OSError as error:
        raise _cannot_write(path, error) from error
    finally:
        draft.unlink(missing_ok=True)


class Archive:
    """A backup that was read to its end and found to be whole."""

    def __init__(self, archive: zipfile.ZipFile, manifest: Manifest) -> None:
        self._archive = archive
        self.manifest = manifest

    def chunks(self, name: str) -> Iterator[bytes]:
        with self._archive.open(name) as entry:
            yield from chunks_of(entry)

    def extract(self, name: str, target: Path) -> None:
        """To a file of mode 0600, on the disk, that takes its name once it is whole."""
        descriptor, draft = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with os.fdopen(descriptor, "wb") as file:
                for chunk in self.chunks(name):
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            Path(draft).replace(target)
        finally:
            Path(draft).unlink(missing_ok=True)

    def names(self, folder: str) -> list[str]:
        """The entries of this folder, without its name."""
        return [
            name.removeprefix(f"{folder}/")
            for name in self.manifest.entries
            if name.startswith(f"{folder}/")
        ]


@contextmanager
def open_whole(path: Path, progress: Progress) -> Iterator[Archive]:
    """Read the backup at `path` to its end first. Raises CannotKeep when it is not whole."""
    damaged = _("%(path)s is no backup of Daypost, or it is damaged. Nothing was changed.") % {
        "path": path
    }
    try:
        with zipfile.ZipFile(path) as archive:
            manifest = _manifest_of(archive)
            if sorted(archive.namelist()) != sorted([*manifest.entries, MANIFEST]):
                raise CannotKeep(damaged)
            for number, (name, digest) in enumerate(manifest.entries.items(), start=1):
                progress(
                    _("Checking %(n)d of %(all)d") % {"n": number, "all": len(manifest.entries)}
                )
                if _digest_of(archive, name) != digest:
                    raise CannotKeep(damaged)
            yield Archive(archive, manifest)
    except FileNotFoundError as error:
        raise CannotKeep(_("There is no file %(path)s.") % {"path": path}) from error
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, TypeError, ValueError) as error:
        raise CannotKeep(damaged) from error


def chunks_of(file: IO[bytes]) -> Iterator[bytes]:
    while chunk := file.read(CHUNK):
        yield chunk


def sync_folder(folder: Path) -> None:
    """So that the new names in it are on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _manifest_of(archive: zipfile.ZipFile) -> Manifest:
    written = json.loads(archive.read(MANIFEST))
    if written["format"] > FORMAT:
        raise CannotKeep(
            _("This backup is of a newer Daypost (%(version)s). Update Daypost, then restore it.")
            % {"version": written.get("version", "")}
        )
    return Manifest(**written)


def _digest_of(archive: zipfile.ZipFile, name: str) -> str:
    digest = hashlib.sha256()
    with archive.open(name) as entry:
        for chunk in chunks_of(entry):
            digest.update(chunk)
    return digest.hexdigest()


def _cannot_write(path: Path, error: OSError) -> CannotKeep:
    return CannotKeep(
        _("%(path)s cannot be written: %(why)s.") % {"path": path, "why": error.strerror or error}
    )
