"""Leases: what is somebody's alone until a moment that stands in its row."""

from datetime import datetime, timedelta

from django.db.models import Q

from accounts.standing import CLOCKS_APART


def is_free(field: str, now: datetime, length: timedelta) -> Q:
    """Rows that are nobody's at `now`, by the moment in `field`; `length` is the longest lease.

    What lies further ahead was written by a clock that was ahead, and has come right since.
    """
    never = Q(**{f"{field}__gt": now + length + CLOCKS_APART})
    return Q(**{field: None}) | Q(**{f"{field}__lte": now}) | never
