import copy
from collections import Counter
from dataclasses import fields
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import example, given, settings
from hypothesis import strategies as st

from accounts import quota
from accounts.quota import Growth, Limits, Use
from campaigns.planning.calendar import SendingHours
from campaigns.planning.forecast import (
    Forecast,
    PlannedAccount,
    PlannedCampaign,
    Spent,
    forecast,
)
from campaigns.planning.pacing import Pace
from campaigns.planning.sharing import Queue, Room, next_turn

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
LONDON = ZoneInfo("Europe/London")
DAY = timedelta(days=1)


def account(account_id: int = 1, limit: int = 500, **more: Any) -> PlannedAccount:
    names = {each.name for each in fields(Limits)} & set(more)
    limits = Limits(limit, **{name: more.pop(name) for name in names})
    return PlannedAccount(account_id, LONDON, limits, **more)


def campaign(campaign_id: int = 1, waiting: int = 1200, **more: object) -> PlannedCampaign:
    more = {"accounts": [1], "starts_at": NOW} | more
    return PlannedCampaign(campaign_id=campaign_id, waiting=waiting, **more)  # type: ignore[arg-type]


def counts(plan: Forecast, campaign_id: int | None = None) -> list[int]:
    return list(plan.by_day(campaign_id).values())


def test_it_sends_500_a_day_as_soon_as_allowed() -> None:
    plan = forecast([account()], [campaign()], NOW)
    assert {day.isoformat(): n for day, n in plan.by_day().items()} == {
        "2026-11-23": 500,
        "2026-11-24": 500,
        "2026-11-25": 200,
    }
    assert plan.finishes() == NOW + 2 * (DAY + quota.MARGIN)


def test_it_carries_less_on_a_later_day_within_hours() -> None:
    """Slots free 24 hours after they were used: at noon and after, not at nine."""
    hours = SendingHours(start=time(9), end=time(12, 1))
    plan = forecast([account()], [campaign(hours=hours)], NOW)
    assert counts(plan) == [500, 500, 200]
    early = forecast([account(spent=[Spent(NOW, 500)])], [campaign(hours=hours)], NOW)
    assert counts(early) == [500, 500, 200]
    assert early.finishes() > plan.finishes()  # type: ignore[operator]


def test_it_knows_what_counts_already() -> None:
    spent = [Spent(NOW - timedelta(hours=20), 400)]
    plan = forecast([account(spent=spent)], [campaign(waiting=450)], NOW)
    first, second = plan.departures
    assert (first.count, first.at) == (100, NOW)
    assert (second.count, second.at) == (350, NOW + timedelta(hours=4) + quota.MARGIN)


def test_it_finishes_a_small_campaign_on_the_first_day_beside_a_large_one() -> None:
    plan = forecast([account()], [campaign(1, 1000), campaign(2, 50)], NOW)
    assert counts(plan, 2) == [50]
    assert counts(plan, 1) == [450, 500, 50]
    assert plan.finishes(2) == NOW


def test_it_uses_all_accounts_of_a_campaign() -> None:
    two = [account(1), account(2, limit=100)]
    plan = forecast(two, [campaign(accounts=[1, 2])], NOW)
    assert counts(plan) == [600, 600]


def test_it_keeps_what_is_bound_to_an_account_there() -> None:
    bound = campaign(waiting=0, accounts=[1, 2], bound={2: 30})
    plan = forecast([account(1), account(2)], [bound], NOW)
    assert [(one.account_id, one.count) for one in plan.departures] == [(2, 30)]


def test_it_spreads_over_the_hours_and_nearly_fills_the_limit() -> None:
    hours = SendingHours(start=time(9), end=time(17))
    start = datetime(2026, 11, 24, 9, tzinfo=UTC)
    spread = campaign(waiting=500, hours=hours, pace=Pace(seed=7), starts_at=start)
    plan = forecast([account()], [spread], NOW)
    assert counts(plan) == [500]
    assert timedelta(hours=6) < plan.finishes() - start < timedelta(hours=8)  # type: ignore[operator]
    assert all(departure.count == 10 for departure in plan.departures)


