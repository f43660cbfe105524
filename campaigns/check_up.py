"""A check-up of an account: what `accounts.doctor` looks at from outside, then a mail to itself."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from types import TracebackType

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.doctor import check_ups
from accounts.doctor.check import Check, Name
from accounts.doctor.check_ups import Held, NotAsked
from accounts.doctor.examination import Examination
from accounts.models import GmailAccount
from campaigns.delivery.self_test import self_test


class CheckUpRun:
    """Begins when it is made, so that several accounts are looked at side by side."""

    def __init__(self, account: GmailAccount, now: datetime) -> None:
        self._examination = Examination(account, now)

    def checks(self, held: Held, keep_going: Callable[[], bool] = lambda: True) -> Iterator[Check]:
        """Each line as soon as it is known, written down for `held` before it is given.

        When `keep_going` says no it is left for another worker to begin again. Raises NotAsked.
        """
        found: list[Check] = []
        with _RedWhenItBreaksOff(held, found):
            for check in self._examination.checks():
                check_ups.note(held, [*found, check])
                found.append(check)
                yield check
            last = self_test(
                held.account_id,
                held.asked_at,
                found,
                lambda: keep_going() and check_ups.is_ours(held),
            )
            if last is None:
                if not check_ups.is_ours(held):
                    raise NotAsked
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
    with suppress(NotAsked):
        # Asked for anew, or taken over: that one is somebody else's.
        for _check in CheckUpRun(account, timezone.now()).checks(held, keep_going):
            pass


class _RedWhenItBreaksOff:
    """What nobody foresaw would only come again, were it left to the next worker.

    The error itself goes on, to whoever logs it.
    """

    def __init__(self, held: Held, found: Sequence[Check]) -> None:
        self._held = held
        self._found = found

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None:
            return
        if isinstance(error, NotAsked) or not isinstance(error, Exception):
            # Not wanted any more, or this process is to stop.
            check_ups.let_go(self._held)
            return
        with suppress(NotAsked):
            check_ups.note(self._held, [*self._found, _broke_off()])
            check_ups.finish(self._held, timezone.now())


def _broke_off() -> Check:
    return Check(
        Name.SELF_TEST,
        ok=False,
        needed=True,
        detail=_("The doctor broke off at an error of Daypost's own."),
        remedy=_("Run it again; should it come back, the log says what happened."),
    )
