"""manage.py confirm_clock: say that the clock of this machine is right, so that sending goes on."""

from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from accounts.clock import watch, words
from accounts.clock.watch import Answers
from accounts.management.base import WorkspaceCommand
from accounts.models import GmailAccount, Halt
from accounts.tenancy import visible


class Command(WorkspaceCommand):
    help = (
        "Say that the clocks are right which Daypost does not believe, so that sending goes on. "
        "Without --workspace for all of them: it is the machine's clock. Look at the date first."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        halted = Halt.objects.filter(cause=Halt.Cause.CLOCK, ended_at=None)
        accounts = GmailAccount.objects.filter(pk__in=halted.values("account"))
        if options["workspace"] is not None:
            accounts = visible(accounts, self.find_workspace(options))
        confirmed = list(accounts)
        now = timezone.now()
        answers = Answers()
        still: list[str] = []
        for account in confirmed:
            watch.confirm(account, now)
            if not watch.is_believed(watch.look(account, answers)):
                still.extend(words.finding(check) for check in watch.at_odds(account))
        document = {"now": now, "accounts": [account.address for account in confirmed]}
        self.answer(
            options, document, _said(document["accounts"], f"{now:%A, %d %B %Y, %H:%M UTC}")
        )
        if still:
            raise CommandError(f"The clock was set again meanwhile. {still[0]}")


def _said(addresses: Any, now: str) -> str:
    if not addresses:
        return f"It is {now}. No account waits for the clock."
    return f"It is {now}. Sending goes on through {', '.join(addresses)}."
