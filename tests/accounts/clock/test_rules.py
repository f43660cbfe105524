"""When a clock is believed: one case a row, and then whatever can happen to a clock at all."""

from datetime import UTC, datetime, timedelta

import pytest

from accounts import quota, standing
from accounts.clock import rules
from accounts.clock.rules import (
    APART,
    ASK_AFTER,
    AT_MOST_OFF,
    MAY_DIFFER,
    MAY_STEP,
    Answer,
    Known,
    Reading,
    Trouble,
)

T = datetime(2026, 11, 27, 12, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)
NONE = timedelta()

# Found right at T, when the boot had counted 1,000 seconds.
RIGHT = Known(Reading(T, 1000.0))


def later(passed: timedelta, jumped: timedelta = NONE) -> Reading:
    """The clocks `passed` after T, the wall clock having been set by `jumped` meanwhile."""
    return Reading(T + passed + jumped, 1000.0 + passed.total_seconds())


def says(reading: Reading, ahead: timedelta = NONE) -> Answer:
    """The server's answer to a machine that is `ahead` of it; Dates have whole seconds."""
    theirs = (reading.wall - ahead).replace(microsecond=0)
    return Answer(theirs, reading.wall - SECOND / 10, reading.wall)


def look(
    known: Known,
    reading: Reading,
    ahead: timedelta | None = None,
    newest: datetime | None = None,
) -> Known:
    """`ahead` is None where the server does not answer."""
    answer = None if ahead is None else says(reading, ahead)
    return rules.look(known, reading, answer, newest)


def trouble(known: Known) -> Trouble | None:
    return known.doubt.trouble if known.doubt else None


WITHIN_A_BOOT = [
    # What happened, how long since, how far the clock was set, the server, and the verdict.
    ("nothing", HOUR / 2, NONE, None, None),
    ("NTP slews", HOUR, timedelta(seconds=2), None, None),
    ("asleep for three days", 3 * DAY, NONE, None, None),
    ("asleep for three days, and asked", 3 * DAY, NONE, NONE, None),
    ("a minute off, as ever", HOUR, NONE, timedelta(seconds=55), None),
    ("ahead by 25 hours, nobody answers", HOUR, 25 * HOUR, None, Trouble.JUMPED),
    ("ahead by 25 hours, and asked", HOUR, 25 * HOUR, 25 * HOUR, Trouble.JUMPED),
    ("back by 25 hours, nobody answers", HOUR, -25 * HOUR, None, Trouble.JUMPED),
    ("back by 25 hours, and asked", HOUR, -25 * HOUR, -25 * HOUR, Trouble.JUMPED),
    ("a person sets it by half a minute", HOUR, timedelta(seconds=30), None, Trouble.JUMPED),
    ("... and it is right by that", HOUR, timedelta(seconds=30), timedelta(seconds=20), None),
    ("frozen by its host for a day, set right on waking", HOUR, DAY, NONE, None),
    ("frozen by its host for a day, not set right", HOUR, NONE, -DAY, Trouble.DIFFERS),
    ("the server says another time", HOUR, NONE, HOUR, Trouble.DIFFERS),
]


@pytest.mark.parametrize(
    ("passed", "jumped", "ahead", "verdict"),
    [case[1:] for case in WITHIN_A_BOOT],
    ids=[case[0] for case in WITHIN_A_BOOT],
)
def test_it_judges_a_clock_that_was_right_before(
    passed: timedelta, jumped: timedelta, ahead: timedelta | None, verdict: Trouble | None
) -> None:
    assert trouble(look(RIGHT, later(passed, jumped), ahead, newest=T)) == verdict


