"""Two who decide at the same moment, and a campaign that would finish just then."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event
from time import sleep

import pytest
from django.db import connection, transaction
from django.utils import timezone

from campaigns import control, decisions, states
from campaigns.delivery import outcomes
from campaigns.delivery.claim import Claim, take_account
from campaigns.models import Message
from tests.campaigns.claiming import claim_next
from tests.campaigns.doubting import fresh, kinds, long_ago, put_in_doubt
from tests.campaigns.making import make_account, make_campaign, make_single, make_workspace

M = Message.State
pytestmark = pytest.mark.django_db(transaction=True)

# For the other to come to where it must wait; were it late, the test would only show less.
A_MOMENT = 0.3


def while_it_is_decided(message: Message, other: Callable[[], object]) -> Future[object]:
    """`other` runs while "Send again" was done and is not committed yet."""
    started = Event()

    def run() -> object:
        try:
            started.set()
            return other()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            decisions.send_again(message, None, timezone.now())
            future = pool.submit(run)
            started.wait()
            sleep(A_MOMENT)
        future.exception(timeout=60)
    return future


@pytest.mark.parametrize("single", [True, False])
def test_one_of_two_who_decide_at_once_does_it(single: bool) -> None:
    account = make_account(make_workspace())
    make_single(account) if single else make_campaign(account.workspace, [account], 1)
    message = put_in_doubt(account, long_ago())
    other = while_it_is_decided(
        message, lambda: decisions.send_again(fresh(message), None, timezone.now())
    )
    assert isinstance(other.exception(), decisions.NotPossible)
    assert (fresh(message).state, fresh(message).times_sent_again) == (M.WAITING, 1)
    # Its mailbox is not read, so it was held at once.
    assert kinds(message) == ["in_doubt", "held", "sent_again"]


def test_a_campaign_does_not_finish_over_what_has_just_begun_to_wait() -> None:
    account = make_account(make_workspace())
    campaign = make_campaign(account.workspace, [account], 1)
    message = put_in_doubt(account, long_ago())
    finished = while_it_is_decided(message, lambda: states.finish_done(timezone.now()))
    assert finished.result() == 0
    campaign.refresh_from_db()
    assert (campaign.state, fresh(message).state) == ("sending", M.WAITING)


@pytest.mark.parametrize(
    "back",
    [
        lambda claim: outcomes.put_back(claim, M.CLAIMED, "", timezone.now()),
        lambda claim: outcomes.give_back([claim]),
    ],
)
def test_nothing_waits_in_a_campaign_that_is_cancelled_as_it_comes_back(
    back: Callable[[Claim], None],
) -> None:
    account = make_account(make_workspace())
    campaign = make_campaign(account.workspace, [account], 1)
    assert take_account(account.pk, "me", timezone.now())
    claim = claim_next(account.pk, "me", timezone.now())
    assert isinstance(claim, Claim)
    started = Event()

    def run() -> None:
        try:
            started.set()
            back(claim)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            control.cancel(campaign.pk)
            future = pool.submit(run)
            started.wait()
            sleep(A_MOMENT)
        future.result(timeout=60)
    assert Message.objects.get().state == M.CANCELLED
