"""Whether an account may send now: resting, backing off, needing its person, or well again.

Each function is one transaction under the lock of the account's row: it changes the state and
writes the rest into the account's history (`accounts.rests`) together.
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from accounts import ledger, quota, rests
from accounts.models import GmailAccount, Rest

FIRST_BACK_OFF = timedelta(minutes=1)
LONGEST_BACK_OFF = timedelta(hours=1)
# Slack where moments of two clocks are compared: far more than a clock that is believed can be off
# (`clock.rules.AT_MOST_OFF`).
CLOCKS_APART = timedelta(minutes=5)
# How long an account rests after Gmail itself has refused one of its messages.
BLOCKED_REST = timedelta(hours=1)
# The least for which Google blocks an account at its limit.
SHORTEST_BLOCK = timedelta(hours=1)


def is_resting(account: GmailAccount, now: datetime) -> bool:
    """Whether it waits at `now` for a rest to end by itself: nothing may leave meanwhile."""
    return account.resting_until is not None and account.resting_until > now


@transaction.atomic
def wake(accounts: QuerySet[GmailAccount]) -> None:
    """Something has come up that may leave through `accounts`: it is their turn at once."""
    # In the order of ids: two who wake the same accounts must not wait for one another.
    locked = accounts.order_by("pk").select_for_update(of=("self",))
    GmailAccount.objects.filter(pk__in=list(locked.values_list("pk", flat=True))).update(
        next_turn_at=None
    )


@transaction.atomic
def rest_for_limit(account_id: int, reply: str, now: datetime) -> None:
    """Gmail says the limit is reached: rest until enough has aged, at most 24 hours.

    What was used at that moment is more than Gmail allows now, so it becomes the learned limit,
    as far as it is known: see `Limits.taught`.
    """
    account = _locked(account_id)
    # Without what is only reserved: it was not used when Gmail refused.
    uses = [use for use in ledger.window(account, now) if use.at is not None]
    used = quota.used(uses, now)
    _learn(account, used, now)
    until = _enough_has_aged(account_id, uses, used, now)
    GmailAccount.objects.filter(pk=account_id).update(
        resting_until=until,
        resting_reason=reply,
        # Gmail answered properly: the trouble before it, if there was any, is over.
        failures_in_a_row=0,
    )
    if not (
        is_resting(account, now) and rests.lengthen(account_id, Rest.Cause.LIMIT, reply, until)
    ):
        rests.begin(account_id, Rest.Cause.LIMIT, reply, until, now)


@transaction.atomic
def limit_noticed(account_id: int, reason: str, at: datetime, now: datetime, not_sent: int) -> None:
    """Gmail wrote at `at`, by its own clock, that it did not send `not_sent` of what it had taken.

    The limit was lower than it seemed: learned as from a refusal at `at`, and what is left of the
    rest from then on is kept. Doing it twice changes nothing more.
    """
    account = _locked(account_id)
    until_then = [
        use for use in ledger.window(account, at) if use.at is None or use.at <= at + CLOCKS_APART
    ]
    used = max(quota.used(until_then, at) - not_sent, 0)
    _learn(account, used, at)
    ends = quota.free_at(until_then, used, at) or at + quota.WINDOW
    until = min(ends, at + quota.WINDOW)
    if until <= max(now, account.resting_until or now):
        return
    GmailAccount.objects.filter(pk=account_id).update(resting_until=until, resting_reason=reason)
    if not (
        is_resting(account, now) and rests.lengthen(account_id, Rest.Cause.LIMIT, reason, until)
    ):
        rests.begin(account_id, Rest.Cause.LIMIT, reason, until, now)


def _learn(account: GmailAccount, used: int, at: datetime) -> None:
    """What a refusal at `at` teaches, unless one since then has taught."""
    learned = ledger.limits(account).taught(used, at)
    if learned is None or (account.learned_at is not None and account.learned_at > at):
        return
    GmailAccount.objects.filter(pk=account.pk).update(learned_limit=learned, learned_at=at)


def _enough_has_aged(
    account_id: int, uses: list[ledger.Entry], used: int, now: datetime
) -> datetime:
    """When less counts than did at the refusal; a day later where what counts is not known.

    Google blocks an account for 1 to 24 hours, whatever ages meanwhile: what is refused again
    after a rest, with nothing accepted between, rests twice as long as before.
    """
    until = quota.free_at(uses, used, now) or now + quota.WINDOW
    last = rests.newest(account_id, Rest.Cause.LIMIT)
    if last is None or last.until is None:
        pass
    elif last.until > now:
        # Of the same refusal another worker heard first; and no rest is ever made shorter.
        until = max(until, last.until)
    elif not ledger.accepted_since(account_id, last.began_at):
        until = max(until, now + max(2 * (last.until - last.began_at), SHORTEST_BLOCK))
    return min(until, now + quota.WINDOW)


@transaction.atomic
def back_off(account_id: int, reason: str, now: datetime) -> datetime:
    """Gmail or the line has a passing trouble: wait, each time twice as long, an hour at most.

    Returns until when the account rests.
    """
    account = _locked(account_id)
    if account.resting_until is not None and is_resting(account, now):
        # Of the same trouble another worker heard first; and no rest is ever made shorter.
        return account.resting_until
    failures = account.failures_in_a_row
    rest: timedelta = min(FIRST_BACK_OFF * 2 ** min(failures, 10), LONGEST_BACK_OFF)
    until = now + rest
    GmailAccount.objects.filter(pk=account_id).update(
        failures_in_a_row=failures + 1, resting_until=until, resting_reason=reason
    )
    if not (failures and rests.lengthen(account_id, Rest.Cause.TROUBLE, reason, until)):
        rests.begin(account_id, Rest.Cause.TROUBLE, reason, until, now)
    return until


@transaction.atomic
def blocked(account_id: int, reason: str, at: datetime, now: datetime) -> None:
    """Gmail wrote at `at` that it would not deliver what it had taken: nothing more leaves for a
    while. Doing it twice changes nothing more.
    """
    account = _locked(account_id)
    until = at + BLOCKED_REST
    if until <= max(now, account.resting_until or now):
        return
    GmailAccount.objects.filter(pk=account_id).update(resting_until=until, resting_reason=reason)
    if not (
        is_resting(account, now) and rests.lengthen(account_id, Rest.Cause.TROUBLE, reason, until)
    ):
        rests.begin(account_id, Rest.Cause.TROUBLE, reason, until, now)


@transaction.atomic
def well_again(account_id: int, now: datetime) -> None:
    """Gmail accepted a message: whatever was wrong is over."""
    troubled = GmailAccount.objects.filter(pk=account_id, failures_in_a_row__gt=0)
    if troubled.update(failures_in_a_row=0, resting_until=None, resting_reason=""):
        rests.end(account_id, now, Rest.Cause.TROUBLE)


@transaction.atomic
def connected(account_id: int, now: datetime) -> None:
    """Its person has just connected it: only Gmail's limit may still keep it from sending."""
    well_again(account_id, now)
    rests.end(account_id, now, Rest.Cause.RECONNECT)
    wake(GmailAccount.objects.filter(pk=account_id))


@transaction.atomic
def needs_reconnecting(
    account_id: int, reason: str, now: datetime, sealed_secret: str | None = None
) -> None:
    """The person must connect the account again; its messages wait.

    With `sealed_secret`, only while that is still the account's: it may have been connected
    again since its old secret was tried.
    """
    ready = GmailAccount.objects.filter(pk=account_id, state=GmailAccount.State.READY)
    if sealed_secret is not None:
        ready = ready.filter(sealed_secret=sealed_secret)
    if ready.update(state=GmailAccount.State.NEEDS_RECONNECTING, state_reason=reason):
        rests.begin(account_id, Rest.Cause.RECONNECT, reason, None, now)


def _locked(account_id: int) -> GmailAccount:
    return GmailAccount.objects.select_for_update().get(pk=account_id)