ACROSS_BOOTS = [
    # What the clock shows against the newest ledger row, the server, and the verdict.
    ("first start ever, asked", None, NONE, None),
    ("first start ever, nobody answers", None, None, Trouble.UNASKED),
    ("off for a week", 7 * DAY, NONE, None),
    ("off for a week, nobody answers", 7 * DAY, None, Trouble.UNASKED),
    ("a dead battery: a day ahead", DAY + HOUR, DAY, Trouble.DIFFERS),
    ("no battery: 1970", T - datetime(1970, 1, 1, tzinfo=UTC), None, Trouble.UNASKED),
    ("no battery: 1970, asked", -56 * 365 * DAY, -56 * 365 * DAY, Trouble.DIFFERS),
    ("right, but the ledger was written by one that was a day ahead", -DAY, NONE,
     Trouble.LEDGER_LATER),
]  # fmt: skip


@pytest.mark.parametrize(
    ("since_newest", "ahead", "verdict"),
    [case[1:] for case in ACROSS_BOOTS],
    ids=[case[0] for case in ACROSS_BOOTS],
)
def test_it_judges_the_clock_of_a_new_boot(
    since_newest: timedelta | None, ahead: timedelta | None, verdict: Trouble | None
) -> None:
    reading = Reading(T, 30.0)
    newest = None if since_newest is None else T - since_newest
    assert trouble(look(Known(), reading, ahead, newest)) == verdict


def test_it_is_believed_for_an_hour_by_the_boot_alone() -> None:
    assert rules.holds(RIGHT, later(ASK_AFTER))
    assert not rules.holds(RIGHT, later(ASK_AFTER + SECOND))
    assert not rules.holds(RIGHT, later(HOUR / 2, 11 * SECOND))
    assert not rules.holds(Known(), later(NONE))
    assert not rules.holds(look(RIGHT, later(HOUR, DAY)), later(HOUR))


def test_it_takes_a_machine_that_was_put_back_for_another_boot() -> None:
    """A copy of a virtual machine, made yesterday: both its clocks go on from there."""
    earlier = Reading(T - DAY / 2, 900.0)
    assert not rules.holds(RIGHT, earlier)
    assert trouble(look(RIGHT, earlier)) is Trouble.UNASKED
    assert trouble(look(RIGHT, earlier, -DAY / 2)) is Trouble.DIFFERS
    assert trouble(look(RIGHT, earlier, NONE, newest=T - DAY)) is None


def test_it_lets_no_series_of_small_steps_through() -> None:
    known, set_by = RIGHT, NONE
    for minute in range(1, 100):
        set_by += timedelta(seconds=5)
        known = look(known, later(timedelta(minutes=minute), set_by))
        if known.doubt:
            break
    assert set_by <= MAY_STEP + timedelta(seconds=5)
    # Nor over the hours, when the server is asked each time.
    known, set_by = RIGHT, NONE
    for hour in range(1, 100):
        set_by += timedelta(seconds=9)
        known = look(known, later(hour * HOUR, set_by), set_by)
        if known.doubt:
            break
    assert set_by <= MAY_DIFFER + MAY_STEP


def test_it_goes_on_when_the_clock_is_set_back_to_what_the_boot_counts() -> None:
    known = look(RIGHT, later(HOUR / 2, 25 * HOUR), newest=T)
    assert trouble(look(known, later(HOUR / 2 + SECOND, 25 * HOUR), newest=T)) is Trouble.JUMPED
    known = look(known, later(HOUR / 2 + 2 * SECOND), newest=T)
    assert known == RIGHT


def test_it_goes_on_when_server_and_ledger_agree() -> None:
    known = look(RIGHT, later(HOUR, 25 * HOUR), 25 * HOUR, newest=T)
    after = look(known, later(2 * HOUR, 25 * HOUR), NONE, newest=T)
    assert after == Known(later(2 * HOUR, 25 * HOUR))
    assert rules.carry(known, after) == NONE, "what was written was right"


