"""What a person may do with a message in doubt or refused, and when not."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts import halts, ledger, quota
from accounts.models import GmailAccount, Halt, LedgerRow, User
from campaigns import control, decisions
from campaigns.delivery import claim as claims
from campaigns.delivery import outcomes, recovery
from campaigns.delivery.claim import Claim
from campaigns.delivery.compose import Composer, NotWritable
from campaigns.delivery.handing_over import commit_handing_over
from campaigns.models import Campaign, Contact, HistoryEntry, Message
from gmail.replies import Phase, Reply
from tests.campaigns.claiming import claim_next
from tests.campaigns.doubting import BYTES, fresh, kinds, long_ago, put_in_doubt, row_of
from tests.campaigns.making import make_account, make_campaign, make_single, make_workspace

M = Message.State
pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> GmailAccount:
    return make_account(make_workspace(), inbound=GmailAccount.Inbound.IMAP)


@pytest.fixture
def campaign(account: GmailAccount) -> Campaign:
    return make_campaign(account.workspace, [account], recipients=1)


@pytest.fixture
def doubted(account: GmailAccount, campaign: Campaign) -> Message:
    """In doubt so long that it may be sent again; its campaign has finished over it."""
    message = put_in_doubt(account, long_ago())
    recovery.recover(timezone.now())
    campaign.refresh_from_db()
    assert campaign.state == "finished"
    return message


@pytest.fixture
def person() -> User:
    return User.objects.create_user("ana@example.org", "a river under 7 bridges")


def claimed_again(account: GmailAccount) -> Claim:
    now = timezone.now()
    assert claims.take_account(account.pk, "me", now)
    claim = claim_next(account.pk, "me", now)
    assert isinstance(claim, Claim)
    return claim


def test_it_is_sent_when_a_person_says_that_it_arrived(doubted: Message, person: User) -> None:
    decisions.it_arrived(doubted, person, timezone.now())
    message = fresh(doubted)
    assert (message.state, message.raw, message.look_again_at) == (M.SENT, None, None)
    assert message.sent_at == message.handed_over_at
    assert row_of(message).state == "accepted"
    entry = HistoryEntry.objects.get(kind="arrived")
    assert (entry.message_id, entry.by) == (message.pk, person)


def test_it_waits_again_when_a_person_sends_it_again(
    doubted: Message, campaign: Campaign, person: User
) -> None:
    now = timezone.now()
    decisions.send_again(doubted, person, now)
    message = fresh(doubted)
    assert (message.state, message.times_sent_again, message.attempts) == (M.WAITING, 1, 0)
    assert message.message_id == doubted.message_id
    assert bytes(message.raw or b"") == BYTES
    assert (message.doubt_since, message.look_again_at, message.held_at) == (None, None, None)
    assert HistoryEntry.objects.get(kind="sent_again").by == person
    campaign.refresh_from_db()
    assert (campaign.state, campaign.finished_at) == ("sending", None)


def test_both_tries_count_against_the_limit(account: GmailAccount, doubted: Message) -> None:
    first = row_of(doubted)
    decisions.send_again(doubted, None, timezone.now())
    claim = claimed_again(account)
    assert claim.message_id == doubted.pk
    assert claim.ledger_row_id != first.pk
    now = timezone.now()
    assert quota.used(ledger.window(account, now), now) == 2
    assert commit_handing_over(claim, BYTES, now)
    outcomes.sent(claim, "250 2.0.0 OK", now)
    first.refresh_from_db()
    assert (first.state, row_of(doubted).state) == ("unknown", "accepted")
    assert quota.used(ledger.window(account, now), now) == 2


def test_it_is_not_sent_again_while_the_old_session_may_live(
    account: GmailAccount, campaign: Campaign
) -> None:
    message = put_in_doubt(account)
    over_at = row_of(message).at
    assert over_at is not None
    for moment in (timezone.now(), over_at - timedelta(seconds=1)):
        with pytest.raises(decisions.NotPossible, match="Not yet"):
            decisions.send_again(message, None, moment)
    assert fresh(message).state == M.IN_DOUBT
    decisions.send_again(message, None, over_at)
    assert fresh(message).state == M.WAITING


def test_it_is_not_sent_again_by_a_clock_that_is_not_sure(
    account: GmailAccount, doubted: Message
) -> None:
    halts.begin([account], Halt.Cause.CLOCK, "It jumped.", timezone.now())
    with pytest.raises(decisions.NotPossible, match="clock"):
        decisions.send_again(doubted, None, timezone.now())
    halts.end([account], Halt.Cause.CLOCK, timezone.now())
    decisions.send_again(doubted, None, timezone.now())


def test_the_second_of_two_people_is_told(doubted: Message, person: User) -> None:
    decisions.send_again(doubted, person, timezone.now())
    for decide in (decisions.send_again, decisions.it_arrived, decisions.try_again):
        with pytest.raises(decisions.NotPossible, match="The message is waiting by now."):
            decide(doubted, None, timezone.now())
    assert fresh(doubted).times_sent_again == 1
    assert kinds(doubted) == ["in_doubt", "sent_again"]


def test_nothing_of_a_cancelled_campaign_is_sent_again(
    account: GmailAccount, campaign: Campaign
) -> None:
    message = put_in_doubt(account, long_ago())
    control.cancel(campaign.pk)
    with pytest.raises(decisions.NotPossible, match="cancelled"):
        decisions.send_again(message, None, timezone.now())
    Message.objects.update(state=M.REFUSED)
    with pytest.raises(decisions.NotPossible, match="cancelled"):
        decisions.try_again(message, None, timezone.now())
    Message.objects.update(state=M.IN_DOUBT)
    decisions.it_arrived(message, None, timezone.now())
    campaign.refresh_from_db()
    assert campaign.state == "cancelled"


def test_it_waits_in_a_paused_campaign(account: GmailAccount) -> None:
    campaign = make_campaign(account.workspace, [account], recipients=2)
    message = put_in_doubt(account, long_ago())
    control.pause(campaign.pk)
    decisions.send_again(message, None, timezone.now())
    campaign.refresh_from_db()
    assert campaign.state == "paused"
    now = timezone.now()
    assert claims.take_account(account.pk, "me", now)
    assert not isinstance(claim_next(account.pk, "me", now), Claim)


def test_a_cancel_forgets_the_bytes_of_what_waits_again(
    doubted: Message, campaign: Campaign
) -> None:
    decisions.send_again(doubted, None, timezone.now())
    control.cancel(campaign.pk)
    assert (fresh(doubted).state, fresh(doubted).raw) == (M.CANCELLED, None)


# --- The very same bytes ---------------------------------------------------------------------


def composed(account: GmailAccount) -> bytes:
    message = Message.objects.select_related("contact", "workspace").get()
    return Composer(account).compose(message, timezone.now())


def test_it_is_never_rendered_again(account: GmailAccount, doubted: Message) -> None:
    decisions.send_again(doubted, None, timezone.now())
    Contact.objects.update(first_name="Changed")
    assert composed(account) == BYTES


@pytest.mark.parametrize("how", ["put back", "put off", "claim ran out", "at the dot", "refused"])
def test_its_bytes_outlive_a_second_try_that_was_not_accepted(
    account: GmailAccount, doubted: Message, how: str
) -> None:
    decisions.send_again(doubted, None, timezone.now())
    claim = claimed_again(account)
    now = timezone.now()
    if how == "put back":
        outcomes.put_back(claim, M.CLAIMED, "", now)
    elif how == "put off":
        outcomes.not_accepted(
            claim, M.CLAIMED, Reply(421, "Later.", "4.7.28"), Phase.DATA, timezone.now()
        )
    elif how == "claim ran out":
        recovery.recover(claim.until)
    elif how == "at the dot":
        assert commit_handing_over(claim, BYTES, now)
        outcomes.put_back(claim, M.HANDING_OVER, "", now)
    else:
        outcomes.refused(claim, M.CLAIMED, "550 5.1.1 No such user")
        decisions.try_again(doubted, None, now)
    assert fresh(doubted).state == M.WAITING
    assert composed(account) == BYTES
    row = LedgerRow.objects.get(pk=claim.ledger_row_id)
    assert row.state == "void"


def test_a_second_doubt_is_a_doubt_of_its_own(account: GmailAccount, doubted: Message) -> None:
    first = row_of(doubted)
    decisions.send_again(doubted, None, timezone.now())
    again = put_in_doubt(account)
    assert again.pk == doubted.pk
    assert again.ledger_row_id != first.pk
    assert again.doubt_since is not None
    assert again.doubt_since > long_ago()
    with pytest.raises(decisions.NotPossible, match="Not yet"):
        decisions.send_again(again, None, timezone.now())
    assert kinds(again) == ["in_doubt", "sent_again", "in_doubt"]


def test_a_deleted_contact_is_not_written_to_again(account: GmailAccount, doubted: Message) -> None:
    decisions.send_again(doubted, None, timezone.now())
    Contact.objects.all().delete()
    with pytest.raises(NotWritable):
        composed(account)


# --- Refused ---------------------------------------------------------------------------------


def test_it_is_tried_again_after_a_refusal(
    account: GmailAccount, campaign: Campaign, person: User
) -> None:
    claim = claimed_again(account)
    outcomes.refused(claim, M.CLAIMED, "550 5.1.1 No such user")
    recovery.recover(timezone.now())
    message = fresh(claim.message_id)
    decisions.try_again(message, person, timezone.now())
    again = fresh(message)
    assert (again.state, again.reply, again.attempts) == (M.WAITING, "", 0)
    entry = HistoryEntry.objects.get(kind="tried_again")
    assert (entry.by, entry.detail) == (person, "550 5.1.1 No such user")
    campaign.refresh_from_db()
    assert campaign.state == "sending"
    with pytest.raises(decisions.NotPossible, match="waiting by now"):
        decisions.try_again(message, person, timezone.now())


def test_a_single_mail_is_tried_again_only_with_its_bytes(account: GmailAccount) -> None:
    single = make_single(account)
    Message.objects.update(state=M.REFUSED, raw=None)
    with pytest.raises(decisions.NotPossible, match="kept no more"):
        decisions.try_again(single, None, timezone.now())
    Message.objects.update(raw=BYTES)
    decisions.try_again(single, None, timezone.now())
    assert composed(account) == BYTES
    Message.objects.update(raw=None)
    with pytest.raises(NotWritable):
        composed(account)


def test_a_single_mail_is_sent_again(account: GmailAccount) -> None:
    single = make_single(account)
    doubted = put_in_doubt(account, long_ago(), raw=bytes(single.raw or b""))
    decisions.send_again(doubted, None, timezone.now())
    assert claimed_again(account).message_id == single.pk
    assert composed(account) == bytes(single.raw or b"")
