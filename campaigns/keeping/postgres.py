"""PostgreSQL's database in a backup: every table by COPY, as all of them were at one moment.

It needs none of PostgreSQL's programs, which a machine that only runs Daypost does not have.
"""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.management.color import no_style
from django.db import DatabaseError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder
from django.utils.translation import gettext as _
from psycopg import sql

from campaigns.keeping import moment
from campaigns.keeping.archive import (
    Archive,
    CannotKeep,
    Manifest,
    Progress,
    Writer,
    new_archive,
    version,
)

FOLDER = "tables"

Tables = dict[str, list[str]]


def add(writer: Writer, progress: Progress) -> list[str]:
    """Copy all tables as they are now, while others go on writing.

    Returns the names of the uploads that they point to.
    """
    with transaction.atomic():
        # What others commit from here on is not seen by any statement of this transaction.
        _run("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        writer.manifest.migrations = moment.migrations(_ask)
        writer.manifest.tables = tables = _tables()
        for number, (table, columns) in enumerate(tables.items(), start=1):
            progress(_("Copying table %(n)d of %(all)d") % {"n": number, "all": len(tables)})
            with connection.cursor() as cursor, cursor.copy(_copy(table, columns, "TO")) as rows:
                writer.add(f"{FOLDER}/{table}", rows)
        return moment.uploads(_ask)


def restore(
    archive: Archive, finish: Callable[[], Any], progress: Progress, now: datetime
) -> Path | None:
    """Put the backup's rows in the place of these; `finish` works on them before that.

    All of it is one transaction: nothing is changed when anything is raised. Returns the backup
    of the old database that was made first.
    """
    _refuse_while_others_are_connected()
    try:
        aside = _back_up_what_is_there(now, progress)
        with transaction.atomic():
            _empty_tables(archive.manifest.migrations)
            _fill(archive, progress)
            finish()
        return aside
    except DatabaseError as error:
        raise CannotKeep(
            _("The database did not take this backup (%(why)s). Nothing was changed.")
            % {"why": str(error).splitlines()[0]}
        ) from error


def _refuse_while_others_are_connected() -> None:
    others = _ask(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND usename = current_user AND pid <> pg_backend_pid()"
    )
    if others[0][0]:
        raise CannotKeep(
            _(
                "Somebody is connected to the database. Stop Daypost on every machine, then "
                "restore. Nothing was changed."
            )
        )


def _back_up_what_is_there(now: datetime, progress: Progress) -> Path | None:
    if not _migrations():
        return None
    path = Path(settings.DATA_DIR) / f"before-{now:%Y%m%d-%H%M%S-%f}.backup"
    with new_archive(path, Manifest(connection.vendor, now.isoformat(), version())) as writer:
        add(writer, progress)
    return path


def _empty_tables(migrations: list[str]) -> None:
    """Empty tables as they were when the backup was made."""
    if _migrations() != set(migrations):
        _make_tables(migrations)
    # Rows that a migration wrote are in the backup too. And nobody is logged in any more.
    emptied = [*_tables(), Session._meta.db_table]
    _run(sql.SQL("TRUNCATE {}").format(_names(emptied)))


def _make_tables(migrations: list[str]) -> None:
    if every := connection.introspection.table_names():
        _run(sql.SQL("DROP TABLE {} CASCADE").format(_names(every)))
    executor = MigrationExecutor(connection)
    applied = {(app, name) for app, _dot, name in (one.partition(".") for one in migrations)}
    nodes = executor.loader.graph.node_map
    followed = {
        parent.key for node in applied for parent in nodes[node].parents if parent.key[0] == node[0]
    }
    # Only the last of each app: naming one before it would mean going back to that.
    executor.migrate(sorted(applied - followed))


def _fill(archive: Archive, progress: Progress) -> None:
    tables = archive.manifest.tables
    for number, (table, columns) in enumerate(tables.items(), start=1):
        progress(_("Filling table %(n)d of %(all)d") % {"n": number, "all": len(tables)})
        with connection.cursor() as cursor, cursor.copy(_copy(table, columns, "FROM")) as copy:
            for chunk in archive.chunks(f"{FOLDER}/{table}"):
                copy.write(chunk)
    for statement in _sequences_after_rows():
        _run(statement)
    # Every row is there that another points to; and a table with unanswered questions of this
    # kind could not be altered by the migrations that follow.
    _run("SET CONSTRAINTS ALL IMMEDIATE")


def _sequences_after_rows() -> list[str]:
    models = connection.introspection.installed_models(connection.introspection.table_names())
    return list(connection.ops.sequence_reset_sql(no_style(), list(models)))


def _tables() -> Tables:
    """Every table and its columns, but who is logged in, and what is kept for moments only."""
    left_out = [
        Session._meta.db_table,
        settings.CACHES["default"]["LOCATION"],
        MigrationRecorder.Migration._meta.db_table,
    ]
    found: Tables = {}
    for table, column in _ask(
        "SELECT table_name, column_name FROM information_schema.columns"
        " JOIN information_schema.tables USING (table_schema, table_name)"
        " WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'"
        " AND is_generated = 'NEVER' ORDER BY table_name, ordinal_position"
    ):
        if table not in left_out:
            found.setdefault(table, []).append(column)
    return found


def _migrations() -> set[str]:
    applied = MigrationRecorder(connection).applied_migrations()
    return {f"{app}.{name}" for app, name in applied}


def _copy(table: str, columns: list[str], direction: str) -> sql.Composed:
    ends = {"TO": "TO STDOUT", "FROM": "FROM STDIN"}
    return sql.SQL("COPY {} ({}) {}").format(
        sql.Identifier(table), _names(columns), sql.SQL(ends[direction])
    )


def _names(names: list[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, names))


def _run(statement: str | sql.Composable) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def _ask(question: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(question)
        return list(cursor.fetchall())
