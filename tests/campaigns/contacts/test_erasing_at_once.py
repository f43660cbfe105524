"""Erasing somebody at the very moment at which a message to them is taken for sending."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from django.db import connection, transaction
from django.utils import timezone

from campaigns.contacts import erasing
from campaigns.delivery.claim import Claim, take_account
from campaigns.delivery.handing_over import commit_handing_over
from campaigns.models import Contact, Message
from tests.campaigns.claiming import claim_next
from tests.campaigns.making import make_account, make_campaign, make_workspace
from tests.waiting import until_somebody_waits_for_a_lock

pytestmark = pytest.mark.django_db(transaction=True)

M = Message.State


def at_the_same_time(first: Callable[[], object], second: Callable[[], object]) -> Future[object]:
    """`second` runs while `first` was done and is not committed yet."""

    def run() -> object:
        try:
            return second()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            first()
            future = pool.submit(run)
            until_somebody_waits_for_a_lock()
        future.exception(timeout=60)
    return future


def erase() -> None:
    erasing.erase(Contact.objects.get(), timezone.now(), never_again=True)


def test_what_is_being_claimed_is_seen() -> None:
    account = make_account(make_workspace())
    make_campaign(account.workspace, [account], recipients=1)
    assert take_account(account.pk, "me", timezone.now())

    erased = at_the_same_time(lambda: claim_next(account.pk, "me", timezone.now()), erase)
    assert isinstance(erased.exception(), erasing.NotNow)
    message = Message.objects.get()
    assert (message.state, message.contact) == (M.CLAIMED, Contact.objects.get())


def test_what_is_being_handed_over_is_seen() -> None:
    account = make_account(make_workspace())
    make_campaign(account.workspace, [account], recipients=1)
    assert take_account(account.pk, "me", timezone.now())
    claim = claim_next(account.pk, "me", timezone.now())
    assert isinstance(claim, Claim)

    erased = at_the_same_time(lambda: commit_handing_over(claim, b"x", timezone.now()), erase)
    assert isinstance(erased.exception(), erasing.NotNow)
    assert Message.objects.get().state == M.HANDING_OVER
    assert Contact.objects.exists()
