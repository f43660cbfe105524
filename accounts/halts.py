"""Why nothing at all may leave through an account, single mails neither: its halts.

A rest runs out by itself, or its person connects the account again; a halt is ended by whoever
finds out that it is safe to go on.
"""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import OuterRef, QuerySet

from accounts.models import GmailAccount, Halt

Cause = Halt.Cause


def begin(accounts: Iterable[GmailAccount], cause: Cause, reason: str, now: datetime) -> None:
    """Halt `accounts`; nothing changes for one that is halted for this `cause` already."""
    rows = [Halt(account=account, cause=cause, reason=reason, began_at=now) for account in accounts]
    Halt.objects.bulk_create(rows, ignore_conflicts=True)


def end(accounts: Iterable[GmailAccount], cause: Cause, now: datetime) -> int:
    """The halts of `accounts` for this `cause` are over; returns how many there were."""
    halted = Halt.objects.filter(account__in=accounts, cause=cause, ended_at=None)
    return halted.update(ended_at=now)


def of_cause(account: GmailAccount, cause: Cause) -> Halt | None:
    """The account's halt for this cause, while it lasts."""
    return Halt.objects.filter(account=account, cause=cause, ended_at=None).first()


def of(account: GmailAccount) -> Halt | None:
    """What halts the account now; the newest where there are several."""
    return Halt.objects.filter(account=account, ended_at=None).first()


def lasting(account: str = "pk") -> QuerySet[Halt]:
    """Within a query: what halts the account that stands in its column `account`."""
    return Halt.objects.filter(account=OuterRef(account), ended_at=None)


def by_account(accounts: Iterable[GmailAccount]) -> dict[int, Halt]:
    """The same for several accounts at once, by their id; those that may send are left out."""
    halted = Halt.objects.filter(account__in=accounts, ended_at=None).order_by("began_at", "id")
    return {halt.account_id: halt for halt in halted}
