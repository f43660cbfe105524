"""manage.py backup: one consistent moment of this instance in one file, while it works."""

import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from accounts.management.base import WorkspaceCommand
from campaigns.keeping.archive import CannotKeep
from campaigns.keeping.backup import backup
from campaigns.keeping.progress import Lines


class Command(WorkspaceCommand):
    help = (
        "Write a backup of this instance to FILE, while it works: the database as it is at one "
        "moment, and the files that its imports point to. Restore it with restore."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("file", metavar="FILE", type=Path)
        parser.add_argument(
            "--with-keys",
            action="store_true",
            help="put the keys in as well: whoever has this file can then send from your Gmail",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        began = time.monotonic()
        try:
            made = backup(
                options["file"].absolute(),
                with_keys=options["with_keys"],
                progress=Lines(self.stderr),
            )
        except CannotKeep as error:
            raise CommandError(str(error)) from error
        document = {
            "file": str(options["file"].absolute()),
            "bytes": made.size,
            "database": made.manifest.database,
            "made_at": made.manifest.made_at,
            "uploads": made.uploads,
            "keys": made.manifest.keys,
            "seconds": round(time.monotonic() - began, 1),
        }
        keys = (
            "The keys are in it: keep it where nobody else can read it."
            if made.manifest.keys
            else f"The keys are not in it. Keep {settings.KEYS_DIR} as well, in another place: "
            "without them every account must be connected again."
        )
        self.answer(options, document, f"{document['file']}: {made.size:,} bytes. {keys}")