def test_it_asks_for_two_answers_where_the_ledger_disagrees() -> None:
    newest = T + DAY
    known = look(RIGHT, later(HOUR), NONE, newest)
    assert trouble(known) is Trouble.LEDGER_LATER
    known = look(known, later(HOUR + APART - SECOND), NONE, newest)
    assert trouble(known) is Trouble.LEDGER_LATER
    assert trouble(look(known, later(HOUR + APART), NONE, newest)) is None
    # An answer that disagrees between the two is none that agrees.
    known = look(known, later(HOUR + APART), DAY, newest)
    assert trouble(known) is Trouble.DIFFERS
    assert trouble(look(known, later(HOUR + APART + SECOND), NONE, newest)) is Trouble.LEDGER_LATER


def test_what_the_server_contradicted_only_the_server_settles() -> None:
    known = look(RIGHT, later(HOUR), HOUR)
    assert trouble(look(known, later(2 * HOUR))) is Trouble.DIFFERS
    assert trouble(look(known, later(2 * HOUR), NONE)) is None


def test_a_slow_answer_is_as_uncertain_as_it_was_slow() -> None:
    assert Answer(T, T, T + MAY_DIFFER).agrees()
    assert not Answer(T, T, T + MAY_DIFFER + SECOND).agrees()
    assert not Answer(T, T - MAY_DIFFER - SECOND, T).agrees()


# --- A person confirms it ----------------------------------------------------------------------


@pytest.mark.parametrize("jumped", [25 * HOUR, -25 * HOUR])
@pytest.mark.parametrize("answers", [True, False])
def test_a_person_who_confirms_does_not_empty_the_window(jumped: timedelta, answers: bool) -> None:
    reading = later(HOUR, jumped)
    ahead = jumped if answers else None
    known = look(RIGHT, reading, ahead)
    then = rules.confirmed(known, reading, says(reading, jumped) if answers else None)
    assert rules.holds(then, later(2 * HOUR, jumped))
    # An hour ago by what the boot counts, and so it is by the clock once it is carried over.
    carried = rules.carry(known, then)
    assert abs(carried - jumped) <= SECOND
    # The server's difference was accepted with it.
    if answers:
        assert trouble(look(then, later(3 * HOUR, jumped), jumped)) is None
    # Once the clock is right by the server's, it is carried back.
    right_again = look(then, later(4 * HOUR), NONE)
    assert trouble(right_again) is None
    assert abs(rules.carry(then, right_again) + carried) <= SECOND


def test_a_server_that_is_an_hour_off_is_accepted_by_a_person() -> None:
    """As the practice Gmail is with {"clock_offset": 3600}."""
    reading = later(HOUR)
    known = look(RIGHT, reading, -HOUR)
    then = rules.confirmed(known, reading, says(reading, -HOUR))
    assert rules.carry(known, then) == NONE, "the clock was not set"
    assert trouble(look(then, later(3 * HOUR), -HOUR)) is None
    back = look(then, later(4 * HOUR), NONE)
    assert trouble(back) is None


def test_a_person_alone_stands_for_a_clock_that_no_server_knows() -> None:
    reading = Reading(T, 30.0)
    then = rules.confirmed(look(Known(), reading), reading, None)
    assert trouble(look(then, Reading(T + 9 * HOUR, 30.0 + 9 * 3600))) is None
    jumped = look(then, Reading(T + DAY + HOUR, 3630.0))
    assert trouble(jumped) is Trouble.JUMPED


# --- What is tolerated cannot pass the limit ---------------------------------------------------


def test_the_margin_covers_two_clocks_that_are_off_as_far_as_can_be() -> None:
    assert 2 * AT_MOST_OFF + timedelta(seconds=1) <= quota.MARGIN
    assert 2 * AT_MOST_OFF < standing.CLOCKS_APART
    # Accepted at T by Gmail, stamped by a clock that is behind; counted by one that is ahead.
    stamped, truly = T - AT_MOST_OFF, T + DAY
    shown = truly - timedelta(microseconds=1) + AT_MOST_OFF
    assert quota.used([quota.Use(stamped)], shown) == 1
