from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from campaigns.planning.calendar import SendingHours
from campaigns.planning.pacing import BURST, Pace
from campaigns.planning.sharing import Queue, Reason, Room, next_turn, next_turns

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
ZONE = ZoneInfo("UTC")


def room(**changes: object) -> Room:
    return Room(**{"account_id": 1, "zone": ZONE, "limit": 500, "free": 500} | changes)  # type: ignore[arg-type]


def queue(campaign_id: int = 1, **changes: object) -> Queue:
    return Queue(**{"campaign_id": campaign_id, "starts_at": NOW - HOUR} | changes)  # type: ignore[arg-type]


def test_it_is_the_turn_of_the_least_served() -> None:
    assert next_turn(room(), [queue(1, served=10), queue(2, served=3)], NOW).campaign_id == 2


def test_it_takes_the_older_campaign_of_two_served_alike() -> None:
    assert next_turn(room(), [queue(7), queue(3)], NOW).campaign_id == 3


def test_it_passes_over_a_campaign_that_may_not_send_now() -> None:
    later = queue(1, starts_at=NOW + HOUR)
    assert next_turn(room(), [later, queue(2, served=400)], NOW).campaign_id == 2


def test_it_waits_for_the_start() -> None:
    turn = next_turn(room(), [queue(starts_at=NOW + HOUR)], NOW)
    assert (turn.campaign_id, turn.at, turn.reason) == (None, NOW + HOUR, Reason.NOT_STARTED)


def test_it_waits_for_the_hours() -> None:
    turn = next_turn(room(), [queue(hours=SendingHours(start=time(14)))], NOW)
    assert (turn.at, turn.reason) == (NOW + 2 * HOUR, Reason.OUTSIDE_HOURS)


def test_it_lets_campaigns_take_turns_after_a_trouble() -> None:
    """What Gmail refuses uses nothing: the least served would be tried first for ever."""
    never = queue(1, served=0, last_claim_at=NOW)
    other = queue(2, served=400, last_claim_at=NOW - HOUR)
    assert next_turn(room(troubled=True), [never, other], NOW).campaign_id == 2
    assert next_turn(room(), [never, other], NOW).campaign_id == 1
    unheard = queue(3, starts_at=NOW - 2 * HOUR)
    assert next_turn(room(troubled=True), [never, other, unheard], NOW).campaign_id == 3


def test_it_waits_until_the_limit_has_room() -> None:
    turn = next_turn(room(free=0, next_free_at=NOW + HOUR), [queue()], NOW)
    assert (turn.campaign_id, turn.at, turn.reason) == (None, NOW + HOUR, Reason.LIMIT)


def test_it_waits_for_the_hours_after_the_limit_has_room() -> None:
    mornings = queue(hours=SendingHours(start=time(9), end=time(13)))
    turn = next_turn(room(free=0, next_free_at=NOW + 2 * HOUR), [mornings], NOW)
    assert (turn.at, turn.reason) == (NOW + 21 * HOUR, Reason.LIMIT)


def test_it_waits_while_the_account_rests() -> None:
    turn = next_turn(room(resting_until=NOW + HOUR), [queue()], NOW)
    assert (turn.at, turn.reason) == (NOW + HOUR, Reason.RESTING)


def test_it_waits_for_a_person_without_a_connection_or_a_limit() -> None:
    assert next_turn(room(connected=False), [queue()], NOW).reason == Reason.NOT_CONNECTED
    assert next_turn(room(limit=0, free=0), [queue()], NOW).reason == Reason.NO_LIMIT
    assert next_turn(room(connected=False), [queue()], NOW).at is None


def test_it_says_when_nothing_waits() -> None:
    assert next_turn(room(), [], NOW).reason == Reason.NOTHING_WAITS


def test_it_leaves_a_gap_after_a_burst_and_none_within_it() -> None:
    spread = Pace(seed=5)
    within = queue(pace=spread, claims=BURST - 1, last_claim_at=NOW)
    after = queue(pace=spread, claims=BURST, last_claim_at=NOW)
    assert next_turn(room(), [within], NOW).campaign_id == 1
    turn = next_turn(room(), [after], NOW)
    # 500 a day in bursts of 10, in nine tenths of 24 hours: 26 minutes on average.
    assert turn.reason == Reason.BETWEEN_BURSTS
    assert turn.at is not None
    assert timedelta(minutes=12) < turn.at - NOW < timedelta(minutes=40)
    assert next_turn(room(), [after], turn.at).campaign_id == 1


def test_it_draws_other_gaps_from_another_seed() -> None:
    turns = [
        next_turn(room(), [queue(pace=Pace(seed), claims=BURST, last_claim_at=NOW)], NOW).at
        for seed in range(5)
    ]
    assert len(set(turns)) == 5


# --- Several turns in a row --------------------------------------------------------------------


def test_they_are_those_of_the_least_served_until_another_s_turn_comes() -> None:
    turn, count = next_turns(room(), [queue(1, served=10), queue(2, served=6)], NOW, 9)
    assert (turn.campaign_id, count) == (2, 4), "the older one of two served alike"


def test_they_are_as_many_as_is_asked_for_and_as_is_free() -> None:
    assert next_turns(room(), [queue()], NOW, 4)[1] == 4
    assert next_turns(room(free=3), [queue()], NOW, 4)[1] == 3


def test_they_end_with_a_burst() -> None:
    spread = queue(pace=Pace(seed=7), claims=BURST - 2, last_claim_at=NOW)
    assert next_turns(room(), [spread], NOW, 9)[1] == 2


def test_there_are_none_where_nothing_may_leave() -> None:
    turn, count = next_turns(room(), [queue(starts_at=NOW + HOUR)], NOW, 9)
    assert (turn.reason, count) == (Reason.NOT_STARTED, 0)
