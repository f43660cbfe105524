"""How much of Gmail's limit is used, is free, and when more becomes free. Pure.

Gmail counts recipients in a rolling window of 24 hours, not by calendar day
(https://support.google.com/a/answer/166852). All moments are aware and in UTC.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from accounts.clock import rules

WINDOW = timedelta(hours=24)
# Waited beyond it. A use may be stamped by a clock that is behind the true time by as much as one
# that is believed can be, and counted by one that is ahead by as much; and Gmail stamps whole
# seconds. So 24 hours have truly passed, whatever `accounts.clock.rules` lets pass for right.
MARGIN = 2 * rules.AT_MOST_OFF + timedelta(seconds=1)
DAY = timedelta(days=1)
# A limit that a refusal taught us is forgotten by a tenth a day: Gmail's own view recovers too.
FORGETTING = 10
# Gmail stops even new accounts only after about so many messages.
FIRST_REFUSED = 10
# Where mail written by hand is read and counted, a fifth of its reserve is left for what was
# written since.
UNREAD_SHARE = 5


@dataclass(frozen=True)
class Use:
    """One use of the limit. `at` is None while it is reserved: then it counts until settled."""

    at: datetime | None
    recipients: int = 1


@dataclass(frozen=True)
class Growth:
    """A limit that grows by itself: every 24 hours from `began_at` on by `percent`, at least one.

    `began_at` None: it has not begun to grow.
    """

    first: int
    percent: int
    began_at: datetime | None = None

    def at(self, now: datetime, most: int) -> int:
        """The limit at `now`, as far as `most`."""
        value = self.first
        for _ in range((now - self.began_at) // DAY if self.began_at else 0):
            if value >= most:
                break
            value = self._next(value)
        return min(value, most)

    def exceeds_at(self, limit: int) -> datetime | None:
        """From when on it is more than `limit`; None when it does not grow."""
        if self.began_at is None:
            return None
        value, at = self.first, self.began_at
        while value <= limit:
            value, at = self._next(value), at + DAY
        return at

    def _next(self, value: int) -> int:
        # At least one more a day, or a limit of 1 would never grow again.
        return value + max(value * self.percent // 100, 1)


class Holder(StrEnum):
    """Which of an account's limits is the one in force."""

    SET = "set"
    LEARNED = "learned"
    RAMP = "ramp"


@dataclass(frozen=True)
class Limits:
    """What an account may send in any 24 hours, and what campaigns must leave free of it.

    `limit` is what its person has set. `learned` is what a refusal of Gmail's has taught, `ramp`
    the plan for a new account; both only ever lower it, and grow until they do no more.
    `sent_is_read`: mail written by hand is among the uses, but for the last minutes'.
    """

    limit: int
    learned: Growth | None = None
    ramp: Growth | None = None
    reserve_by_hand: int = 0
    reserve_transactional: int = 0
    sent_is_read: bool = False

    def in_force(self, now: datetime) -> int:
        """The smallest of the limits."""
        return min([self.limit, *(growth.at(now, self.limit) for growth in self._growing())])

    def holder(self, now: datetime) -> Holder:
        """Which of the limits that is; the one that is set where several are equal."""
        in_force = self.in_force(now)
        if in_force == self.limit:
            return Holder.SET
        if self.learned and self.learned.at(now, self.limit) == in_force:
            return Holder.LEARNED
        return Holder.RAMP

    def grows_at(self, now: datetime) -> datetime | None:
        """The first moment after `now` at which more is in force; None when that never comes."""
        in_force = self.in_force(now)
        if in_force == self.limit:
            return None
        holding = [each for each in self._growing() if each.at(now, self.limit) == in_force]
        moments = [each.exceeds_at(in_force) for each in holding]
        known = [at for at in moments if at is not None]
        return max(known) if len(known) == len(moments) else None

    def steps(self, now: datetime) -> list[tuple[datetime, int]]:
        """What is in force from `now` on: from when, and how much, until it grows no more."""
        steps = [(now, self.in_force(now))]
        while (at := self.grows_at(steps[-1][0])) is not None:
            steps.append((at, self.in_force(at)))
        return steps

    def taught(self, used: int, now: datetime) -> int | None:
        """The limit that a refusal at `now` teaches, when so much is known to have been used.

        What was written by hand and has not been read may be the reason: what is kept free for it
        is taken to have been used. Where little else was, that tells nothing about the limit: None.
        """
        unseen = self.kept_by_hand
        if used == 0 or (unseen and used < FIRST_REFUSED):
            return None
        taught = max(used, min(used + unseen, self.in_force(now) - 1))
        return taught if self.learned is None else self.learned.at(now, taught)

    def begun(self, at: datetime) -> "Limits":
        """The same once a campaign sends at `at`: from then on a ramp grows."""
        if self.ramp is None or self.ramp.began_at is not None:
            return self
        return replace(self, ramp=replace(self.ramp, began_at=at))

    @property
    def kept_by_hand(self) -> int:
        """What stays free for mail written by hand that is not among the uses."""
        if not self.sent_is_read:
            return self.reserve_by_hand
        return math.ceil(self.reserve_by_hand / UNREAD_SHARE)

    def kept_free(self, transactional_used: int = 0) -> int:
        """What campaigns must leave free: the reserves, as far as they are not used up."""
        return self.kept_by_hand + max(self.reserve_transactional - transactional_used, 0)

    def for_singles(self, now: datetime) -> int:
        """What single mails may fill: all but what is kept free for mail written by hand."""
        return max(self.in_force(now) - self.kept_by_hand, 0)

    def for_campaigns(self, now: datetime, transactional_used: int = 0) -> int:
        """What campaigns may fill."""
        return max(self.in_force(now) - self.kept_free(transactional_used), 0)

    def free_at(self, uses: Iterable[Use], now: datetime, kept_free: int = 0) -> datetime | None:
        """The first moment from `now` on at which one more fits beside `kept_free`.

        Uses end, and the limit in force may grow meanwhile. None when it cannot be known.
        """
        uses, at = list(uses), now
        while True:
            free = free_at(uses, self.in_force(at) - kept_free, at)
            grows_at = self.grows_at(at)
            if grows_at is None or (free is not None and free <= grows_at):
                return free
            at = grows_at

    def _growing(self) -> list[Growth]:
        return [each for each in (self.learned, self.ramp) if each is not None]


def counts_until(at: datetime) -> datetime:
    """The first moment at which a use made at `at` certainly counts no more."""
    return at + WINDOW + MARGIN


def used(uses: Iterable[Use], now: datetime) -> int:
    """Recipients that count at `now`."""
    return sum(use.recipients for use in uses if use.at is None or now < counts_until(use.at))


def free_at(uses: Iterable[Use], limit: int, now: datetime, wanted: int = 1) -> datetime | None:
    """The first moment from `now` on at which `wanted` recipients fit under a fixed `limit`.

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
