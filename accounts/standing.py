"""Whether an account may send now: resting, backing off, needing its person, or well again."""

from datetime import datetime, timedelta

from django.db.models import F

from accounts import ledger, quota
from accounts.models import GmailAccount

FIRST_BACK_OFF = timedelta(minutes=1)
LONGEST_BACK_OFF = timedelta(hours=1)


def rest_for_limit(account_id: int, reply: str, now: datetime) -> None:
    """Gmail says the limit is reached: rest until enough has aged, at most 24 hours.

    What was used at that moment is more than Gmail allows now, so it becomes the learned limit.
    """
    account = GmailAccount.objects.get(pk=account_id)
    uses = ledger.window(account, now)
    used = quota.used(uses, now)
    learned = max(min(used, ledger.limits(account).in_force(now)), 1)
    until = quota.free_at(uses, learned, now) if used else None
    GmailAccount.objects.filter(pk=account_id).update(
        learned_limit=learned,
        learned_at=now,
        resting_until=min(until or now + quota.WINDOW, now + quota.WINDOW),
        resting_reason=reply,
    )


def back_off(account_id: int, reason: str, now: datetime) -> None:
    """Gmail or the line has a passing trouble: wait, each time twice as long, an hour at most."""
    failures = GmailAccount.objects.values_list("failures_in_a_row", flat=True).get(pk=account_id)
    pause = min(FIRST_BACK_OFF * 2 ** min(failures, 10), LONGEST_BACK_OFF)
    GmailAccount.objects.filter(pk=account_id).update(
        failures_in_a_row=F("failures_in_a_row") + 1,
        resting_until=now + pause,
        resting_reason=reason,
    )


def well_again(account_id: int) -> None:
    """Gmail accepted a message: whatever was wrong is over."""
    GmailAccount.objects.filter(pk=account_id, failures_in_a_row__gt=0).update(
        failures_in_a_row=0, resting_until=None, resting_reason=""
    )


def needs_reconnecting(account_id: int, reason: str, sealed_secret: str | None = None) -> None:
    """The person must connect the account again; its messages wait.

    With `sealed_secret`, only while that is still the account's: it may have been connected
    again since its old secret was tried.
    """
    ready = GmailAccount.objects.filter(pk=account_id, state=GmailAccount.State.READY)
    if sealed_secret is not None:
        ready = ready.filter(sealed_secret=sealed_secret)
    ready.update(state=GmailAccount.State.NEEDS_RECONNECTING, state_reason=reason)
