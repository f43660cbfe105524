"""SQLite's database in a backup: one file, as it was at one moment."""

import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from campaigns.keeping import moment
from campaigns.keeping.archive import Archive, CannotKeep, Progress, Writer, sync_folder

ENTRY = "database.sqlite3"
_PAGES_A_STEP = 2_000


def path() -> Path:
    """Where the database of this instance lies."""
    return Path(str(connection.settings_dict["NAME"]))


@contextmanager
def _beside(target: Path) -> Iterator[Path]:
    """A file of mode 0600 beside `target`, gone in the end unless it was moved."""
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    os.close(descriptor)
    draft = Path(name)
    try:
        yield draft
    finally:
        for left in (draft, *_companions(draft)):
            left.unlink(missing_ok=True)


def _companions(database: Path) -> tuple[Path, Path]:
    return Path(f"{database}-wal"), Path(f"{database}-shm")


def add(writer: Writer, beside: Path, progress: Progress) -> list[str]:
    """Copy the database as it is now, while others go on writing.

    Returns the names of the uploads that it points to.
    """
    with _beside(beside) as draft:
        _copy(path(), draft, progress)
        writer.add_file(ENTRY, draft)
        with closing(sqlite3.connect(draft)) as copy:
            writer.manifest.migrations = moment.migrations(copy.execute)
            return moment.uploads(copy.execute)


def _copy(source: Path, target: Path, progress: Progress) -> None:
    def tell(status: int, remaining: int, total: int) -> None:
        done = (total - remaining) * 100 // total if total else 100
        progress(_("Copying the database: %(percent)d %%") % {"percent": done})

    with closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as old:
        # A reader's view of one moment (https://sqlite.org/isolation.html). Without it the copy
        # would begin again with every write of another process, and might never end.
        old.execute("BEGIN")
        old.execute("SELECT count(*) FROM sqlite_master").fetchone()
        with closing(sqlite3.connect(target)) as new:
            old.backup(new, pages=_PAGES_A_STEP, progress=tell)
            # One file: nothing beside it to be forgotten.
            new.execute("PRAGMA journal_mode=DELETE")


def restore(
    archive: Archive,
    finish: Callable[[], Any],
    progress: Progress,
    now: datetime,
) -> Path | None:
    """Put the backup's database in the place of this one; `finish` works on it before that.

    Nothing is changed when anything is raised. Returns where the old database lies now.
    """
    target = path()
    with _beside(target) as draft:
        progress(_("Unpacking the database"))
        archive.extract(ENTRY, draft)
        _check(draft)
        _on(draft, finish)
        return _put_in_place(draft, target, now)


def _check(database: Path) -> None:
    try:
        with closing(sqlite3.connect(database)) as copy:
            said = copy.execute("PRAGMA integrity_check(1)").fetchone()[0]
    except sqlite3.DatabaseError as error:
        said = str(error)
    if said != "ok":
        raise CannotKeep(
            _("The database in this backup is damaged (%(why)s). Nothing was changed.")
            % {"why": said}
        )


def _on(database: Path, finish: Callable[[], Any]) -> None:
    """Run `finish` with Django's connection on another file."""
    before = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = str(database)
    try:
        finish()
    finally:
        connection.close()
        connection.settings_dict["NAME"] = before
    _fold(database)


def _fold(database: Path) -> None:
    """All of it into the one file, and onto the disk."""
    with closing(sqlite3.connect(database)) as copy:
        copy.execute("PRAGMA journal_mode=DELETE")
    with database.open("rb") as file:
        os.fsync(file.fileno())


def _put_in_place(draft: Path, target: Path, now: datetime) -> Path | None:
    aside = None
    if target.exists():
        _fold(target)
        aside = target.with_name(f"{target.name}.before-{now:%Y%m%d-%H%M%S-%f}")
        # A second name for it, so that at no moment there is none.
        os.link(target, aside)
    draft.replace(target)
    for left in _companions(target):
        left.unlink(missing_ok=True)
    sync_folder(target.parent)
    return aside
