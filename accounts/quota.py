"""How much of Gmail's limit is used, is free, and when more becomes free. Pure.

Gmail counts recipients in a rolling window of 24 hours, not by calendar day
(https://support.google.com/a/answer/166852). All moments are aware and in UTC.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

WINDOW = timedelta(hours=24)
# Gmail stamps whole seconds, we stamp microseconds: wait out the difference.
MARGIN = timedelta(seconds=1)
# A limit that a refusal taught us is forgotten by a tenth a day: Gmail's own view recovers too.
FORGETTING_A_DAY = 1.1


@dataclass(frozen=True)
class Use:
    """One use of the limit. `at` is None while it is reserved: then it counts until settled."""

    at: datetime | None
    recipients: int = 1


@dataclass(frozen=True)
class Limits:
    """What an account may send in any 24 hours, and what campaigns must leave free of it."""

    limit: int
    learned: int | None = None
    learned_at: datetime | None = None
    reserve_by_hand: int = 0
    reserve_transactional: int = 0

    def in_force(self, now: datetime) -> int:
        """The smaller of the limit set and the limit learned from refusals."""
        if self.learned is None or self.learned_at is None:
            return self.limit
        days = max((now - self.learned_at).days, 0)
        # At least one more a day, or a limit of 1 would never grow again.
        forgotten = max(self.learned * FORGETTING_A_DAY ** min(days, 365), self.learned + days)
        return min(self.limit, int(forgotten))

    def for_campaigns(self, now: datetime, transactional_used: int = 0) -> int:
        """What campaigns may fill: the reserves stay free, as far as they are not used up."""
        reserve = self.reserve_by_hand + max(self.reserve_transactional - transactional_used, 0)
        return max(self.in_force(now) - reserve, 0)


def counts_until(at: datetime) -> datetime:
    """The first moment at which a use made at `at` certainly counts no more."""
    return at + WINDOW + MARGIN


def used(uses: Iterable[Use], now: datetime) -> int:
    """Recipients that count at `now`."""
    return sum(use.recipients for use in uses if use.at is None or now < counts_until(use.at))


def free_at(uses: Iterable[Use], limit: int, now: datetime, wanted: int = 1) -> datetime | None:
    """The first moment from `now` on at which `wanted` recipients fit under `limit`.

    None when that cannot be known: the limit is too small, or reserved uses must settle first.
    """
    counting = [use for use in uses if use.at is None or now < counts_until(use.at)]
    excess = sum(use.recipients for use in counting) + wanted - limit
    if excess <= 0:
        return now
    if wanted > limit:
        return None
    for at, recipients in sorted((use.at, use.recipients) for use in counting if use.at):
        excess -= recipients
        if excess <= 0:
            return counts_until(at)
    return None
