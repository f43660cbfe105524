"""The journey that `make demo` makes: consent, import, template, campaign, delivery.

It uses the commands that a person would, and reads what Gmail accepted from the practice Gmail's
own files, not from Daypost.
"""

import io
import json
import os
import secrets
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.connect import ConnectError, finish_oauth, start_oauth
from accounts.models import GmailAccount, Workspace
from campaigns.models import Campaign
from campaigns.reports.status import message_counts
from config.consent import ConsentFailed, give_consent
from config.run import start_parts

LIST, SUBJECT = "Everybody", "News from the demo"
TEMPLATE = settings.BASE_DIR / "campaigns" / "starters" / "newsletter.html"
# Nobody listens there: the answer is taken from the address, as on a machine without a screen.
REDIRECT_URI = "http://localhost/"
START_SECONDS = 60
# The next message leaves later than this: the limit is reached.
TODAY_IS_OVER = timedelta(minutes=5)
STUCK_SECONDS = 60
POLL_SECONDS = 2


class DemoFailed(Exception):
    """Why it could not be shown: one sentence."""


class PartsFailed(DemoFailed):
    """A part that should work in the background does not; its log says why."""


class Journey:
    """One demo, from an empty data folder on."""

    def __init__(self, contacts: Path) -> None:
        self.contacts = contacts
        self.log = settings.DATA_DIR / "log"

    def run(self) -> dict[str, Any]:
        """Do it all, telling how far it is. Raises DemoFailed."""
        try:
            call_command("migrate", verbosity=0)
            workspace = self._workspace()
            # First, so that a table that is of no use ends it at once.
            imported = self._import()
            with self._parts_at_work():
                campaign = self._launch(self._connect(workspace))
                self._deliver(campaign)
                return self._report(campaign, imported)
        except (CommandError, ConnectError, ConsentFailed) as error:
            raise DemoFailed(str(error)) from error

    @contextmanager
    def _parts_at_work(self) -> Iterator[None]:
        # The port is the web server's, which is not started.
        with self.log.open("wb") as log:
            self.parts = start_parts("practice", "worker", "beat", port=0, output=log)
        try:
            try:
                yield
            finally:
                self.parts.send_signal(signal.SIGTERM)
                self.parts.wait()
        except PartsFailed:
            sys.stderr.write(self.log.read_text())
            raise

    def _workspace(self) -> Workspace:
        password = settings.DATA_DIR / "password"
        password.write_text(secrets.token_urlsafe())
        owner = ask(
            *("create_owner", "owner@example.org", "--password-file", password),
            *("--workspace", "Demo", "--postal-address", "1 High Street, Example"),
        )
        return Workspace.objects.get(name=owner["workspace"])

    def _connect(self, workspace: Workspace) -> GmailAccount:
        self._wait_for_practice()
        session: dict[str, Any] = {}
        url = start_oauth(session, workspace, REDIRECT_URI, practice=True)
        account = finish_oauth(session, workspace, give_consent(url), timezone.now())
        tell(f"Connected {account.address} on the practice Gmail by OAuth.")
        return account

    def _wait_for_practice(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not (settings.PRACTICE_DIR / "ready").exists():
            if self.parts.poll() is not None or time.monotonic() > deadline:
                raise PartsFailed("The practice Gmail did not start: see the lines above.")
            time.sleep(0.1)

    def _import(self) -> dict[str, Any]:
        found: dict[str, Any] = ask(
            "import_contacts", self.contacts, "--list", LIST, "--consent", "Invented for the demo"
        )
        tell(
            f"Imported {found['imported']:,} of {found['rows']:,} rows of {self.contacts.name} "
            f"in {found['seconds']:.1f} s."
        )
        return found

    def _launch(self, account: GmailAccount) -> int:
        launched = ask(
            *("launch_campaign", "--template", TEMPLATE, "--subject", SUBJECT),
            *("--list", LIST, "--account", account.address, "--pace", "asap"),
        )
        campaign: int = launched["campaign"]
        plan = ask("forecast", "--campaign", campaign)
        days = ", ".join(f"{count:,} on {day}" for day, count in plan["by_day"].items())
        tell(f"Launched to {launched['recipients']:,} recipients. Forecast: {days}.")
        return campaign

    def _deliver(self, campaign: int) -> None:
        """Watch the worker send until today's limit, or until nobody waits. Raises DemoFailed."""
        moved_at, last = time.monotonic(), None
        while True:
            counts = message_counts(Campaign.objects.get(pk=campaign))
            if counts != last:
                moved_at, last = time.monotonic(), counts
                tell(f"  {counts['sent']:>6,} sent, {counts['waiting']:,} waiting")
            elif is_over(ask("campaign", campaign)):
                return
            if self.parts.poll() is not None or time.monotonic() - moved_at > STUCK_SECONDS:
                raise PartsFailed("Nothing leaves any more: see the lines above.")
            time.sleep(POLL_SECONDS)

    def _report(self, campaign: int, imported: dict[str, Any]) -> dict[str, Any]:
        state = ask("campaign", campaign)
        plan = ask("forecast", "--campaign", campaign)
        counts = state["counts"]
        accepted = rows(settings.PRACTICE_DIR / "ledger.jsonl")
        if len(accepted) != counts["sent"]:
            raise DemoFailed(
                f"The practice Gmail accepted {len(accepted)} messages, "
                f"and Daypost says that it sent {counts['sent']}."
            )
        return {
            "rows": imported["rows"],
            "imported": imported["imported"],
            "invalid": imported["invalid"],
            "duplicates": imported["duplicates"],
            "sent": counts["sent"],
            "refused_by_gmail": len(rows(settings.PRACTICE_DIR / "refused.jsonl")),
            "waiting": counts["waiting"],
            "in_doubt": counts["in_doubt"],
            "by_day": plan["by_day"],
            "finishes": state["finishes"],
        }


def is_over(state: dict[str, Any]) -> bool:
    """Whether nothing more leaves today, and nothing is under way."""
    counts = state["counts"]
    if counts["claimed"] or counts["handing_over"]:
        return False
    if not counts["waiting"]:
        return True
    next_at = datetime.fromisoformat(state["next_at"]) if state["next_at"] else None
    return next_at is None or next_at > timezone.now() + TODAY_IS_OVER


def ask(command: str, *arguments: object) -> Any:
    """What `manage.py COMMAND ... --json` answers. Raises CommandError."""
    out = io.StringIO()
    call_command(command, *map(str, arguments), "--json", stdout=out)
    return json.loads(out.getvalue())


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def tell(text: str) -> None:
    sys.stdout.write(f"{text}{os.linesep}")
    sys.stdout.flush()