def test_it_does_not_finish_what_cannot_leave() -> None:
    plan = forecast([account(connected=False)], [campaign()], NOW)
    assert plan.departures == []
    assert plan.finishes() is None
    assert plan.unplanned == {1: 1200}


def test_it_plans_years_ahead_by_day_without_losing_anybody() -> None:
    plan = forecast([account()], [campaign(waiting=300_000)], NOW, steps=50)
    assert sum(counts(plan)) == 300_000
    assert plan.unplanned == {}
    assert 598 <= len(counts(plan)) <= 602


def test_it_keeps_to_the_weekdays_by_day_too() -> None:
    weekdays = SendingHours(frozenset({0, 2}), time(9), time(17))
    plan = forecast([account()], [campaign(waiting=9_000, hours=weekdays)], NOW, steps=6)
    assert {day.weekday() for day in plan.by_day()} == {0, 2}
    assert sum(counts(plan)) == 9_000


def test_it_shares_by_day_too() -> None:
    plan = forecast([account()], [campaign(1, 40_000), campaign(2, 10_000)], NOW, steps=1)
    assert sum(counts(plan, 2)) == 10_000
    assert plan.finishes(2) < NOW + 45 * DAY  # type: ignore[operator]


def test_it_knows_when_a_limit_grows_and_nothing_else_happens() -> None:
    ramp = Growth(100, 50)
    plan = forecast([account(ramp=ramp)], [campaign(waiting=700)], NOW)
    assert counts(plan) == [100, 150, 225, 225]
    learned = Growth(40, 10, NOW - timedelta(hours=20))
    plan = forecast([account(learned=learned)], [campaign(waiting=60)], NOW)
    assert [(one.at - NOW, one.count) for one in plan.departures[:2]] == [
        (timedelta(), 40),
        (timedelta(hours=4), 4),
    ]


def test_it_plans_by_day_with_the_limit_of_each_day() -> None:
    later = NOW + 3 * DAY
    ramp = campaign(waiting=2_000, starts_at=later)
    plan = forecast([account(ramp=Growth(100, 50))], [ramp], NOW, steps=1)
    assert counts(plan) == [100, 150, 225, 337, 500, 500, 188]


def test_it_waits_for_a_learned_limit_to_grow_beyond_the_reserves() -> None:
    learned = Growth(10, 10, NOW)
    waits = account(learned=learned, reserve_by_hand=12)
    plan = forecast([waits], [campaign(waiting=3)], NOW)
    assert plan.departures[0].at == NOW + 3 * DAY
    assert plan.unplanned == {}


# --- The forecast against the rule itself, one message at a time -----------------------------

hours_given = st.sampled_from(
    [
        SendingHours(),
        SendingHours(start=time(9), end=time(17)),
        SendingHours(frozenset({1, 2, 5}), time(11), time(15, 30)),
        SendingHours(start=time(20)),
    ]
)


growths = st.builds(
    lambda first, percent, hours: Growth(first, percent, NOW - timedelta(hours=hours)),
    st.integers(1, 40),
    st.integers(10, 100),
    st.integers(0, 100),
)


@st.composite
def situations(draw: st.DrawFn) -> tuple[list[PlannedAccount], list[PlannedCampaign]]:
    accounts = [
        account(
            number,
            limit=draw(st.integers(1, 40)),
            spent=[
                Spent(
                    NOW - timedelta(seconds=draw(st.integers(0, 90_000))),
                    1,
                    draw(st.sampled_from([None, 1])),
                )
                for _ in range(draw(st.integers(0, 30)))
            ],
            resting_until=draw(st.sampled_from([None, NOW + timedelta(hours=3)])),
            learned=draw(st.none() | growths),
            ramp=draw(st.none() | growths | st.just(Growth(3, 50))),
            reserve_by_hand=draw(st.integers(0, 3)),
        )
        for number in range(1, draw(st.integers(1, 2)) + 1)
    ]
    campaigns = [
        campaign(
            number,
            waiting=draw(st.integers(0, 60)),
            accounts=[one.account_id for one in accounts],
            bound={1: draw(st.integers(0, 5))},
            hours=draw(hours_given),
            pace=draw(st.sampled_from([Pace(), Pace(seed=11)])),
            starts_at=NOW + timedelta(hours=draw(st.integers(0, 30))),
        )
        for number in range(1, draw(st.integers(1, 3)) + 1)
    ]
    return accounts, campaigns


