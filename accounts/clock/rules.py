"""When a machine's clock is believed. Pure: moments in, what follows out.

Three can speak for it. The *boot*: CLOCK_BOOTTIME, which counts suspend, must have passed as much
as the wall clock since both were last found right. The *server*: the Date of Google's answer. The
*ledger*: nothing can have been written later than now. Two that agree are enough, and the server,
whenever it answers, must be one of them.

So every ledger row is stamped by a clock that was right to `AT_MOST_OFF` when it was written, and
counted by one that is: `quota.MARGIN` covers what two such clocks can differ. Every moment is
aware and in UTC.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

# NTP slews by seconds an hour at the most; what it sets at once is a step, and is found out.
MAY_STEP = timedelta(seconds=10)
# From the server's time: what a clock without NTP may well be off, and harms nothing else.
MAY_DIFFER = timedelta(seconds=60)
# A Date has whole seconds.
RESOLUTION = timedelta(seconds=1)
# How far from the true time a clock can be that is believed.
AT_MOST_OFF = MAY_DIFFER + RESOLUTION + MAY_STEP

# The boot's count is taken for it for so long, in time counted by the boot; then the server is
# asked, for a machine that was frozen as a whole and woken again does not notice it by itself.
ASK_AFTER = timedelta(hours=1)
# Two answers of the server count as two witnesses when they are so far apart.
APART = timedelta(minutes=1)


class Trouble(StrEnum):
    """Why a clock is not believed."""

    JUMPED = "jumped"
    DIFFERS = "differs"
    LEDGER_LATER = "ledger_later"
    UNASKED = "unasked"


@dataclass(frozen=True)
class Reading:
    """The clocks of one machine at one moment; `boottime` is in seconds since it was started."""

    wall: datetime
    boottime: float


@dataclass(frozen=True)
class Answer:
    """What the server's clock showed, at some moment between two of ours."""

    theirs: datetime
    asked: datetime
    answered: datetime

    @property
    def ahead(self) -> timedelta:
        """How far our clock is ahead of the server's, to half of what the answer took."""
        return self.asked + (self.answered - self.asked) / 2 - self.theirs

    def agrees(self, ahead: timedelta = timedelta()) -> bool:
        """Whether our clock was ahead by so much and not by more than `MAY_DIFFER` else."""
        ends = (self.asked - self.theirs - ahead, self.answered - self.theirs - ahead)
        return all(abs(end) <= MAY_DIFFER for end in ends)


@dataclass(frozen=True)
class Doubt:
    """`by` is how far the clock jumped, or is ahead; for LEDGER_LATER how far it is behind."""

    trouble: Trouble
    by: timedelta = timedelta()


@dataclass(frozen=True)
class Known:
    """What is known of the clock, of one boot of one machine, before the next look.

    `found_right` is the last reading that was believed. `ahead` is the difference to the server
    that a person accepted, mostly none, and one for all machines that send for an account; None
    where only a person's word stands for the clock.
    `seen` is the reading that was not believed, `agreed_since` the first answer that spoke for it.
    """

    found_right: Reading | None = None
    ahead: timedelta | None = timedelta()
    doubt: Doubt | None = None
    seen: Reading | None = None
    agreed_since: float | None = None


def step(since: Reading, reading: Reading) -> timedelta:
    """How far the wall clock was set, forward or back, between two readings of one boot."""
    passed = timedelta(seconds=reading.boottime - since.boottime)
    return reading.wall - since.wall - passed


def in_step(since: Reading, reading: Reading) -> bool:
    """Whether the wall clock ran on from `since` and was not set.

    A boot that counts less than before is a copy of the machine put back: it is another one.
    """
    return reading.boottime >= since.boottime and abs(step(since, reading)) <= MAY_STEP


def holds(known: Known, reading: Reading) -> bool:
    """Whether the clock is believed without asking anybody."""
    right = known.found_right
    if right is None or known.doubt is not None or not in_step(right, reading):
        return False
    return reading.boottime - right.boottime <= ASK_AFTER.total_seconds()


def look(known: Known, reading: Reading, answer: Answer | None, newest: datetime | None) -> Known:
    """What is known after a look. `newest` is when the newest ledger row was reserved."""
    doubt = _doubt(known, reading, answer, newest)
    agreed_since = known.agreed_since
    if answer is not None:
        agreed = _agreed(known, answer) is not None
        agreed_since = (known.agreed_since or reading.boottime) if agreed else None
    outvoted = doubt is not None and doubt.trouble is Trouble.LEDGER_LATER
    if outvoted and answer is not None and agreed_since is not None:
        apart = reading.boottime - agreed_since
        doubt = None if apart >= APART.total_seconds() else doubt
    if doubt is not None:
        return replace(known, doubt=doubt, seen=reading, agreed_since=agreed_since)
    if answer is None:
        # Still by the boot's count alone: the server is to be asked no later than before.
        return replace(known, doubt=None, seen=None)
    return Known(reading, _agreed(known, answer))


def confirmed(known: Known, reading: Reading, answer: Answer | None) -> Known:
    """What is known once a person has said that the clock is right."""
    if answer is None:
        return Known(reading, None)
    accepted = _agreed(known, answer)
    return Known(reading, answer.ahead if accepted is None else accepted)


def carry(known: Known, then: Known) -> timedelta:
    """How far ledger rows must move with the clock, so that each counts as long as before.

    Not at all when the clock was right before and is now. But what a clock stamped that was
    wrong, or is said by a person to have been, moves by what was found out since: by how far it
    was set, or by how the server sees it. Where both are known, the one that lets it count longer.
    """
    if then.found_right is None or then.ahead == known.ahead == timedelta():
        return timedelta()
    ways = []
    before, now = known.found_right, then.found_right
    if before is not None and before.boottime <= now.boottime:
        moved = step(before, now)
        ways.append(moved if abs(moved) > MAY_STEP else timedelta())
    if known.ahead is not None and then.ahead is not None:
        ways.append(then.ahead - known.ahead)
    return max(ways, default=timedelta())


def _doubt(
    known: Known, reading: Reading, answer: Answer | None, newest: datetime | None
) -> Doubt | None:
    right = known.found_right
    same_boot = right is not None and right.boottime <= reading.boottime
    jumped = None
    if right is not None and same_boot and not in_step(right, reading):
        jumped = Doubt(Trouble.JUMPED, step(right, reading))
    if answer is not None and _agreed(known, answer) is None:
        return jumped or Doubt(Trouble.DIFFERS, answer.ahead)
    if answer is None:
        if jumped:
            return jumped
        if known.doubt is not None and known.doubt.trouble is not Trouble.JUMPED:
            # What the server has contradicted, or was never asked, only the server can settle.
            return known.doubt
        if not same_boot:
            return Doubt(Trouble.UNASKED)
    if newest is None:
        return None
    if answer is not None:
        # A row stamped by a clock that a person stood for moves with what is found out now.
        newest += carry(known, Known(reading, _agreed(known, answer)))
    behind = newest - reading.wall
    return Doubt(Trouble.LEDGER_LATER, behind) if behind > 2 * AT_MOST_OFF else None


def _agreed(known: Known, answer: Answer) -> timedelta | None:
    """The difference to the server that counts as none; None when there is another."""
    if answer.agrees():
        return timedelta()
    if known.ahead is not None and answer.agrees(known.ahead):
        return known.ahead
    return None
