"""What the forecast says is what the sender then does: on the tables, on a virtual clock.

Hypothesis draws accounts, campaigns, what was used before, and things that happen later. A forecast
is made at launch and after each of them, and holds until the next: message by message, the moment,
the account and the campaign. (What leaves together is one moment: nothing here takes time.)
"""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import GmailAccount, LedgerRow
from campaigns import control
from campaigns.delivery import outcomes
from campaigns.delivery.claim import Claim, take_account
from campaigns.delivery.forecasting import forecast_workspace
from campaigns.delivery.handing_over import commit_handing_over
from campaigns.models import Campaign, Message
from campaigns.planning.calendar import local_date
from gmail.replies import Phase
from tests.campaigns.claiming import claim_next
from tests.campaigns.making import make_account, make_campaign, make_workspace
from tests.machine.examples import examples
from tests.machine.gmail import LIMIT

HOLDER = "the sender"
HOUR = timedelta(hours=1)
LONGEST = timedelta(days=400)

# The day before clocks change in Europe, in North America, and a day like any other.
STARTS = [
    datetime(2026, 3, 28, 12, tzinfo=UTC),
    datetime(2026, 10, 24, 12, tzinfo=UTC),
    datetime(2026, 3, 7, 18, 30, tzinfo=UTC),
    datetime(2026, 6, 10, 6, tzinfo=UTC),
]
ZONES = ["UTC", "Europe/London", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"]
HOURS = [(None, None), (time(9), time(17)), (time(1), time(2, 30)), (time(20), None)]
DAYS = ["mon,tue,wed,thu,fri,sat,sun", "mon,tue,wed,thu,fri", "sat,sun", "wed"]

Departed = Counter[tuple[datetime, int, int]]


@dataclass
class World:
    now: datetime
    accounts: list[GmailAccount]
    campaigns: list[Campaign]

    def run(self, until: datetime) -> Departed:
        """What the sender does until then: looks, takes what may leave, and looks again later."""
        departed = Departed()
        while self.now < until:
            looks = [self._burst(account, departed) for account in self.accounts]
            known = [at for at in looks if at is not None]
            if not known:
                break
            if min(known) > self.now:
                self.now = min(min(known), until)
        self.now = until
        return departed

    def _burst(self, account: GmailAccount, departed: Departed) -> datetime | None:
        while isinstance(turn := claim_next(account.pk, HOLDER, self.now), Claim):
            assert commit_handing_over(turn, b"bytes", self.now)
            outcomes.sent(turn, "250 2.0.0 OK", self.now)
            campaign = Message.objects.values_list("campaign_id", flat=True).get(pk=turn.message_id)
            departed[self.now, account.pk, campaign or 0] += 1
        return turn.at

    def forecast(self) -> tuple[Departed, dict[date, int]]:
        plan = forecast_workspace(self.accounts[0].workspace, self.now)
        departed = Departed()
        for one in plan.departures:
            departed[one.at, one.account_id, one.campaign_id] += one.count
        return departed, plan.by_day()

    def zone_of(self, account_id: int) -> ZoneInfo:
        return ZoneInfo(next(one.time_zone for one in self.accounts if one.pk == account_id))


@st.composite
def worlds(draw: st.DrawFn) -> World:
    now = draw(st.sampled_from(STARTS))
    workspace = make_workspace()
    accounts = [_draw_account(draw, workspace, now) for _ in range(draw(st.integers(1, 2)))]
    campaigns = [_draw_campaign(draw, accounts, now) for _ in range(draw(st.integers(1, 3)))]
    return World(now, accounts, campaigns)


def _draw_account(draw: st.DrawFn, workspace: object, now: datetime) -> GmailAccount:
    account = make_account(
        workspace,  # type: ignore[arg-type]
        time_zone=draw(st.sampled_from(ZONES)),
        limit=draw(st.integers(2, 15)),
        ramp=draw(st.booleans()),
        ramp_first=draw(st.integers(1, 5)),
        reserve_by_hand=draw(st.integers(0, 2)),
        reserve_transactional=draw(st.integers(0, 1)),
    )
    for _ in range(draw(st.integers(0, 3))):
        ago = timedelta(minutes=draw(st.integers(0, 25 * 60)))
        _use(account, now - ago, draw(st.sampled_from(LedgerRow.Source)), draw(st.integers(1, 3)))
    assert take_account(account.pk, HOLDER, now)
    return account


def _use(account: GmailAccount, at: datetime, source: str, recipients: int) -> None:
    state = LedgerRow.State.ACCEPTED
    LedgerRow.objects.create(
        account=account, source=source, recipients=recipients, state=state, reserved_at=at, at=at
    )


def _draw_campaign(draw: st.DrawFn, accounts: list[GmailAccount], now: datetime) -> Campaign:
    hours_from, hours_to = draw(st.sampled_from(HOURS))
    campaign = make_campaign(
        accounts[0].workspace,
        accounts[: draw(st.integers(1, len(accounts)))],
        recipients=draw(st.integers(1, 24)),
        launched_at=now,
        start_at=draw(st.sampled_from([None, now + 5 * HOUR, now + 40 * HOUR])),
        days=draw(st.sampled_from(DAYS)),
        hours_from=hours_from,
        hours_to=hours_to,
        pace=draw(st.sampled_from(Campaign.Pace)),
        seed=draw(st.integers(0, 5)),
    )
    campaign.messages.update(not_before=now)
    return campaign


# --- What happens later ----------------------------------------------------------------------


def pause(world: World, which: int) -> None:
    campaign = world.campaigns[which % len(world.campaigns)]
    Campaign.objects.filter(pk=campaign.pk, state="sending").update(state="paused")


def resume(world: World, which: int) -> None:
    for campaign in Campaign.objects.filter(state=Campaign.State.PAUSED):
        control.resume(campaign.pk)


def mail_by_hand(world: World, which: int) -> None:
    account = world.accounts[which % len(world.accounts)]
    _use(account, world.now, LedgerRow.Source.BY_HAND, 1 + which % 4)


def limit_changed(world: World, which: int) -> None:
    account = world.accounts[which % len(world.accounts)]
    GmailAccount.objects.filter(pk=account.pk).update(limit=3 + which)


def refusal(world: World, which: int) -> None:
    """Gmail says that the limit is reached, where anything leaves at all."""
    account = world.accounts[which % len(world.accounts)]
    claim = claim_next(account.pk, HOLDER, world.now)
    if isinstance(claim, Claim):
        outcomes.not_accepted(claim, Message.State.CLAIMED, LIMIT, Phase.DATA, world.now)


LATER = [pause, resume, mail_by_hand, limit_changed, refusal]
later = st.lists(
    st.tuples(st.sampled_from(LATER), st.integers(0, 5), st.integers(1, 60 * 60)), max_size=3
)


@pytest.mark.django_db
@examples(few=15)
@given(st.data())
def test_it_says_at_launch_and_after_each_event_what_the_sender_then_does(
    data: st.DataObject,
) -> None:
    with transaction.atomic():
        world = data.draw(worlds())
        for happens, which, minutes in data.draw(later):
            _holds_until(world, world.now + timedelta(minutes=minutes))
            happens(world, which)
        resume(world, 0)
        _holds_until(world, world.now + LONGEST)
        transaction.set_rollback(True)


def _holds_until(world: World, until: datetime) -> None:
    planned, by_day = world.forecast()
    departed = world.run(until)
    before = Counter({key: count for key, count in planned.items() if key[0] < until})
    assert departed == before
    if before == planned:
        assert by_day == _by_day(world, departed)


def _by_day(world: World, departed: Departed) -> dict[date, int]:
    days = Counter[date]()
    for (at, account_id, _), count in departed.items():
        days[local_date(at, world.zone_of(account_id))] += count
    return dict(days)
