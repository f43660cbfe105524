"""The history of an account's rests: one row a rest, for its page.

Written in the transaction that changes the account's state (`accounts.standing`), whose lock on
the account's row keeps two workers from writing at once.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, Q
from django.utils.timesince import timesince
from django.utils.translation import gettext as _

from accounts import rest_words
from accounts.models import GmailAccount, Rest

KEPT = 100
SHOWN = 10

# These end by themselves, and an account has one of them at a time. Needing its person is another
# matter: neither ends the other.
_BY_ITSELF = (Rest.Cause.LIMIT, Rest.Cause.TROUBLE)


def begin(
    account_id: int, cause: Rest.Cause, reason: str, until: datetime | None, now: datetime
) -> None:
    """Write down a rest that begins now; the one that it takes the place of is over by that."""
    replaced = _BY_ITSELF if cause in _BY_ITSELF else (cause,)
    end(account_id, now, *replaced)
    Rest.objects.create(
        account_id=account_id, cause=cause, reason=reason, began_at=now, until=until
    )
    _forget_old(account_id)


def lengthen(account_id: int, cause: Rest.Cause, reason: str, until: datetime) -> bool:
    """Make the newest rest a longer one, if it is of this `cause` and nobody ended it.

    `cause` is one that ends by itself.
    """
    newest = Rest.objects.filter(account=account_id, cause__in=_BY_ITSELF).first()
    if newest is None or newest.cause != cause or newest.ended_at is not None:
        return False
    longer = Rest.objects.filter(pk=newest.pk)
    return longer.update(reason=reason, until=until, times=F("times") + 1) == 1


def newest(account_id: int, cause: Rest.Cause) -> Rest | None:
    return Rest.objects.filter(account=account_id, cause=cause).first()


def end(account_id: int, now: datetime, *causes: Rest.Cause) -> None:
    """The rests of `causes` that last are over; what ran out by itself stays so."""
    lasting = Rest.objects.filter(Q(until=None) | Q(until__gt=now), ended_at=None)
    lasting.filter(account=account_id, cause__in=causes).update(ended_at=now)


def _forget_old(account_id: int) -> None:
    rests = Rest.objects.filter(account=account_id)
    kept = list(rests.values_list("pk", flat=True)[:KEPT])
    if len(kept) == KEPT:
        rests.exclude(pk__in=kept).delete()


@dataclass(frozen=True)
class Line:
    """A rest as its account's page tells it. `said`: Gmail's own words, where there are any."""

    cause: str
    began_at: datetime
    lasted: str
    why: str
    said: str
    times: int


def history(account: GmailAccount, now: datetime) -> list[Line]:
    """The newest first."""
    return [
        Line(
            cause=rest.get_cause_display(),
            began_at=rest.began_at,
            lasted=_lasted(rest, now),
            why=rest_words.why(rest.reason),
            said=rest_words.said(rest.reason),
            times=rest.times,
        )
        for rest in account.rests.all()[:SHOWN]
    ]


def _lasted(rest: Rest, now: datetime) -> str:
    end = rest.ended_at or rest.until
    if end is None or end > now:
        return _("still lasts")
    return timesince(rest.began_at, end, depth=2)
