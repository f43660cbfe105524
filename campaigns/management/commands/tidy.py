"""manage.py tidy: let go what is older than the settings say, as the periodic task does."""

from dataclasses import asdict
from typing import Any

from django.utils import timezone

from accounts.management.base import WorkspaceCommand
from campaigns.keeping.retention import tidy


class Command(WorkspaceCommand):
    help = (
        "Let go what is older than KEEP_LEDGER_DAYS, KEEP_FILES_DAYS and KEEP_HISTORY_DAYS say: "
        "never what still counts. It is the instance's: --workspace does not narrow it."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        gone = asdict(tidy(timezone.now()))
        words = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in gone.items())
        self.answer(options, gone, f"Gone: {words}.")
