"""The rule of the plan, as the claim applies it to what stands in the tables."""

from datetime import UTC, datetime, time, timedelta

import pytest
from django.utils import timezone

from accounts import quota
from accounts.models import LedgerRow
from campaigns.delivery import claim as claims
from campaigns.delivery import outcomes, recovery, sender
from campaigns.delivery.claim import Claim, LeaseLost
from campaigns.delivery.handing_over import commit_handing_over
from campaigns.models import CampaignAccount, Message
from campaigns.planning.sharing import Reason, Turn
from tests.campaigns.claiming import claim_next
from tests.campaigns.delivery.test_claim import account_in_hand, claim_one
from tests.campaigns.making import make_campaign, make_single, spend

M = Message.State
HOUR = timedelta(hours=1)


def noon_of_a_day_to_come() -> datetime:
    return (timezone.now() + timedelta(days=2)).replace(hour=12, minute=0, second=0, microsecond=0)


@pytest.mark.django_db
def test_it_counts_24_hours_and_the_margin() -> None:
    account = account_in_hand(limit=1)
    make_campaign(account.workspace, [account])
    now = timezone.now()
    spend(account, 1, now - timedelta(hours=24))
    turn = claim_next(account.pk, "me", now)
    assert isinstance(turn, Turn)
    assert (turn.reason, turn.at) == (Reason.LIMIT, now + quota.MARGIN)
    assert isinstance(claim_next(account.pk, "me", now + quota.MARGIN), Claim)


@pytest.mark.django_db
def test_it_takes_nothing_that_waits_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    account = account_in_hand()
    make_campaign(account.workspace, [account])
    taken = Message.objects.get(pk=claim_one(account).message_id)
    monkeypatch.setattr(claims, "_pick", lambda *_, **__: [taken])
    with pytest.raises(LeaseLost):
        claim_one(account)
    assert LedgerRow.objects.get() == taken.ledger_row
    assert CampaignAccount.objects.get().claims == 1


@pytest.mark.django_db
def test_it_takes_no_word_from_a_worker_whose_message_was_claimed_anew() -> None:
    account = account_in_hand()
    make_campaign(account.workspace, [account], recipients=1)
    old = claim_one(account)
    now = old.until
    recovery.recover(now)
    new = claim_next(account.pk, "me", now)
    assert isinstance(new, Claim)
    assert new.message_id == old.message_id
    assert not commit_handing_over(old, b"old", now)
    assert commit_handing_over(new, b"new", now)
    with pytest.raises(LeaseLost):
        outcomes.sent(old, "250 2.0.0 OK", now)
    assert Message.objects.get().state == M.HANDING_OVER
    assert LedgerRow.objects.get(pk=new.ledger_row_id).state == "reserved"


@pytest.mark.django_db
def test_it_serves_two_campaigns_in_turn() -> None:
    account = account_in_hand()
    pair = [make_campaign(account.workspace, [account]) for _ in range(2)]
    claimed = [claim_one(account).message_id for _ in range(4)]
    turns = [Message.objects.get(pk=one).campaign for one in claimed]
    assert turns == pair * 2


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("fields", "reason", "opens"),
    [
        ({"hours_from": time(13)}, Reason.OUTSIDE_HOURS, HOUR),
        ({"hours_to": time(11)}, Reason.OUTSIDE_HOURS, 12 * HOUR),
        ({"hours_from": time(9), "hours_to": time(12)}, Reason.OUTSIDE_HOURS, 21 * HOUR),
    ],
)
def test_it_claims_only_within_the_hours(
    fields: dict[str, time], reason: Reason, opens: timedelta
) -> None:
    account = account_in_hand()
    make_campaign(account.workspace, [account], **fields)
    noon = noon_of_a_day_to_come()
    turn = claim_next(account.pk, "me", noon)
    assert isinstance(turn, Turn)
    assert (turn.reason, turn.at) == (reason, noon + opens)
    assert isinstance(claim_next(account.pk, "me", noon + opens), Claim)


@pytest.mark.django_db
def test_it_reads_the_hours_in_the_zone_of_the_account() -> None:
    account = account_in_hand(time_zone="Asia/Tokyo")  # nine hours ahead, all year
    make_campaign(account.workspace, [account], hours_from=time(9), hours_to=time(17))
    noon = noon_of_a_day_to_come()
    turn = claim_next(account.pk, "me", noon)
    assert isinstance(turn, Turn)
    assert (turn.reason, turn.at) == (Reason.OUTSIDE_HOURS, noon + 12 * HOUR)