# A gap that a limit which grows before its end makes shorter.
@example(
    (
        [account(limit=5, ramp=Growth(1, 10, NOW))],
        [campaign(waiting=6, bound={1: 5}, pace=Pace(seed=11))],
    )
)
@settings(max_examples=120, deadline=None)
@given(situations())
def test_it_says_what_a_sender_does_one_message_at_a_time(
    situation: tuple[list[PlannedAccount], list[PlannedCampaign]],
) -> None:
    accounts, campaigns = situation
    sent = send_one_by_one(copy.deepcopy(accounts), copy.deepcopy(campaigns))
    plan = forecast(accounts, copy.deepcopy(campaigns), NOW)
    planned = Counter[tuple[datetime, int, int]]()
    for one in plan.departures:
        planned[one.at, one.account_id, one.campaign_id] += one.count
    assert planned == Counter(sent)
    for one in accounts:
        never_over_the_limit(
            one, [at for at, account_id, _ in sent if account_id == one.account_id]
        )


def send_one_by_one(
    accounts: list[PlannedAccount], campaigns: list[PlannedCampaign]
) -> list[tuple[datetime, int, int]]:
    """What the sender does on virtual time: asks the rule before each message."""
    uses = {
        one.account_id: [(spent.at, spent.campaign_id) for spent in one.spent] for one in accounts
    }
    next_look: dict[int, datetime | None] = {one.account_id: NOW for one in accounts}
    sent = []
    while any(next_look.values()):
        at, account_id = min((at, number) for number, at in next_look.items() if at)
        one = next(one for one in accounts if one.account_id == account_id)
        spent = [Use(moment) for moment, _ in uses[account_id]]
        limit = one.limits.for_campaigns(at)
        room = Room(
            account_id,
            one.zone,
            limit,
            limit - quota.used(spent, at),
            one.limits.free_at(spent, at, one.limits.kept_free()),
            resting_until=one.resting_until,
        )
        queues = [
            Queue(
                each.campaign_id,
                each.starts_at,
                each.hours,
                each.pace,
                *each.progress.get(account_id, (0, None)),
                served=sum(
                    ref == each.campaign_id and at < quota.counts_until(moment or at)
                    for moment, ref in uses[account_id]
                ),
            )
            for each in campaigns
            if each.waiting + each.bound.get(account_id, 0)
        ]
        turn = next_turn(room, queues, at)
        if turn.campaign_id is None:
            grows_at = one.limits.grows_at(at)
            # The real one looks every few seconds: also when a limit has just grown.
            next_look[account_id] = min(turn.at, grows_at or turn.at) if turn.at else None
            continue
        chosen = next(each for each in campaigns if each.campaign_id == turn.campaign_id)
        if chosen.bound.get(account_id, 0):
            chosen.bound[account_id] -= 1
        else:
            chosen.waiting -= 1
        claims, _ = chosen.progress.get(account_id, (0, None))
        chosen.progress[account_id] = claims + 1, at
        one.limits = one.limits.begun(at)
        uses[account_id].append((at, turn.campaign_id))
        sent.append((at, account_id, turn.campaign_id))
    return sent


def never_over_the_limit(one: PlannedAccount, sent: list[datetime]) -> None:
    """No window of 24 hours that ends with one of ours holds more than the limit."""
    earlier = [spent.at for spent in one.spent if spent.at]
    for moment in sent:
        window = [at for at in earlier + sent if moment - DAY < at <= moment]
        assert len(window) <= max(one.limits.limit, len([at for at in earlier if at <= moment]))
    assert all(earlier <= later for earlier, later in pairwise(sent))
