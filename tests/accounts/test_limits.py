"""The limit in force: what was set, what a refusal taught, the plan for a new account. Pure."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from accounts import quota
from accounts.quota import FORGETTING, Growth, Holder, Limits, Use

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
DAY = timedelta(days=1)
INSTANT = timedelta(microseconds=1)


def learned(limit: int, at: datetime = NOW) -> Growth:
    return Growth(limit, FORGETTING, at)


def test_it_holds_campaigns_to_what_is_left_beside_the_reserves() -> None:
    limits = Limits(500, reserve_by_hand=50, reserve_transactional=5)
    assert limits.for_campaigns(NOW) == 445
    assert limits.for_campaigns(NOW, transactional_used=3) == 448
    assert limits.for_campaigns(NOW, transactional_used=30) == 450
    assert Limits(40, reserve_by_hand=50).for_campaigns(NOW) == 0


def test_it_takes_the_learned_limit_and_forgets_it_slowly() -> None:
    limits = Limits(500, learned(100))
    assert [limits.in_force(NOW + day * DAY) for day in range(4)] == [100, 110, 121, 133]
    assert limits.in_force(NOW + DAY - INSTANT) == 100
    assert limits.in_force(NOW + 60 * DAY) == 500
    assert limits.holder(NOW) is Holder.LEARNED
    assert limits.holder(NOW + 60 * DAY) is Holder.SET


def test_it_forgets_even_a_learned_limit_of_one() -> None:
    assert Limits(500, learned(1)).in_force(NOW + 3 * DAY) == 4


def test_it_grows_by_the_plan_for_a_new_account() -> None:
    limits = Limits(500, ramp=Growth(100, 50, NOW))
    steps = [(NOW + day * DAY, limit) for day, limit in enumerate([100, 150, 225, 337, 500])]
    assert limits.steps(NOW) == steps
    assert limits.holder(NOW + 3 * DAY) is Holder.RAMP
    assert limits.holder(NOW + 4 * DAY) is Holder.SET
    assert limits.grows_at(NOW + 4 * DAY) is None


def test_it_does_not_grow_before_a_campaign_has_sent() -> None:
    limits = Limits(500, ramp=Growth(100, 50))
    assert limits.in_force(NOW + 30 * DAY) == 100
    assert limits.grows_at(NOW) is None
    begun = limits.begun(NOW + 30 * DAY)
    assert begun.grows_at(NOW + 30 * DAY) == NOW + 31 * DAY
    assert begun.begun(NOW + 40 * DAY) == begun


def test_it_says_which_limit_holds_where_several_do() -> None:
    limits = Limits(500, learned(40), Growth(100, 50, NOW))
    assert (limits.in_force(NOW), limits.holder(NOW)) == (40, Holder.LEARNED)
    below = Limits(30, learned(40), Growth(100, 50, NOW))
    assert (below.in_force(NOW), below.holder(NOW), below.grows_at(NOW)) == (30, Holder.SET, None)


def test_it_grows_only_once_every_limit_that_holds_it_has() -> None:
    equal = Limits(500, learned(40, NOW - DAY / 2), Growth(40, 50, NOW))
    assert equal.grows_at(NOW) == NOW + DAY
    not_begun = Limits(500, learned(40, NOW - DAY / 2), Growth(40, 50))
    assert not_begun.grows_at(NOW) is None


def test_it_has_room_when_its_limit_grows_before_anything_ages() -> None:
    limits = Limits(500, learned(10, NOW - DAY + timedelta(hours=1)))
    uses = [Use(NOW - timedelta(hours=2))] * 10
    assert limits.free_at(uses, NOW) == NOW + timedelta(hours=1)
    # Its growth comes to nothing where all of it must be kept free.
    aged = quota.counts_until(NOW - timedelta(hours=2))
    assert limits.free_at(uses, NOW, kept_free=5) == aged


def test_it_has_room_at_last_where_the_reserves_are_more_than_it_allows_yet() -> None:
    assert Limits(500, learned(3)).free_at([], NOW, kept_free=5) == NOW + 3 * DAY
    assert Limits(5).free_at([], NOW, kept_free=5) is None
    assert Limits(500, ramp=Growth(5, 50)).free_at([], NOW, kept_free=5) is None


# --- What a refusal teaches -------------------------------------------------------------------


def test_it_learns_what_was_used_when_gmail_refused() -> None:
    assert Limits(500).taught(40, NOW) == 40
    assert Limits(500).taught(3, NOW) == 3


def test_it_learns_nothing_from_a_refusal_while_nothing_is_known_to_be_used() -> None:
    assert Limits(500).taught(0, NOW) is None
    assert Limits(500, reserve_by_hand=50).taught(9, NOW) is None


def test_it_takes_the_reserve_to_be_used_where_mail_by_hand_is_not_seen() -> None:
    """So campaigns may send again as much as Gmail took from them, and no more."""
    before = Limits(500, reserve_by_hand=50)
    taught = before.taught(60, NOW)
    assert taught == 110
    assert Limits(500, learned(taught), reserve_by_hand=50).for_campaigns(NOW) == 60
    assert before.taught(470, NOW) == 499, (
        "the reserve is partly used: less than before all the same"
    )


def test_it_never_learns_more_than_it_has_learned_before() -> None:
    assert Limits(500, learned(30)).taught(45, NOW) == 30
    assert Limits(500, learned(30)).taught(45, NOW + 10 * DAY) == 45
    # Set lower meanwhile: that is no knowledge of Gmail's.
    assert Limits(50).taught(400, NOW) == 400


# --- Drawn limits -----------------------------------------------------------------------------

minutes_ago = st.integers(-2_000, 60_000).map(lambda minutes: NOW - timedelta(minutes=minutes))
growths = st.builds(Growth, st.integers(1, 700), st.integers(1, 300), st.none() | minutes_ago)
drawn_limits = st.builds(
    Limits, st.integers(0, 600), st.none() | growths, st.none() | growths, st.integers(0, 60)
)


@given(drawn_limits, minutes_ago, st.integers(0, 40_000))
def test_it_never_passes_what_was_set_and_never_shrinks_by_itself(
    limits: Limits, now: datetime, later: int
) -> None:
    assert limits.in_force(now) <= limits.in_force(now + timedelta(minutes=later)) <= limits.limit


@given(drawn_limits, minutes_ago)
def test_it_says_the_first_moment_at_which_more_is_in_force(limits: Limits, now: datetime) -> None:
    in_force, grows_at = limits.in_force(now), limits.grows_at(now)
    if grows_at is None:
        assert limits.in_force(now + 700 * DAY) == in_force
    else:
        assert grows_at > now
        assert limits.in_force(grows_at - INSTANT) == in_force < limits.in_force(grows_at)


@given(drawn_limits, st.integers(0, 700), st.integers(0, 700))
def test_it_never_learns_more_than_is_in_force_and_known_to_be_used(
    limits: Limits, used: int, kept_free: int
) -> None:
    taught = limits.taught(used, NOW)
    if taught is not None:
        after = Limits(limits.limit, learned(taught), limits.ramp, limits.reserve_by_hand)
        assert after.in_force(NOW) <= limits.in_force(NOW)
        assert after.for_campaigns(NOW) <= max(used, 1)


@given(
    drawn_limits,
    st.lists(st.tuples(st.integers(-90_000, 1_800), st.integers(1, 50)), max_size=12),
    st.integers(0, 60),
)
def test_it_says_the_first_moment_at_which_there_is_room_under_it(
    limits: Limits, spent: list[tuple[int, int]], kept_free: int
) -> None:
    uses = [Use(NOW + timedelta(seconds=seconds), count) for seconds, count in spent]

    def has_room(at: datetime) -> bool:
        return quota.used(uses, at) + kept_free < limits.in_force(at)

    free = limits.free_at(uses, NOW, kept_free)
    if free is None:
        assert not has_room(NOW + 700 * DAY)
        return
    assert has_room(free)
    moments = [NOW, free - INSTANT, *(quota.counts_until(use.at) for use in uses if use.at)]
    moments += [at for at, _limit in limits.steps(NOW)]
    assert not any(has_room(at) for at in moments if NOW <= at < free)


def test_it_keeps_a_fifth_of_the_reserve_where_mail_by_hand_is_counted() -> None:
    for reserve, kept in ((50, 10), (1, 1), (6, 2), (0, 0)):
        limits = Limits(500, reserve_by_hand=reserve, sent_is_read=True)
        assert (limits.kept_by_hand, limits.for_campaigns(NOW)) == (kept, 500 - kept)
    assert Limits(500, reserve_by_hand=50).for_campaigns(NOW) == 450