@pytest.mark.django_db
def test_it_claims_nothing_before_the_start() -> None:
    account = account_in_hand()
    noon = noon_of_a_day_to_come()
    make_campaign(account.workspace, [account], start_at=noon)
    turn = claim_next(account.pk, "me", timezone.now())
    assert isinstance(turn, Turn)
    assert (turn.reason, turn.at) == (Reason.NOT_STARTED, noon)
    assert isinstance(claim_next(account.pk, "me", noon), Claim)


@pytest.mark.django_db
def test_it_rests_between_the_bursts_of_a_spread_campaign() -> None:
    account = account_in_hand()
    make_campaign(account.workspace, [account], recipients=11, pace="spread")
    for _ in range(10):
        claim_one(account)
    turn = claim_next(account.pk, "me", timezone.now())
    assert isinstance(turn, Turn)
    assert turn.reason == Reason.BETWEEN_BURSTS


@pytest.mark.django_db
def test_it_counts_what_is_in_doubt() -> None:
    account = account_in_hand(limit=1)
    make_campaign(account.workspace, [account])
    claim = claim_one(account)
    now = timezone.now()
    assert commit_handing_over(claim, b"", now)
    outcomes.in_doubt(claim, "line lost", now)
    turn = claim_next(account.pk, "me", now)
    assert isinstance(turn, Turn)
    assert turn.reason == Reason.LIMIT
    late = now + outcomes.SESSION_LIFE + timedelta(hours=24)
    assert isinstance(claim_next(account.pk, "me", late), Turn)
    assert isinstance(claim_next(account.pk, "me", late + quota.MARGIN), Claim)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "fields",
    [
        {"limit": 10, "reserve_by_hand": 5},
        {"limit": 10, "reserve_transactional": 5},
        {"limit": 500, "learned_limit": 5, "learned_at": datetime(2100, 1, 1, tzinfo=UTC)},
    ],
)
def test_it_keeps_the_reserves_and_the_learned_limit(fields: dict[str, object]) -> None:
    account = account_in_hand(**fields)
    make_campaign(account.workspace, [account])
    spend(account, 4)
    claim_one(account)
    turn = claim_next(account.pk, "me", timezone.now())
    assert isinstance(turn, Turn)
    assert turn.reason == Reason.LIMIT


@pytest.mark.django_db
def test_it_begins_the_plan_for_a_new_account_with_its_first_campaign() -> None:
    account = account_in_hand(ramp=True, ramp_first=2)
    make_single(account)
    make_campaign(account.workspace, [account])
    claim_one(account)
    account.refresh_from_db()
    assert account.ramp_began_at is None, "its own mail begins nothing"
    claim_one(account)
    account.refresh_from_db()
    began = account.ramp_began_at
    assert began is not None
    turn = claim_next(account.pk, "me", timezone.now())
    assert isinstance(turn, Turn)
    assert (turn.reason, turn.at) == (Reason.LIMIT, began + timedelta(days=1))


@pytest.mark.django_db
def test_it_says_when_a_learned_limit_has_grown_enough() -> None:
    learned_at = timezone.now() - timedelta(hours=20)
    account = account_in_hand(learned_limit=10, learned_at=learned_at)
    make_campaign(account.workspace, [account])
    spend(account, 10, timezone.now() - timedelta(hours=2))
    turn = claim_next(account.pk, "me", timezone.now())
    assert isinstance(turn, Turn)
    assert turn.at == learned_at + timedelta(days=1)
    assert claims.take_account(account.pk, "late", turn.at)
    assert isinstance(claim_next(account.pk, "late", turn.at), Claim)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "fields",
    [{"state": "needs_reconnecting"}, {"resting_until": datetime(2100, 1, 1, tzinfo=UTC)}],
)
def test_it_claims_not_even_its_own_mail_while_the_account_may_not_send(
    fields: dict[str, object],
) -> None:
    account = account_in_hand(**fields)
    make_single(account)
    make_campaign(account.workspace, [account])
    assert isinstance(claim_next(account.pk, "me", timezone.now()), Turn)
    assert not LedgerRow.objects.exists()


@pytest.mark.django_db
def test_it_sends_its_own_mail_once_the_window_has_passed() -> None:
    account = account_in_hand(limit=1)
    spend(account, 1, timezone.now() - timedelta(hours=25))
    single = make_single(account)
    assert claim_one(account).message_id == single.pk


def test_it_allows_less_time_to_the_dot_than_the_claim_lasts() -> None:
    assert sender.TIME_TO_DOT < claims.CLAIM


@pytest.mark.django_db
def test_it_leaves_a_worker_alone_that_waits_for_gmails_answer() -> None:
    account = account_in_hand()
    make_campaign(account.workspace, [account])
    claim = claim_one(account)
    now = timezone.now()
    assert commit_handing_over(claim, b"", now)
    for minutes in (0, 1, 4, 10):
        assert recovery.recover(now + timedelta(minutes=minutes)) == (0, 0)
