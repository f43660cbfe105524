"""manage.py classify_report FILE...: what a delivery report says, of which recipient."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from accounts.management.base import WorkspaceCommand
from gmail import reports
from gmail.failures import Verdict
from gmail.reports import Report

_NOTHING = Report(Verdict.NONE)


class Command(WorkspaceCommand):
    help = "Say what a delivery report means. It needs no workspace, and changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("files", metavar="FILE", nargs="+", type=Path, help="a mail as it came")

    def handle(self, *args: Any, **options: Any) -> None:
        found = [entry for file in options["files"] for entry in _entries(file)]
        self.answer(options, found, "\n".join(_line(entry) for entry in found))


def _line(entry: dict[str, Any]) -> str:
    words = (entry["verdict"], entry["recipient"], entry["detail"])
    return f"{entry['file']}: {' '.join(filter(None, words))}"


def _entries(file: Path) -> list[dict[str, Any]]:
    """One for each recipient that it reports on; one that says "none" where it is no report."""
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise CommandError(f"{file} could not be read: {error.strerror}.") from error
    return [
        {
            "file": str(file),
            "verdict": report.verdict.value,
            "recipient": report.recipient,
            "original_message_id": next(iter(report.message_ids), None),
            "status": report.status or None,
            "detail": report.said,
        }
        for report in reports.read(raw) or (_NOTHING,)
    ]
