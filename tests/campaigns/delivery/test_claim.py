from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event

import pytest
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import GmailAccount, LedgerRow
from campaigns import control
from campaigns.delivery import claim as claims
from campaigns.delivery.claim import Claim, LeaseLost
from campaigns.delivery.handing_over import commit_handing_over
from campaigns.models import Campaign, CampaignAccount, Message, Suppression
from campaigns.planning.sharing import Reason, Turn
from tests.campaigns.claiming import claim_next
from tests.campaigns.making import (
    make_account,
    make_campaign,
    make_single,
    make_workspace,
    spend,
)
from tests.waiting import until_somebody_waits_for_a_lock

M = Message.State


def account_in_hand(**fields: object) -> GmailAccount:
    account = make_account(make_workspace(), **fields)
    assert claims.take_account(account.pk, "me", timezone.now())
    return account


def claim_one(account: GmailAccount) -> Claim:
    claim = claim_next(account.pk, "me", timezone.now())
    assert isinstance(claim, Claim)
    return claim


@pytest.mark.django_db
def test_it_takes_the_message_and_the_use_of_the_limit_together() -> None:
    account = account_in_hand()
    campaign = make_campaign(account.workspace, [account])
    claim = claim_one(account)
    message = Message.objects.get(pk=claim.message_id)
    row = LedgerRow.objects.get(pk=claim.ledger_row_id)
    assert (message.state, message.account, message.ledger_row) == (M.CLAIMED, account, row)
    assert (row.state, row.at, row.campaign_ref) == ("reserved", None, campaign.pk)
    pacing = CampaignAccount.objects.get(campaign=campaign)
    assert pacing.claims == 1
    assert pacing.last_claim_at is not None


@pytest.mark.django_db
def test_it_stops_at_the_limit_and_counts_what_is_only_reserved() -> None:
    account = account_in_hand(limit=2)
    make_campaign(account.workspace, [account])
    claim_one(account)
    claim_one(account)
    turn = claim_next(account.pk, "me", timezone.now())
    assert isinstance(turn, Turn)
    assert turn.reason == Reason.LIMIT


@pytest.mark.django_db
def test_it_sends_mail_of_its_own_first_and_from_what_campaigns_leave_free() -> None:
    account = account_in_hand(limit=10, reserve_transactional=2)
    make_campaign(account.workspace, [account])
    spend(account, 8)
    single = make_single(account)
    assert claim_one(account).message_id == single.pk
    turn = claim_next(account.pk, "me", timezone.now())
    assert isinstance(turn, Turn)
    assert turn.reason == Reason.LIMIT


@pytest.mark.django_db
def test_it_holds_even_its_own_mail_to_the_limit() -> None:
    account = account_in_hand(limit=10, reserve_transactional=2)
    spend(account, 10)
    make_single(account)
    assert isinstance(claim_next(account.pk, "me", timezone.now()), Turn)


@pytest.mark.django_db
def test_it_gives_an_account_to_one_worker_at_a_time() -> None:
    account = account_in_hand()
    make_campaign(account.workspace, [account])
    assert not claims.take_account(account.pk, "another", timezone.now())
    with pytest.raises(LeaseLost):
        claim_next(account.pk, "another", timezone.now())
    later = timezone.now() + claims.ACCOUNT_LEASE
    assert claims.take_account(account.pk, "another", later + timedelta(seconds=1))
    with pytest.raises(LeaseLost):
        claim_next(account.pk, "me", later)
    claims.release_account(account.pk, "me")
    assert not claims.take_account(account.pk, "third", later + timedelta(seconds=2))


@pytest.mark.django_db
def test_it_keeps_a_contact_with_the_account_of_its_first_claim() -> None:
    first = account_in_hand()
    second = make_account(first.workspace)
    assert claims.take_account(second.pk, "me", timezone.now())
    make_campaign(first.workspace, [first, second], recipients=2)
    claim = claim_one(first)
    Message.objects.filter(pk=claim.message_id).update(state=M.WAITING, ledger_row=None)
    assert claim_one(second).message_id != claim.message_id
    assert isinstance(claim_next(second.pk, "me", timezone.now()), Turn)
    assert claim_one(first).message_id == claim.message_id


