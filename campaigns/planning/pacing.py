"""How a campaign is spread within its hours: small bursts with random gaps. Pure.

A burst reuses one session; after it comes a gap. The gap follows from what was claimed so far and
from the campaign's stored seed, so that the forecast knows it and nothing need be planned ahead.
"""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from campaigns.planning.calendar import SendingHours

BURST = 10
# Bursts aim to fill nine tenths of the hours: late ones still fit before the window closes.
SHARE_OF_HOURS = 0.9
SHORTEST, LONGEST = 0.5, 1.5


@dataclass(frozen=True)
class Pace:
    """`seed` None: as soon as allowed. Otherwise spread, with gaps drawn from the seed."""

    seed: int | None = None


def allowance(pace: Pace, claims: int) -> int | None:
    """How many may leave before the next gap, once the gap is over; None for no bound."""
    return None if pace.seed is None else BURST - claims % BURST


def next_claim_at(
    pace: Pace,
    account_id: int,
    claims: int,
    last_claim_at: datetime | None,
    hours: SendingHours,
    limit: int,
) -> datetime | None:
    """The moment the next message may leave; None for at once.

    `claims` messages left through this account so far, the last at `last_claim_at`; `limit` is
    what campaigns may send there in 24 hours.
    """
    if pace.seed is None or last_claim_at is None or claims % BURST:
        return None
    return last_claim_at + gap(pace.seed, account_id, claims // BURST, hours.a_day, limit)


def gap(seed: int, account_id: int, burst: int, a_day: timedelta, limit: int) -> timedelta:
    """The time between burst number `burst` and the next, on average even over the hours."""
    even = a_day * SHARE_OF_HOURS * BURST / max(limit, 1)
    # Not for secrecy: reproducible, and the same in every process and version.
    draw = random.Random(f"{seed}:{account_id}:{burst}").uniform(SHORTEST, LONGEST)  # noqa: S311
    return even * draw
