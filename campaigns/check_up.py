"""A check-up of an account: what `accounts.doctor` looks at from outside, then a mail to itself."""

from collections.abc import Callable, Iterator
from datetime import datetime

from django.utils import timezone

from accounts.doctor import check_ups
from accounts.doctor.check import Check
from accounts.doctor.check_ups import Held, NotAsked
from accounts.doctor.examination import Examination
from accounts.models import GmailAccount
from campaigns.delivery.self_test import self_test


class Visit:
    """Begins when it is made, so that several accounts are looked at side by side."""

    def __init__(self, account: GmailAccount, now: datetime) -> None:
        self._examination = Examination(account, now)

    def checks(self, held: Held, keep_going: Callable[[], bool] = lambda: True) -> Iterator[Check]:
        """Each line as soon as it is known, written down for `held` before it is given.

        When `keep_going` says no it is left for another worker to begin again. Raises NotAsked.
        """
        found: list[Check] = []
        for check in self._examination.checks():
            found.append(check)
            check_ups.note(held, found)
            yield check
        last = self_test(held.account_id, held.asked_at, found, keep_going)
        if not keep_going():
            check_ups.let_go(held)
            return
        check_ups.note(held, [*found, last])
        check_ups.finish(held, timezone.now())
        yield last


def run(account_id: int, keep_going: Callable[[], bool]) -> None:
    """Do what was asked for. Harmless when it is done, or another worker has it."""
    held = check_ups.take(account_id, timezone.now())
    if held is None:
        return
    account = GmailAccount.objects.get(pk=account_id)
    try:
        for _check in Visit(account, timezone.now()).checks(held, keep_going):
            pass
    except NotAsked:
        # Asked for anew meanwhile: that one is somebody's own.
        return
