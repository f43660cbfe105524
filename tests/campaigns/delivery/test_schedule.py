"""The line in which accounts wait for their turn, and how long a turn lasts."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import GmailAccount
from campaigns import control, tasks
from campaigns.delivery import claim as claims
from campaigns.delivery import schedule, sender
from campaigns.delivery.claim import Claim, first_of, take_account
from campaigns.delivery.sender import LOOK_AGAIN, Tally
from campaigns.models import Campaign, Message, Suppression
from gmail.replies import Reply
from tests.campaigns.claiming import claim_next
from tests.campaigns.making import make_account, make_campaign, make_single, make_workspace, spend

SECONDS = 20


class Mailbox:
    """In the place of the line to Gmail: takes everything, and knows in which order."""

    served: list[str] = []

    def __init__(self, account: GmailAccount) -> None:
        self.address = account.address
        self.may_replace = False

    def give(self, sender: str, recipient: str, raw: bytes) -> None: ...

    def finish(self) -> Reply:
        self.served.append(self.address)
        return Reply(250, "OK", "2.0.0")

    def close(self) -> None: ...

    def drop(self) -> None: ...


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setattr(sender, "Line", Mailbox)
    monkeypatch.setattr(Mailbox, "served", [])
    return Mailbox.served


def make_due(recipients: int = 1, **fields: object) -> GmailAccount:
    account = make_account(make_workspace(), **fields)
    make_campaign(account.workspace, [account], recipients=recipients)
    return account


def in_line() -> list[int]:
    return list(schedule.line(timezone.now()).values_list("pk", flat=True))


@pytest.mark.django_db
def test_it_serves_first_who_has_waited_longest() -> None:
    now = timezone.now()
    late, early, never = (
        make_due(next_turn_at=at)
        for at in (now - timedelta(seconds=1), now - timedelta(hours=1), None)
    )
    make_due(next_turn_at=now + timedelta(minutes=1))
    assert in_line() == [never.pk, early.pk, late.pk]


@pytest.mark.django_db
def test_it_lets_everybody_have_a_turn_before_anybody_has_another(served: list[str]) -> None:
    accounts = [make_due(recipients=3 * schedule.TURN) for _ in range(3)]
    for _ in range(6):
        assert schedule.send_next() == Tally(sent=schedule.TURN)
    turns = served[:: schedule.TURN]
    assert turns == [account.address for account in accounts] * 2


@pytest.mark.django_db
def test_it_goes_on_over_the_same_session_while_nobody_waits(served: list[str]) -> None:
    make_due(recipients=3 * schedule.TURN)
    assert schedule.send_next() == Tally(sent=3 * schedule.TURN)
    assert schedule.send_next() == Tally()


@pytest.mark.django_db
def test_it_ends_every_turn_at_last(served: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedule, "LONGEST_TURN", 5)
    make_due(recipients=6)
    assert schedule.send_next() == Tally(sent=5)
    assert schedule.send_next() == Tally(sent=1)


@pytest.mark.django_db
def test_it_does_not_look_in_vain_at_each_tick(served: list[str]) -> None:
    account = make_due(limit=1)
    spend(account, 1)
    assert schedule.send_next() == Tally()
    assert in_line() == []
    assert schedule.due_accounts(timezone.now()) == [account.pk]
    later = timezone.now() + LOOK_AGAIN
    assert schedule.line(later).get() == account


@pytest.mark.django_db
def test_it_looks_at_once_when_something_new_may_leave(served: list[str]) -> None:
    account = make_due(limit=2)
    campaign = Campaign.objects.get()
    GmailAccount.objects.update(next_turn_at=timezone.now() + LOOK_AGAIN)
    assert in_line() == []
    control.pause(campaign.pk)
    control.resume(campaign.pk)
    assert in_line() == [account.pk]


@pytest.mark.django_db
def test_it_does_not_let_a_mail_that_may_not_leave_stand_in_the_way(served: list[str]) -> None:
    full, free = make_due(limit=1), make_due()
    spend(full, 1)
    make_single(full)
    assert schedule.send_next() == Tally(sent=1)
    assert served == [free.address]


@pytest.mark.django_db
def test_it_looks_at_so_many_in_vain_and_leaves_the_rest_to_the_next(
    served: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule, "MOST_LOOKS", 2)
    for full in [make_due(limit=1) for _ in range(3)]:
        spend(full, 1)
    free = make_due()
    assert schedule.send_next() == Tally()
    assert schedule.send_next() == Tally(sent=1)
    assert served == [free.address]


@pytest.mark.django_db
def test_who_has_had_a_turn_wakes_the_next(
    served: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    woken: list[float] = []
    monkeypatch.setattr(tasks.deliver_next, "apply_async", lambda *, expires: woken.append(expires))
    make_due(recipients=1)
    tasks.deliver_next()
    assert woken == [tasks.TICK_SECONDS]
    tasks.deliver_next()
    assert len(served) == len(woken) == 1
    # A turn in which everybody had opted out is one as well.
    account = make_due(recipients=1)
    opted_out = Message.objects.get(workspace=account.workspace).to_email
    Suppression.objects.create(workspace=account.workspace, email_key=opted_out)
    tasks.deliver_next()
    assert (len(served), len(woken)) == (1, 2)


@pytest.mark.django_db(transaction=True)
def test_it_gives_workers_that_take_at_once_an_account_each() -> None:
    accounts = [make_due() for _ in range(2)]
    now = timezone.now()

    def take(holder: str) -> None:
        taken.append(take_first(holder))
        connection.close()

    def take_first(holder: str) -> int | None:
        with transaction.atomic():
            first = first_of(schedule.line(now))
            return first.pk if first and take_account(first.pk, holder, now) else None

    taken: list[int | None] = []
    with transaction.atomic():
        # One worker is in the middle of taking the first.
        held = schedule.line(now).select_for_update(of=("self",)).first()
        other = threading.Thread(target=take, args=("other",))
        other.start()
        if connection.vendor == "postgresql":
            other.join(SECONDS)
            assert taken == [accounts[1].pk], "waits for nobody"
    other.join(SECONDS)
    assert held == accounts[0]
    assert len(taken) == 1
    assert take_first("third") not in taken


@pytest.mark.django_db(transaction=True)
def test_it_claims_through_two_accounts_of_a_campaign_side_by_side() -> None:
    first = make_account(make_workspace())
    second = make_account(first.workspace)
    make_campaign(first.workspace, [first, second], recipients=2)
    now = timezone.now()
    for account in (first, second):
        assert claims.take_account(account.pk, "me", now)
    claimed: list[object] = []

    def claim() -> None:
        claimed.append(claim_next(second.pk, "me", now))
        connection.close()

    other = threading.Thread(target=claim)
    with transaction.atomic():
        mine = claim_next(first.pk, "me", now)
        other.start()
        if connection.vendor == "postgresql":
            other.join(SECONDS)
            assert claimed, "it waits for nobody"
    other.join(SECONDS)
    assert isinstance(mine, Claim)
    (theirs,) = claimed
    assert isinstance(theirs, Claim)
    assert theirs.message_id != mine.message_id
    assert Message.objects.filter(state=Message.State.CLAIMED).count() == 2
