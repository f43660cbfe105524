"""A doubt by the clock: when Sent is asked, when it is held, and how it ends."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from accounts import ledger
from accounts.models import GmailAccount
from campaigns.delivery import doubt
from campaigns.delivery.outcomes import SESSION_LIFE
from campaigns.models import HistoryEntry, Message
from tests.campaigns.doubting import BYTES, fresh, kinds, put_in_doubt, row_of
from tests.campaigns.making import make_account, make_campaign, make_workspace

M = Message.State
pytestmark = pytest.mark.django_db


def account_read_by(inbound: str = "imap") -> GmailAccount:
    account = make_account(make_workspace(), inbound=inbound)
    make_campaign(account.workspace, [account], 3)
    return account


def is_due(message: Message, at: datetime) -> bool:
    return Message.objects.filter(doubt.is_looked_for(at), pk=message.pk).exists()


def test_it_is_looked_for_some_seconds_later() -> None:
    message = put_in_doubt(account_read_by("imap"))
    assert message.doubt_since is not None
    assert (message.held_at, message.held_why) == (None, "")
    assert not is_due(message, message.doubt_since)
    assert is_due(message, message.doubt_since + doubt.FIRST_LOOK)
    assert kinds(message) == ["in_doubt"]
    assert HistoryEntry.objects.get().detail == "line lost"


@pytest.mark.parametrize("inbound", ["pop", "none"])
def test_it_is_held_at_once_where_sent_cannot_be_read(inbound: str) -> None:
    account = account_read_by(inbound)
    message = put_in_doubt(account)
    assert message.held_at == message.doubt_since
    assert message.held_why == "not_read"
    assert kinds(message) == ["in_doubt", "held"]
    assert not is_due(message, timezone.now() + timedelta(days=1))
    GmailAccount.objects.update(inbound="imap")
    assert is_due(message, timezone.now()), "as soon as it can be read"


def test_it_asks_at_growing_distances_and_holds_it_after_fifteen_minutes() -> None:
    message = put_in_doubt(account_read_by())
    began = message.doubt_since
    assert began is not None
    looks = []
    while fresh(message).held_at is None:
        at = fresh(message).look_again_at
        assert at is not None
        looks.append(at - began)
        doubt.not_found(fresh(message), at)
    gaps = [later - earlier for earlier, later in zip(looks, looks[1:], strict=False)]
    assert looks[-1] == timedelta(minutes=15), "absence means something only then"
    assert gaps[:-1] == sorted(gaps[:-1])
    assert 6 <= len(looks) <= 12
    held = fresh(message)
    assert (held.state, held.held_why) == (M.IN_DOUBT, "not_found")
    assert bytes(held.raw or b"") == BYTES
    assert kinds(message) == ["in_doubt", *["not_found"] * len(looks), "held"]


def test_it_looks_once_more_when_nothing_can_arrive_any_more() -> None:
    message = put_in_doubt(account_read_by())
    assert message.doubt_since is not None
    doubt.not_found(message, message.doubt_since + doubt.PATIENCE)
    over_at = message.doubt_since + SESSION_LIFE
    assert fresh(message).look_again_at == row_of(message).at == over_at
    doubt.not_found(fresh(message), over_at)
    assert fresh(message).look_again_at is None
    assert kinds(message).count("held") == 1


def test_it_holds_what_came_into_doubt_while_the_machine_was_off() -> None:
    message = put_in_doubt(account_read_by(), timezone.now() - timedelta(days=1))
    doubt.not_found(message, timezone.now())
    assert fresh(message).held_why == "not_found"
    assert fresh(message).look_again_at is None


def test_a_mailbox_that_cannot_be_read_is_no_answer_for_an_hour() -> None:
    message = put_in_doubt(account_read_by())
    began = message.doubt_since
    assert began is not None
    doubt.not_readable(message, "Gmail is away.", began + timedelta(minutes=59))
    waiting = fresh(message)
    assert (waiting.held_at, waiting.look_again_at) == (None, began + timedelta(minutes=64))
    doubt.not_readable(waiting, "Gmail is away.", began + timedelta(minutes=64))
    held = fresh(message)
    assert (held.held_at, held.held_why) == (began + timedelta(minutes=64), "unreadable")
    assert held.look_again_at == began + timedelta(minutes=124), "it goes on being asked"
    entry = HistoryEntry.objects.get(kind="held")
    assert entry.detail == "Gmail is away."
    # Readable at last: now the absence counts.
    doubt.not_found(held, began + timedelta(minutes=124))
    assert fresh(message).held_why == "not_found"
    assert fresh(message).held_at == held.held_at


def test_it_is_not_held_any_more_when_reading_is_switched_to_imap_in_time() -> None:
    account = account_read_by("pop")
    message = put_in_doubt(account)
    assert message.doubt_since is not None
    doubt.not_found(message, message.doubt_since + timedelta(minutes=2))
    again = fresh(message)
    assert (again.held_at, again.held_why) == (None, "")
    assert again.look_again_at == message.doubt_since + timedelta(minutes=4)


def test_found_is_sent_and_its_use_of_the_limit_counts_as_before() -> None:
    account = account_read_by()
    message = put_in_doubt(account)
    counted_from = row_of(message).at
    assert doubt.found(message, timezone.now())
    sent = fresh(message)
    assert (sent.state, sent.raw, sent.reply) == (M.SENT, None, "")
    assert sent.sent_at == sent.handed_over_at
    assert (sent.doubt_since, sent.look_again_at, sent.held_at) == (None, None, None)
    assert (row_of(sent).state, row_of(sent).at) == ("accepted", counted_from)
    assert row_of(sent) in ledger.counting()
    assert kinds(message) == ["in_doubt", "found"]
    assert not doubt.found(message, timezone.now())
    assert not doubt.arrived(message, None, timezone.now())


def test_a_look_that_comes_late_changes_nothing() -> None:
    """While it looked, a person decided; and then it came into doubt once more."""
    account = account_read_by()
    looking_for = put_in_doubt(account)
    assert doubt.arrived(looking_for, None, timezone.now())
    before = Message.objects.values().get(pk=looking_for.pk)
    doubt.not_found(looking_for, timezone.now() + timedelta(hours=1))
    doubt.not_readable(looking_for, "away", timezone.now() + timedelta(hours=1))
    assert Message.objects.values().get(pk=looking_for.pk) == before
    second = put_in_doubt(account)
    Message.objects.filter(pk=looking_for.pk).update(state=M.IN_DOUBT, ledger_row=None)
    assert not doubt.found(looking_for, timezone.now())
    assert fresh(second).state == M.IN_DOUBT
    assert kinds(looking_for) == ["in_doubt", "arrived"]


def test_a_look_changes_nothing_once_a_limit_notice_has_come() -> None:
    """The copy lies in Sent all the same."""
    looking_for = put_in_doubt(account_read_by())
    now = timezone.now()
    rows = Message.objects.filter(pk=looking_for.pk)
    rows.update(noticed_at=now, **doubt.held_by_notice(now))
    before = rows.values().get()
    assert not doubt.found(looking_for, now)
    doubt.not_found(looking_for, now + timedelta(hours=1))
    doubt.not_readable(looking_for, "away", now + timedelta(hours=1))
    assert rows.values().get() == before
    assert kinds(looking_for) == ["in_doubt"]
    assert not is_due(looking_for, now + timedelta(days=1))
    assert doubt.arrived(looking_for, None, now), "a person may know"
