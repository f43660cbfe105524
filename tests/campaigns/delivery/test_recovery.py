from datetime import timedelta

import pytest
from django.utils import timezone

from accounts import ledger, quota
from accounts.models import LedgerRow
from campaigns.delivery import claim as claims
from campaigns.delivery import outcomes, recovery
from campaigns.delivery.claim import Claim, LeaseLost
from campaigns.delivery.handing_over import commit_handing_over
from campaigns.models import Campaign, Message
from tests.campaigns.claiming import claim_next
from tests.campaigns.making import make_account, make_campaign, make_workspace

M = Message.State
pytestmark = pytest.mark.django_db


def claimed(recipients: int = 1) -> Claim:
    account = make_account(make_workspace())
    make_campaign(account.workspace, [account], recipients)
    assert claims.take_account(account.pk, "me", timezone.now())
    claim = claim_next(account.pk, "me", timezone.now())
    assert isinstance(claim, Claim)
    return claim


def message_of(claim: Claim) -> Message:
    return Message.objects.get(pk=claim.message_id)


def row_of(claim: Claim) -> LedgerRow:
    return LedgerRow.objects.get(pk=claim.ledger_row_id)


def test_it_leaves_a_claim_alone_that_still_runs() -> None:
    claim = claimed()
    assert recovery.recover(claim.until - timedelta(seconds=1)) == (0, 0)
    assert message_of(claim).state == M.CLAIMED


def test_it_lets_a_message_wait_again_that_was_never_handed_over() -> None:
    claim = claimed()
    assert recovery.recover(claim.until) == (1, 0)
    assert message_of(claim).state == M.WAITING
    assert row_of(claim).state == "void"


def test_it_holds_in_doubt_what_a_dead_worker_was_handing_over() -> None:
    claim = claimed()
    now = timezone.now()
    assert commit_handing_over(claim, b"the bytes", now)
    until = message_of(claim).claim_until
    assert until is not None
    assert recovery.recover(until - timedelta(seconds=1)) == (0, 0)
    assert recovery.recover(until) == (0, 1)
    message, row = message_of(claim), row_of(claim)
    assert message.state == M.IN_DOUBT
    assert bytes(message.raw or b"") == b"the bytes"
    # It counts fully, and from the last moment at which Gmail may have taken it.
    assert row.state == "unknown"
    assert row.at is not None
    assert row.at >= until
    assert quota.used(ledger.window(row.account, now), now) == 1


def test_one_that_cannot_be_settled_stops_no_other(caplog: pytest.LogCaptureFixture) -> None:
    broken, healthy = claimed(), claimed()
    Message.objects.filter(pk=broken.message_id).update(ledger_row=None)
    for _look in range(2):
        recovery.recover(healthy.until)
        assert f"Message {broken.message_id} was left behind" in caplog.text, "nobody is told"
        caplog.clear()
    assert message_of(healthy).state == M.WAITING
    assert row_of(healthy).state == "void"
    assert message_of(broken).state == M.CLAIMED


def test_it_never_sends_again_what_is_in_doubt() -> None:
    claim = claimed()
    assert commit_handing_over(claim, b"", timezone.now())
    outcomes.in_doubt(claim, "line lost", timezone.now())
    later = timezone.now() + timedelta(days=30)
    assert recovery.recover(later) == (0, 0)
    claims.release_account(claim.account_id, "me")
    assert claims.take_account(claim.account_id, "me", later)
    assert not isinstance(claim_next(claim.account_id, "me", later), Claim)


def test_it_takes_nothing_from_a_worker_that_wakes_up_late() -> None:
    claim = claimed()
    recovery.recover(claim.until)
    assert not commit_handing_over(claim, b"", timezone.now())
    with pytest.raises(LeaseLost):
        outcomes.put_back(claim, M.CLAIMED, "", timezone.now())
    assert message_of(claim).state == M.WAITING


def test_it_finishes_a_campaign_whose_last_message_is_in_doubt() -> None:
    claim = claimed()
    assert commit_handing_over(claim, b"", timezone.now())
    until = message_of(claim).claim_until
    assert until is not None
    recovery.recover(until)
    assert Campaign.objects.get().state == "finished"


def test_it_finishes_a_campaign_of_which_nothing_is_left() -> None:
    """Killed after the last message, or paused while it was in flight and then resumed."""
    claim = claimed()
    assert commit_handing_over(claim, b"", timezone.now())
    outcomes.sent(claim, "250", timezone.now())
    assert Campaign.objects.get().state == "sending"
    recovery.recover(timezone.now())
    assert Campaign.objects.get().state == "finished"


def test_it_cancels_what_was_claimed_when_the_campaign_was_cancelled() -> None:
    from campaigns import control

    claim = claimed(recipients=3)
    campaign_id = message_of(claim).campaign_id
    assert campaign_id is not None
    assert control.cancel(campaign_id) == 2
    recovery.recover(claim.until)
    assert set(Message.objects.values_list("state", flat=True)) == {M.CANCELLED}
    assert row_of(claim).state == "void"
