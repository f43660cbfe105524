"""manage.py doctor: look at everything that Gmail accounts need, and say what to do."""

from argparse import ArgumentParser
from collections.abc import Iterable, Iterator
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from accounts.doctor import check_ups
from accounts.doctor.check import LABELS, Check, Name, State, as_rows, from_rows
from accounts.management.base import WorkspaceCommand
from accounts.models import GmailAccount, Workspace
from accounts.tenancy import visible
from campaigns.check_up import CheckUpRun

WORDS = {
    State.GOOD: "ok",
    State.RED: "RED",
    State.UNUSED: "no",
    State.WAITS: "waits",
    State.OFF: "off",
}


class Command(WorkspaceCommand):
    help = (
        "Look at ports, log-ins, folders, clock and limit, and send a mail to the account itself."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "email", nargs="?", metavar="EMAIL", help="one account; all connected ones without it"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        workspace = self.find_workspace(options)
        one = options["email"]
        accounts = [self.find_account(workspace, one)] if one else _connected(workspace)
        # All begin before the first is heard, so that a server that does not answer holds up none.
        runs = [(account, CheckUpRun(account, timezone.now())) for account in accounts]
        reports = [self._report(account, run, options) for account, run in runs]
        if options["json"]:
            self.answer(options, reports[0] if one else reports, "")
        red = [report["account"] for report in reports if _is_red(report)]
        if red:
            raise CommandError(f"Something needs to be done for {', '.join(red)}.")

    def _report(
        self, account: GmailAccount, run: CheckUpRun, options: dict[str, Any]
    ) -> dict[str, Any]:
        """Raises CommandError when somebody else asked meanwhile."""
        say = self._say if not options["json"] else _say_nothing
        say(_heading(account))
        found: list[Check] = []
        try:
            for check in _in_order(run.checks(check_ups.ask_and_take(account, timezone.now()))):
                found.append(check)
                say(_line(check))
        except check_ups.NotAsked as error:
            raise CommandError(
                f"Somebody asked for another check-up of {account.address} meanwhile."
            ) from error
        return {"account": account.address, "checks": as_rows(found)}

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


def _say_nothing(text: str) -> None:
    """For one document on standard output, nothing else may stand there."""


def _heading(account: GmailAccount) -> str:
    patience = " (its mail to itself may take a minute)" if account.self_test else ""
    return f"{account.address}{patience}"


def _in_order(checks: Iterable[Check]) -> Iterator[Check]:
    """Each as soon as all before it are known: so a line stands in the same place every time."""
    early: dict[str, Check] = {}
    to_come = list(Name)
    for check in checks:
        early[check.name] = check
        while to_come and to_come[0] in early:
            yield early.pop(to_come.pop(0))
    yield from early.values()


def _line(check: Check) -> str:
    line = f"  {WORDS[check.state]:<6}{check.name:<15}{LABELS[Name(check.name)]}: {check.detail}"
    is_told = check.remedy and not check.waits_for
    return f"{line}\n{'':23}{check.remedy}" if is_told else line


def _connected(workspace: Workspace) -> list[GmailAccount]:
    """Nothing is expected to work where the person has disconnected it."""
    accounts = GmailAccount.objects.exclude(state=GmailAccount.State.DISCONNECTED)
    return list(visible(accounts, workspace))


def _is_red(report: dict[str, Any]) -> bool:
    return any(check.is_red for check in from_rows(report["checks"]))
