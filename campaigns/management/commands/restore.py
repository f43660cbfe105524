"""manage.py restore: a backup takes the place of this instance's database."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from accounts.management.base import WorkspaceCommand
from campaigns.keeping.archive import CannotKeep, Manifest
from campaigns.keeping.progress import Lines
from campaigns.keeping.restore import Restored, restore


class Command(WorkspaceCommand):
    help = (
        "Put the backup FILE in the place of this instance's database. The old database is kept "
        "under another name. Nothing is sent until it is known what left since the backup."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("file", metavar="FILE", type=Path)
        parser.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["yes"] and not sys.stdin.isatty():
            raise CommandError("Say --yes where nobody can be asked.", returncode=2)
        try:
            restored = restore(
                options["file"].absolute(),
                agreed=lambda manifest: bool(options["yes"]) or self._ask(manifest),
                progress=Lines(self.stderr),
                now=timezone.now(),
            )
        except CannotKeep as error:
            raise CommandError(str(error)) from error
        if restored is None:
            raise CommandError("Nothing was changed.")
        document = {
            "made_at": restored.manifest.made_at,
            "database": restored.manifest.database,
            "kept_aside": restored.aside,
            "uploads": restored.uploads,
            "keys": restored.manifest.keys,
        }
        self.answer(options, document, _in_words(restored))

    def _ask(self, manifest: Manifest) -> bool:
        self.stderr.write(
            f"This is the backup of {manifest.made_at} (Daypost {manifest.version}). It takes the "
            "place of everything in this instance; the present database is kept aside."
        )
        return input("Restore it? [y/N] ").strip().lower() in {"y", "yes"}


def _in_words(restored: Restored) -> str:
    old = f" The old database is kept as {restored.aside}." if restored.aside else ""
    keys = "with its keys" if restored.manifest.keys else "with the keys that were here"
    return (
        f"The backup of {restored.manifest.made_at} is restored, {keys}.{old} Start Daypost: it "
        "sends nothing until it has found in Sent what left since the backup, or until you let an "
        "account go on, on its page or with release."
    )