@pytest.mark.django_db
def test_it_takes_back_its_own_and_leaves_another_account_what_that_had_begun() -> None:
    first = account_in_hand()
    second = make_account(first.workspace)
    assert claims.take_account(second.pk, "me", timezone.now())
    make_campaign(first.workspace, [first, second], recipients=2)
    claim_one(first)
    its_own = claim_one(second)
    Message.objects.update(state=M.WAITING, ledger_row=None)
    assert claim_one(second).message_id == its_own.message_id
    assert isinstance(claim_next(second.pk, "me", timezone.now()), Turn)


@pytest.mark.django_db
def test_it_does_not_claim_from_a_campaign_that_is_paused() -> None:
    account = account_in_hand()
    campaign = make_campaign(account.workspace, [account])
    control.pause(campaign.pk)
    turn = claim_next(account.pk, "me", timezone.now())
    assert isinstance(turn, Turn)
    assert turn.reason == Reason.NOTHING_WAITS


@pytest.mark.django_db
def test_it_keeps_the_bytes_from_handing_over_on() -> None:
    account = account_in_hand()
    make_campaign(account.workspace, [account])
    claim = claim_one(account)
    assert commit_handing_over(claim, b"bytes", timezone.now())
    message = Message.objects.get(pk=claim.message_id)
    assert (message.state, bytes(message.raw or b"")) == (M.HANDING_OVER, b"bytes")
    assert message.handed_over_at is not None


@pytest.mark.django_db
def test_it_gives_no_dot_after_a_pause_an_opt_out_or_its_time() -> None:
    account = account_in_hand()
    campaign = make_campaign(account.workspace, [account])
    claim = claim_one(account)
    assert not commit_handing_over(claim, b"", claim.until)
    Campaign.objects.filter(pk=campaign.pk).update(state="paused")
    assert not commit_handing_over(claim, b"", timezone.now())
    Campaign.objects.filter(pk=campaign.pk).update(state="sending")
    suppression = Suppression.objects.create(
        workspace=account.workspace, email_key=claim.to_key.upper()
    )
    assert not commit_handing_over(claim, b"", timezone.now())
    suppression.delete()
    assert commit_handing_over(claim, b"", timezone.now())


@pytest.mark.django_db
def test_it_minds_no_suppression_of_another_workspace() -> None:
    account = account_in_hand()
    make_campaign(account.workspace, [account])
    claim = claim_one(account)
    Suppression.objects.create(workspace=make_workspace(), email_key=claim.to_key)
    assert commit_handing_over(claim, b"", timezone.now())


@pytest.mark.django_db(transaction=True)
def test_it_claims_everybody_once_and_never_over_the_limit_from_many_threads() -> None:
    account = account_in_hand(limit=37)
    campaign = make_campaign(account.workspace, [account], recipients=60)

    def claim_all(_: int) -> list[int]:
        claimed = []
        try:
            while isinstance(claim := claim_next(account.pk, "me", timezone.now()), Claim):
                claimed.append(claim.message_id)
        finally:
            connection.close()
        return claimed

    with ThreadPoolExecutor(4) as pool:
        claimed = [message for found in pool.map(claim_all, range(4)) for message in found]
    assert len(claimed) == len(set(claimed)) == 37
    assert LedgerRow.objects.filter(account=account, state="reserved").count() == 37
    assert CampaignAccount.objects.get(campaign=campaign).claims == 37


@pytest.mark.django_db(transaction=True)
def test_it_sees_a_pause_that_was_committed_while_it_waited_for_the_row() -> None:
    """Whoever changes the row holds it; PostgreSQL waits, SQLite refuses."""
    account = account_in_hand()
    campaign = make_campaign(account.workspace, [account])
    claim = claim_one(account)
    waiting = Event()

    def hand_over() -> bool:
        try:
            waiting.set()
            return commit_handing_over(claim, b"", timezone.now())
        finally:
            connection.close()

    def pause() -> None:
        try:
            control.pause(campaign.pk)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        with transaction.atomic():
            Message.objects.filter(pk=claim.message_id).update(reply="")
            handed_over = pool.submit(hand_over)
            waiting.wait(5)
            until_somebody_waits_for_a_lock()
            paused = pool.submit(pause)
            if connection.vendor == "postgresql":
                paused.result(5)
        paused.result(5)
        # On SQLite one writer waits for the other, and either may be the first.
        first = handed_over.result(5)
    assert not (first and connection.vendor == "postgresql")
