"""The ledger of an account's limit: reserve before handing over, settle once.

Every function is to be called inside the transaction that also moves the message, so that the two
never disagree.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import DateTimeField, F, Q, QuerySet, Sum, Value
from django.db.models.functions import Greatest

from accounts import quota, sent
from accounts.models import GmailAccount, LedgerRow
from accounts.quota import Growth, Limits, Use


@dataclass(frozen=True)
class Entry(Use):
    """A use that also says what it served."""

    source: str = LedgerRow.Source.CAMPAIGN
    campaign_ref: int | None = None


def limits(account: GmailAccount) -> Limits:
    learned = ramp = None
    if account.learned_limit is not None and account.learned_at is not None:
        learned = Growth(account.learned_limit, quota.FORGETTING, account.learned_at)
    if account.ramp:
        ramp = Growth(account.ramp_first, account.ramp_growth, account.ramp_began_at)
    return Limits(
        limit=account.limit,
        learned=learned,
        ramp=ramp,
        reserve_by_hand=account.reserve_by_hand,
        reserve_transactional=account.reserve_transactional,
        sent_is_read=sent.is_read(account),
    )


def window(account: GmailAccount, now: datetime) -> list[Entry]:
    """Everything that counts against the account's limit at `now`."""
    return windows([account], now)[account.pk]


def windows(accounts: Iterable[GmailAccount], now: datetime) -> dict[int, list[Entry]]:
    """The same for several accounts at once, by their id."""
    entries: dict[int, list[Entry]] = {account.pk: [] for account in accounts}
    rows = counting().filter(account__in=entries).exclude(at__lte=now - quota.WINDOW - quota.MARGIN)
    fields = rows.values_list("account_id", "at", "recipients", "source", "campaign_ref")
    for account_id, at, recipients, source, ref in fields:
        entries[account_id].append(Entry(at, recipients, source, ref))
    return entries


def totals(account: GmailAccount, now: datetime) -> list[Entry]:
    """What counts at `now`, summed by what it served: cheap, but it does not say when it ends."""
    rows = counting().filter(account=account).exclude(at__lte=now - quota.WINDOW - quota.MARGIN)
    sums = rows.order_by().values_list("source", "campaign_ref").annotate(Sum("recipients"))
    return [Entry(None, recipients, source, ref) for source, ref, recipients in sums]


def by_hand(entries: Iterable[Entry]) -> int:
    """Recipients of what its person wrote elsewhere, of all that counts."""
    mail = (entry for entry in entries if entry.source == LedgerRow.Source.BY_HAND)
    return sum(entry.recipients for entry in mail)


def accepted_since(account_id: int, moment: datetime) -> bool:
    """Whether Gmail has accepted anything of ours after `moment`."""
    ours = LedgerRow.objects.filter(account=account_id, state=LedgerRow.State.ACCEPTED)
    return ours.exclude(source=LedgerRow.Source.BY_HAND).filter(at__gt=moment).exists()


def counting() -> QuerySet[LedgerRow]:
    """All but what Gmail certainly did not accept."""
    return LedgerRow.objects.exclude(state=LedgerRow.State.VOID)


def reserve(
    account: GmailAccount, source: str, campaign_ref: int | None, count: int, now: datetime
) -> list[LedgerRow]:
    """Take `count` recipients' worth of the limit, a row for each.

    The caller holds the account's row lock. The first message of a campaign begins the plan for a
    new account.
    """
    if account.ramp and account.ramp_began_at is None and source == LedgerRow.Source.CAMPAIGN:
        GmailAccount.objects.filter(pk=account.pk).update(ramp_began_at=now)
    return LedgerRow.objects.bulk_create(
        LedgerRow(account=account, source=source, campaign_ref=campaign_ref, reserved_at=now)
        for _ in range(count)
    )


def forget(row_ids: Collection[int]) -> None:
    """They were reserved for what was never begun."""
    reserved = LedgerRow.objects.filter(pk__in=row_ids, state=LedgerRow.State.RESERVED)
    if reserved.delete()[0] != len(row_ids):
        raise AlreadySettled("A use that was to be forgotten is settled already.")


def add_by_hand(account: GmailAccount, mails: Iterable[tuple[datetime, int]]) -> list[LedgerRow]:
    """Mail that the account's person wrote elsewhere: when each left, to how many. In order."""
    return LedgerRow.objects.bulk_create(
        LedgerRow(
            account=account,
            source=LedgerRow.Source.BY_HAND,
            recipients=recipients,
            state=LedgerRow.State.ACCEPTED,
            reserved_at=at,
            at=at,
        )
        for at, recipients in mails
    )


def add_accepted(
    account: GmailAccount, source: str, campaign_ref: int | None, at: datetime
) -> LedgerRow:
    """A use that nobody had written down: Gmail accepted it at `at`."""
    return LedgerRow.objects.create(
        account=account,
        source=source,
        campaign_ref=campaign_ref,
        state=LedgerRow.State.ACCEPTED,
        reserved_at=at,
        at=at,
    )


def accept(row_id: int, at: datetime) -> None:
    """Gmail accepted it, at `at` at the latest."""
    _settle(row_id, LedgerRow.State.ACCEPTED, at)


def void(row_id: int) -> None:
    """Gmail certainly did not accept it: it never counted."""
    _settle(row_id, LedgerRow.State.VOID, None)


def unknown(row_id: int, at: datetime) -> None:
    """Nobody knows; it counts as accepted at `at`, the last moment the session could have lived."""
    _settle(row_id, LedgerRow.State.UNKNOWN, at)


def accept_after_all(row_id: int) -> None:
    """Gmail did accept what nobody knew of. It counts until the same moment as before."""
    unknown = LedgerRow.objects.filter(pk=row_id, state=LedgerRow.State.UNKNOWN)
    unknown.update(state=LedgerRow.State.ACCEPTED)


def carry(account: GmailAccount, by: timedelta, now: datetime) -> None:
    """The clock was found to have been wrong: what counts goes on counting for as long as before.

    `by` is how far the clock was set ahead of what it showed before; `now` is its new moment.
    """
    if by:
        counts = Q(at=None) | Q(at__gt=counting_since(by, now))
        rows = counting().filter(counts, account=account)
        rows.update(at=F("at") + by, reserved_at=F("reserved_at") + by)


def counting_since(by: timedelta, now: datetime) -> datetime:
    """From when on something counts at `now` by either clock: as it is, or set back by `by`.

    By both, since what has just ceased to count must not begin again.
    """
    return min(now, now - by) - quota.WINDOW - quota.MARGIN


class AlreadySettled(RuntimeError):
    """A ledger row was to be settled twice: a fault in the caller, never to be passed over."""


def _settle(row_id: int, state: LedgerRow.State, at: datetime | None) -> None:
    reserved = LedgerRow.objects.filter(pk=row_id, state=LedgerRow.State.RESERVED)
    # Never before it was reserved: the row may have been carried on since, to a clock that the
    # worker which settles it does not know of.
    not_before = Greatest(Value(at, output_field=DateTimeField()), F("reserved_at"))
    if reserved.update(state=state, at=None if at is None else not_before) != 1:
        raise AlreadySettled(f"Ledger row {row_id} is settled already.")
