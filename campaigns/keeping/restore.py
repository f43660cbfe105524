"""`manage.py restore`: a backup takes the place of this instance's database, all or nothing."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils.translation import gettext as _

from accounts import generation, running
from campaigns.contacts import uploads
from campaigns.keeping import keys, postgres, sqlite
from campaigns.keeping.archive import Archive, CannotKeep, Manifest, Progress, open_whole
from campaigns.keeping.backup import UPLOADS

NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


@dataclass(frozen=True)
class Restored:
    """`aside`: where the old database is now; None where there was none."""

    manifest: Manifest
    aside: str | None
    uploads: int


def restore(
    path: Path, *, agreed: Callable[[Manifest], bool], progress: Progress, now: datetime
) -> Restored | None:
    """Restore the backup at `path`; None when `agreed` says no.

    Raises CannotKeep, and nothing was changed then. Afterwards nothing leaves through any account
    until it is known what left since the backup (`campaigns.delivery.restored`).
    """
    try:
        with running.alone(), open_whole(path, progress) as archive:
            _refuse_what_does_not_fit(archive.manifest)
            if not agreed(archive.manifest):
                return None
            with keys.of(archive):
                return _restore(archive, progress, now)
    except running.StillRunning as error:
        raise CannotKeep(
            _("Daypost is running here. Stop it, then restore. Nothing was changed.")
        ) from error


def _refuse_what_does_not_fit(manifest: Manifest) -> None:
    if manifest.database != connection.vendor:
        raise CannotKeep(
            _(
                "This backup is of a %(theirs)s database, and this instance is on %(ours)s. Set "
                "DATABASE_URL to a %(theirs)s database, then restore it. Nothing was changed."
            )
            % {
                "theirs": NAMES.get(manifest.database, manifest.database),
                "ours": NAMES.get(connection.vendor, connection.vendor),
            }
        )
    known = {f"{app}.{name}" for app, name in MigrationExecutor(None).loader.graph.nodes}
    if not set(manifest.migrations) <= known:
        raise CannotKeep(
            _(
                "This backup is of a newer Daypost (%(version)s). Update Daypost, then restore it. "
                "Nothing was changed."
            )
            % {"version": manifest.version}
        )


def _restore(archive: Archive, progress: Progress, now: datetime) -> Restored:
    names = archive.names(UPLOADS)

    def finish() -> None:
        """On the restored tables, before anybody else sees them."""
        executor = MigrationExecutor(connection)
        executor.migrate(executor.loader.graph.leaf_nodes())
        keys.refuse_where_they_do_not_fit()
        # Who was logged in then, need not be welcome now.
        Session.objects.all().delete()
        cache.clear()
        generation.restored(datetime.fromisoformat(archive.manifest.made_at), now)
        for name in names:
            archive.extract(f"{UPLOADS}/{name}", uploads.path_of(name))
        keys.keep(archive, now)

    kind = sqlite if connection.vendor == "sqlite" else postgres
    aside = kind.restore(archive, finish, progress, now)
    return Restored(archive.manifest, None if aside is None else str(aside), len(names))
