"""The rows of check-ups: asked for, held by one worker at a time, noted line by line, finished.

Whoever asks again while one is under way gets that one. After a change, the work in hand is worth
nothing: `asked_at` says for whom a line is meant, and a line for an earlier asking is not written.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from celery import current_app
from django.db import transaction
from django.db.models import QuerySet
from kombu.exceptions import OperationalError

from accounts.doctor.check import Check, as_rows
from accounts.leases import is_free
from accounts.models import CheckUp, GmailAccount

LEASE = timedelta(minutes=4)
"""How long a doctor may be silent: longer than a mail to oneself is waited for."""

MOST_AT_ONCE = 2
"""Workers that wait for Gmail to file a mail send nothing meanwhile: so many at most."""

_WAKE_SECONDS = 30

_log = logging.getLogger(__name__)


class NotAsked(Exception):
    """The check-up was asked for anew, or somebody else has taken it over."""


@dataclass(frozen=True)
class Held:
    """A check-up that is ours to do, for whoever asked at `asked_at`."""

    account_id: int
    asked_at: datetime
    held_until: datetime


def ask(account: GmailAccount, now: datetime) -> None:
    """Ask for a check-up, unless one is under way, and wake a worker once this is committed.

    Should the wake-up get lost, the periodic task finds what was asked for.
    """
    _row, is_new = CheckUp.objects.get_or_create(account=account, defaults={"asked_at": now})
    if not is_new:
        finished = CheckUp.objects.filter(account=account, finished_at__isnull=False)
        finished.update(asked_at=now, finished_at=None, checks=[])
    transaction.on_commit(partial(_wake, account.pk))


def ask_anew(account: GmailAccount, now: datetime) -> None:
    """Ask after the account was changed: what is under way looks at how it was.

    Whoever is at that one notices, and lets it go: not more than `MOST_AT_ONCE` are at work.
    """
    anew: dict[str, Any] = {"asked_at": now, "finished_at": None, "checks": []}
    CheckUp.objects.update_or_create(account=account, defaults=anew)
    transaction.on_commit(partial(_wake, account.pk))


def due(now: datetime) -> list[int]:
    """The accounts whose check-up nobody has begun, or whose worker died."""
    return list(_free(now).order_by("asked_at").values_list("account_id", flat=True))


@transaction.atomic
def take(account_id: int, now: datetime) -> Held | None:
    """Become the one who does it; None when nothing is to be done, or somebody is at it.

    None also while enough others are being done: the periodic task comes back to it.
    """
    # Two that look at once must not both find the last place free: the later one waits here.
    list(CheckUp.objects.select_for_update().filter(finished_at=None).order_by("pk"))
    if CheckUp.objects.filter(finished_at=None, held_until__gt=now).count() >= MOST_AT_ONCE:
        return None
    asked_at = _free(now).filter(account=account_id).values_list("asked_at", flat=True).first()
    if asked_at is None:
        return None
    held = Held(account_id, asked_at, now + LEASE)
    free = _free(now).filter(account=account_id, asked_at=asked_at)
    return held if free.update(held_until=held.held_until, checks=[]) else None


def ask_and_take(account: GmailAccount, now: datetime) -> Held:
    """For whoever does it here and now: nobody is woken for it."""
    held = Held(account.pk, now, now + LEASE)
    CheckUp.objects.update_or_create(
        account=account,
        defaults={
            "asked_at": now,
            "held_until": held.held_until,
            "finished_at": None,
            "checks": [],
        },
    )
    return held


def is_ours(held: Held) -> bool:
    return _ours(held).exists()


def note(held: Held, checks: Iterable[Check]) -> None:
    """All lines so far. Raises NotAsked."""
    if not _ours(held).update(checks=as_rows(checks)):
        raise NotAsked


def finish(held: Held, now: datetime) -> None:
    """Raises NotAsked."""
    if not _ours(held).update(finished_at=now, held_until=None):
        raise NotAsked


def let_go(held: Held) -> None:
    """Leave it to any other worker, from the beginning: for whoever asked, meanwhile too."""
    unfinished = CheckUp.objects.filter(account=held.account_id, finished_at=None)
    unfinished.filter(held_until=held.held_until).update(held_until=None)


def _free(now: datetime) -> QuerySet[CheckUp]:
    return CheckUp.objects.filter(is_free("held_until", now, LEASE), finished_at=None)


def _ours(held: Held) -> QuerySet[CheckUp]:
    return CheckUp.objects.filter(
        account=held.account_id,
        asked_at=held.asked_at,
        held_until=held.held_until,
        finished_at=None,
    )


def _wake(account_id: int) -> None:
    try:
        current_app.send_task("campaigns.tasks.check_up", (account_id,), expires=_WAKE_SECONDS)
    except OperationalError:
        _log.warning("The broker did not answer; the check-up waits for the next tick.")
