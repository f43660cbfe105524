"""Leaving at any moment up to the handing over: two threads, each with a connection of its own.

What counts is who commits first. Whoever left before the last look is not written to; whoever
leaves while it is being committed waits for it, and is told so after the message was on its way.
"""

import random
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event

import pytest
from django.db import connection, transaction
from django.utils import timezone

from accounts import generation
from accounts.models import GmailAccount
from campaigns.delivery.sender import Tally, send_due
from campaigns.list_choice import choose
from campaigns.models import Campaign, Message
from campaigns.opting_out import How, opt_out
from tests.campaigns.delivery.midway import after_the_body
from tests.campaigns.delivery.test_sender import accepted
from tests.campaigns.making import make_campaign
from tests.campaigns.public.recipients import leave_path, preferences_path, stranger
from tests.practice_gmail import PracticeGmail
from tests.waiting import until_somebody_waits_for_a_lock

M = Message.State
SECONDS = 60

pytestmark = pytest.mark.django_db(transaction=True)

Leave = Callable[[Message], object]


def by_page(message: Message) -> None:
    assert stranger().post(leave_path(message)).status_code == 200


def by_list(message: Message) -> None:
    response = stranger().post(preferences_path(message), {"choice": "lists"})
    assert response.status_code == 200


either_way = pytest.mark.parametrize("leave", [by_page, by_list])


def in_a_thread(pool: ThreadPoolExecutor, act: Callable[[], object]) -> Future[object]:
    def run() -> object:
        try:
            return act()
        finally:
            connection.close()

    return pool.submit(run)


@pytest.fixture
def message(account: GmailAccount) -> Message:
    campaign = make_campaign(account.workspace, [account], recipients=1)
    related = Message.objects.select_related("contact", "workspace", "campaign")
    return related.get(campaign=campaign)


@either_way
def test_it_waits_for_a_handing_over_that_has_looked(
    account: GmailAccount, message: Message, leave: Leave, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or PostgreSQL would let it be committed first, and the message leave all the same."""
    looked, go, number = Event(), Event(), generation.next_number

    def slow() -> int:
        looked.set()
        assert go.wait(SECONDS)
        return number()

    monkeypatch.setattr(generation, "next_number", slow)
    with ThreadPoolExecutor(2) as pool:
        sender = in_a_thread(pool, lambda: send_due(account.pk))
        try:
            assert looked.wait(SECONDS)
            leaver = in_a_thread(pool, lambda: leave(message))
            until_somebody_waits_for_a_lock()
            assert not leaver.done()
        finally:
            go.set()
        assert sender.result(SECONDS) == Tally(sent=1)
        leaver.result(SECONDS)


@pytest.mark.parametrize(
    "leave",
    [
        lambda message: opt_out(message, timezone.now(), How.PAGE),
        lambda message: choose(message, [], timezone.now()),
    ],
)
def test_it_is_seen_by_a_last_look_that_comes_while_it_is_committed(
    gmail: PracticeGmail,
    account: GmailAccount,
    message: Message,
    leave: Leave,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    written, go = Event(), Event()

    def slowly() -> None:
        with transaction.atomic():
            leave(message)
            written.set()
            assert go.wait(SECONDS)

    with ThreadPoolExecutor(2) as pool:
        leavers: list[Future[object]] = []

        def begin() -> None:
            leavers.append(in_a_thread(pool, slowly))
            assert written.wait(SECONDS)

        after_the_body(monkeypatch, begin)
        sender = in_a_thread(pool, lambda: send_due(account.pk))
        try:
            assert written.wait(SECONDS)
            until_somebody_waits_for_a_lock()
            assert not sender.done()
        finally:
            go.set()
        assert sender.result(SECONDS) == Tally(skipped=1)
        leavers[0].result(SECONDS)
    assert message.campaign is not None
    assert accepted(gmail, message.campaign) == []


def test_it_counts_whenever_it_comes(gmail: PracticeGmail, account: GmailAccount) -> None:
    """Many leave in another order than they are written to, in either way."""
    campaign = make_campaign(account.workspace, [account], recipients=24)
    messages = list(campaign.messages.select_related("contact", "workspace", "campaign"))
    in_time = set()

    def leave_all() -> None:
        for message in random.sample(messages, len(messages) // 2):
            (by_page if message.pk % 2 else by_list)(message)
            message.refresh_from_db(fields=["state"])
            if message.state not in (M.HANDING_OVER, M.SENT):
                in_time.add(message.to_email)

    with ThreadPoolExecutor(2) as pool:
        sender = in_a_thread(pool, lambda: send_due(account.pk))
        in_a_thread(pool, leave_all).result(SECONDS)
        sender.result(SECONDS)
    for _ in messages:
        # Each that is stopped before the dot costs a session, and after some the account rests.
        GmailAccount.objects.update(resting_until=None)
        send_due(account.pk)
    assert in_time.isdisjoint(accepted(gmail, campaign))
    assert not _unsettled(campaign)


def _unsettled(campaign: Campaign) -> bool:
    return campaign.messages.exclude(state__in=[M.SENT, M.SKIPPED]).exists()
