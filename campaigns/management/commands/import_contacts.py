"""`manage.py import_contacts FILE --list NAME --consent TEXT`: a table of contacts -> a list."""

import os
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from django.core.management.base import CommandError

from accounts.management.base import WorkspaceCommand
from accounts.models import Workspace
from campaigns.contacts import importer, intake, uploads
from campaigns.contacts.checking import check
from campaigns.contacts.dialect import Dialect, guess
from campaigns.contacts.reasons import SENTENCES, CannotImport
from campaigns.models import ContactImport

_CHUNK_BYTES = 1 << 20
_WAIT_SECONDS = 0.2
_COUNTS = (
    *("rows", "imported", "updated", "unchanged", "duplicates", "invalid"),
    *("suppressed", "suspicious"),
)


class Command(WorkspaceCommand):
    help = "Import a table of contacts (CSV) into a list."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("file", metavar="FILE", type=Path)
        parser.add_argument("--list", required=True, metavar="NAME", help="made when it is new")
        parser.add_argument(
            "--consent", required=True, metavar="TEXT", help="where the consent comes from"
        )
        parser.add_argument(
            "--map",
            action="append",
            default=[],
            metavar="Column=field",
            help="email, first_name, last_name, name, - (left out), or a field of your own",
        )
        parser.add_argument("--encoding", help="guessed when not given")
        parser.add_argument("--delimiter", help="guessed when not given")
        parser.add_argument(
            "--header-line", type=int, metavar="N", help="guessed when not given; 0: there is none"
        )
        parser.add_argument("--dry-run", action="store_true", help="do everything but write")

    def handle(self, *args: Any, **options: Any) -> None:
        begun = time.monotonic()
        workspace = self.find_workspace(options)
        list_name, consent = options["list"].strip(), options["consent"].strip()
        if not list_name:
            raise CommandError("The list needs a name.", returncode=2)
        if not consent:
            raise CommandError("Say with --consent where the consent comes from.", returncode=2)
        columns = _mapping(options["map"])
        try:
            with options["file"].open("rb") as file:
                dialect = guess(
                    file,
                    encoding=options["encoding"],
                    delimiter=options["delimiter"],
                    header_line=options["header_line"],
                    columns=columns,
                )
                if options["dry_run"]:
                    result = _dry_run(file, dialect, workspace)
                else:
                    result = _import(file, dialect, workspace, list_name, consent)
        except OSError as err:
            raise CommandError(f"{options['file']} cannot be read: {err.strerror}.") from err
        except CannotImport as err:
            raise CommandError(str(err)) from err
        result |= {
            "encoding": dialect.encoding,
            "delimiter": dialect.delimiter,
            "header_line": dialect.header_line,
            "columns": dialect.columns,
            "seconds": round(time.monotonic() - begun, 3),
        }
        self.answer(options, result, _in_words(result))


def _mapping(pairs: list[str]) -> dict[str, str]:
    """`Column=field` -> {Column: field}. The last `=` parts: a column may be called `a=b`."""
    columns: dict[str, str] = {}
    for pair in pairs:
        column, equals, field = pair.rpartition("=")
        if not equals or not column.strip():
            raise CommandError(f'--map takes "Column=field", not "{pair}".', returncode=2)
        columns[" ".join(column.split())] = field
    return columns


def _dry_run(file: BinaryIO, dialect: Dialect, workspace: Workspace) -> dict[str, Any]:
    found = check(file, dialect, workspace)
    return {
        **{name: getattr(found.tally, name) for name in _COUNTS},
        "problems": [
            {"line": problem.line, "reason": problem.reason, "value": problem.value}
            for problem in found.problems
        ],
        "problems_file": None,
    }


def _import(
    file: BinaryIO, dialect: Dialect, workspace: Workspace, list_name: str, consent: str
) -> dict[str, Any]:
    file.seek(0)
    job = intake.receive(workspace, Path(file.name).name, _chunks(file))
    intake.choose(job, dialect)
    intake.start(job, intake.list_named(workspace, list_name), consent)
    job = _finished(job)
    if job.state != ContactImport.State.FINISHED:
        raise CommandError(job.error or "The import was cancelled.")
    return {
        **{name: getattr(job, name) for name in _COUNTS},
        "problems": job.problems,
        "problems_file": str(uploads.path_of(job.problems_as)) if job.problems_as else None,
    }


def _finished(job: ContactImport) -> ContactImport:
    """Run the import, or wait for the worker that was quicker to take it."""
    while True:
        importer.run(job.pk)
        job.refresh_from_db()
        if job.state not in (ContactImport.State.WAITING, ContactImport.State.RUNNING):
            return job
        time.sleep(_WAIT_SECONDS)


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    while chunk := file.read(_CHUNK_BYTES):
        yield chunk


def _in_words(result: dict[str, Any]) -> str:
    lines = [", ".join(f"{result[name]} {name}" for name in _COUNTS) + "."]
    lines += [
        f"Line {problem['line']}: {SENTENCES[problem['reason']]} {problem['value']}"
        for problem in result["problems"][:20]
    ]
    if result["problems_file"]:
        lines.append(f"All rejected rows: {result['problems_file']}")
    return os.linesep.join(lines)
