"""The wall clock of the instance's machine: set wrongly by a day and an hour, and set right again.

CLOCK_BOOTTIME and the clocks of Gmail run on meanwhile.
"""

from datetime import timedelta
from typing import TYPE_CHECKING

from tests.torture.faults.drawing import weight

if TYPE_CHECKING:
    from tests.torture.rounds import Round

A_DAY_AND_AN_HOUR = timedelta(hours=25)


@weight(
    3,
    "clock 25 hours ahead",
    "clock 25 hours behind",
    "clock set right",
    "clock confirmed",
    seldom=True,
)
def set_the_clock(this: "Round") -> None:
    ahead = this.random.random() < 0.5
    this.stage.clock.go_wrong_by(A_DAY_AND_AN_HOUR if ahead else -A_DAY_AND_AN_HOUR)
    this.clock_was_wrong = True
    where = "ahead" if ahead else "behind"
    this.happens(f"clock 25 hours {where}", f"the clock is set to 25 hours {where}")
    if this.written_by_hand or this.random.random() < 0.6:
        this.later(this.random.randint(0, 4), lambda: come_right(this))
        return
    # Mail by hand is dated by Gmail, and counted wrongly where such a clock is taken for right.
    this.later(this.random.randint(1, 3), lambda: confirm(this))
    if this.random.random() < 0.5:
        this.later(this.random.randint(4, 8), lambda: come_right(this))


def come_right(this: "Round") -> None:
    if this.stage.clock.is_wrong:
        this.stage.clock.go_wrong_by(timedelta())
        this.happens("clock set right", "the clock is set right")


def confirm(this: "Round") -> None:
    """A person says that the time is right, of all accounts that are halted by it."""
    if this.stage.clock.is_wrong and this.confirm_clock():
        this.happens("clock confirmed", "a person takes the clock for right")
