"""What follows when Gmail writes, after a 250, that it did not send a message."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from accounts import generation, quota
from accounts.models import GmailAccount, LedgerRow
from campaigns import decisions, states
from campaigns.delivery import claim as claims
from campaigns.delivery import doubt, limit_notice, outcomes
from campaigns.delivery.claim import Claim
from campaigns.delivery.handing_over import commit_handing_over
from campaigns.delivery.limit_notice import Consequences, Notice
from campaigns.models import Campaign, HistoryEntry, Message
from tests.campaigns.claiming import claim_next
from tests.campaigns.making import make_account, make_campaign, make_single, make_workspace, spend

pytestmark = pytest.mark.django_db
M = Message.State
MINUTE = timedelta(minutes=1)
SAID = "You have reached a limit for sending mail. Your message was not sent."


@pytest.fixture
def account() -> GmailAccount:
    return make_account(make_workspace())


@pytest.fixture
def campaign(account: GmailAccount) -> Campaign:
    """Three messages, all sent; so it has finished."""
    campaign = make_campaign(account.workspace, [account], recipients=3)
    now = timezone.now()
    for _ in range(3):
        send(account, now)
    states.finish_done(now)
    campaign.refresh_from_db()
    assert campaign.state == Campaign.State.FINISHED
    return campaign


def send(account: GmailAccount, at: datetime) -> Message:
    claim = hand_over(account, at)
    outcomes.sent(claim, "250 2.0.0 OK", at)
    return Message.objects.get(pk=claim.message_id)


def hand_over(account: GmailAccount, at: datetime) -> Claim:
    assert claims.take_account(account.pk, "me", at)
    claim = claim_next(account.pk, "me", at)
    assert isinstance(claim, Claim), claim
    claims.release_account(account.pk, "me")
    assert commit_handing_over(claim, b"bytes", at)
    return claim


def go_on() -> None:
    """The rest is over, and so is the lower limit."""
    GmailAccount.objects.update(resting_until=None, learned_limit=None, learned_at=None)


def of(campaign: Campaign) -> list[Message]:
    return list(campaign.messages.order_by("id"))


def states_of(campaign: Campaign) -> list[str]:
    return [message.state for message in of(campaign)]


def notice(*named: Message, after: timedelta = MINUTE) -> Notice:
    ids = frozenset(message.message_id for message in named)
    return Notice(timezone.now() + after, ids, said=SAID)


def hear(account: GmailAccount, heard: Notice, after: timedelta = MINUTE) -> Consequences:
    return limit_notice.apply(account.pk, heard, heard.at + after)


def test_it_puts_back_exactly_what_the_notice_names(
    account: GmailAccount, campaign: Campaign
) -> None:
    named = of(campaign)[1]
    heard = notice(named)
    assert hear(account, heard) == Consequences(put_back=1)
    assert states_of(campaign) == [M.SENT, M.WAITING, M.SENT]
    again = of(campaign)[1]
    assert (again.message_id, again.sent_at) == (named.message_id, None)
    campaign.refresh_from_db()
    assert (campaign.state, campaign.finished_at) == ("sending", None)
    entry = again.history.get()
    assert (entry.kind, entry.detail) == (HistoryEntry.Kind.NOT_SENT, SAID)


def test_it_refunds_nothing_and_lets_the_account_rest_with_a_lower_limit(
    account: GmailAccount, campaign: Campaign
) -> None:
    spend(account, 40, timezone.now() - timedelta(hours=20))
    heard = notice(of(campaign)[0])
    hear(account, heard)
    assert set(LedgerRow.objects.values_list("state", flat=True)) == {"accepted"}
    account.refresh_from_db()
    assert (account.learned_limit, account.learned_at) == (42, heard.at)
    # 42 went through: it goes on when fewer than these count.
    assert account.resting_until is not None
    rest = account.resting_until - heard.at
    assert timedelta(hours=3, minutes=57) < rest - quota.MARGIN <= timedelta(hours=4)
    [rest_row] = account.rests.all()
    assert (rest_row.cause, rest_row.until) == ("limit", account.resting_until)
    assert "wrote by mail" in rest_row.reason


def test_it_is_harmless_when_heard_twice(account: GmailAccount, campaign: Campaign) -> None:
    heard = notice(of(campaign)[0])
    hear(account, heard)
    before = snapshot(account)
    assert hear(account, heard, 2 * MINUTE) == Consequences()
    assert snapshot(account) == before
    # And also after what it named has left again.
    go_on()
    again = send(account, heard.at + 2 * MINUTE)
    assert again.message_id in heard.message_ids
    assert hear(account, heard, 3 * MINUTE) == Consequences()
    assert states_of(campaign) == [M.SENT] * 3
    # A second notice is about the second try.
    later = Notice(heard.at + 4 * MINUTE, heard.message_ids, said=SAID)
    assert hear(account, later) == Consequences(put_back=1)


def test_in_an_older_copy_it_holds_what_it_may_have_put_back_since(
    account: GmailAccount, campaign: Campaign
) -> None:
    """The notice was heard after the backup was made, and the message has left again."""
    first, second, _ = of(campaign)
    generation.restored(timezone.now(), timezone.now())
    hear(account, notice(first))
    assert states_of(campaign) == ["in_doubt", "sent", "sent"]
    # What leaves from then on is known whole.
    later = timezone.now() + MINUTE
    Message.objects.filter(pk=second.pk).update(handed_over_at=later)
    hear(account, notice(second, after=2 * MINUTE), after=2 * MINUTE)
    assert states_of(campaign) == ["in_doubt", "waiting", "sent"]


def snapshot(account: GmailAccount) -> list[object]:
    models = (GmailAccount, Message, Campaign, HistoryEntry, LedgerRow)
    rows = [list(model.objects.order_by("pk").values()) for model in models]
    return [*rows, list(account.rests.values())]


def test_it_uses_the_limit_anew_when_it_leaves_again(
    account: GmailAccount, campaign: Campaign
) -> None:
    heard = notice(of(campaign)[0])
    hear(account, heard)
    go_on()
    at = heard.at + 2 * MINUTE
    send(account, at)
    uses = LedgerRow.objects.filter(account=account, state="accepted", at__gt=at - quota.WINDOW)
    assert uses.count() == 4


@pytest.mark.parametrize("by_recipient", [True, False])
def test_it_holds_what_the_notice_may_mean(
    account: GmailAccount, campaign: Campaign, by_recipient: bool
) -> None:
    first, second, third = of(campaign)
    now = timezone.now()
    Message.objects.filter(pk=third.pk).update(handed_over_at=now - timedelta(minutes=30))
    to = frozenset({second.to_email.upper()}) if by_recipient else frozenset[str]()
    heard = Notice(now + MINUTE, recipients=to, said=SAID)
    held = [M.SENT, M.IN_DOUBT, M.SENT] if by_recipient else [M.IN_DOUBT, M.IN_DOUBT, M.SENT]
    assert hear(account, heard) == Consequences(held=held.count(M.IN_DOUBT))
    assert states_of(campaign) == held
    doubted = of(campaign)[1]
    assert (doubted.held_why, doubted.look_again_at) == (Message.Held.LIMIT_NOTICE, None)
    assert doubted.history.get().kind == HistoryEntry.Kind.MAY_BE_NOT_SENT
    assert not Message.objects.filter(doubt.is_looked_for()).exists()
    assert hear(account, heard, 2 * MINUTE) == Consequences()
    # A person's word stands, whatever other notice without a name is read.
    decisions.it_arrived(doubted, None, now + 3 * MINUTE)
    hear(account, Notice(now + 4 * MINUTE, recipients=to, said=SAID))
    assert of(campaign)[1].state == M.SENT


def test_it_writes_what_is_sent_again_anew_since_its_bytes_are_gone(
    account: GmailAccount, campaign: Campaign
) -> None:
    heard = Notice(timezone.now() + MINUTE, said=SAID)
    hear(account, heard)
    doubted = of(campaign)[0]
    assert doubted.raw is None
    assert decisions.why_not_send_again(doubted, heard.at + MINUTE) == ""
    decisions.send_again(doubted, None, heard.at + MINUTE)
    again = of(campaign)[0]
    assert (again.state, again.message_id) == (M.WAITING, doubted.message_id)


def test_it_does_not_look_into_sent_for_what_had_a_notice(
    account: GmailAccount, campaign: Campaign
) -> None:
    """A copy lies there of the try that was not sent."""
    heard = notice(of(campaign)[0])
    hear(account, heard)
    go_on()
    at = heard.at + 2 * MINUTE
    claim = hand_over(account, at)
    outcomes.in_doubt(claim, "line lost", at)
    message = Message.objects.get(pk=claim.message_id)
    assert (message.held_why, message.held_at) == (Message.Held.LIMIT_NOTICE, at)
    assert not Message.objects.filter(doubt.is_looked_for()).exists()


def test_it_holds_what_is_in_doubt_already_and_keeps_its_bytes(account: GmailAccount) -> None:
    make_campaign(account.workspace, [account], recipients=1)
    at = timezone.now()
    claim = hand_over(account, at)
    # What is in doubt is looked for, and not held at once.
    GmailAccount.objects.update(inbound=GmailAccount.Inbound.IMAP)
    outcomes.in_doubt(claim, "line lost", at)
    message = Message.objects.get()
    assert message.held_at is None
    assert hear(account, notice(message)) == Consequences(held=1)
    message.refresh_from_db()
    assert (message.state, message.held_why) == (M.IN_DOUBT, Message.Held.LIMIT_NOTICE)
    assert (message.doubt_since, bytes(message.raw or b"")) == (at, b"bytes")


def test_it_asks_to_come_again_while_what_it_names_is_handed_over(account: GmailAccount) -> None:
    make_campaign(account.workspace, [account], recipients=1)
    at = timezone.now()
    claim = hand_over(account, at)
    heard = notice(Message.objects.get())
    assert hear(account, heard) == Consequences(come_again=True)
    outcomes.sent(claim, "250 2.0.0 OK", at)
    assert hear(account, heard, 2 * MINUTE) == Consequences(put_back=1)


def test_it_holds_what_was_sent_again_out_of_a_doubt(
    account: GmailAccount, campaign: Campaign
) -> None:
    """One of its tries was not sent; of the other nobody knows."""
    named = of(campaign)[0]
    Message.objects.filter(pk=named.pk).update(times_sent_again=1)
    assert hear(account, notice(named)) == Consequences(held=1)


def test_it_holds_a_single_mail_of_which_nothing_is_left(account: GmailAccount) -> None:
    make_single(account)
    message = send(account, timezone.now())
    heard = notice(message)
    assert hear(account, heard) == Consequences(held=1)
    message.refresh_from_db()
    assert "content is kept no more" in decisions.why_not_send_again(message, heard.at + MINUTE)


def test_it_lets_nothing_of_a_cancelled_campaign_wait(
    account: GmailAccount, campaign: Campaign
) -> None:
    Campaign.objects.update(state="cancelled")
    hear(account, notice(of(campaign)[0]))
    assert states_of(campaign) == [M.CANCELLED, M.SENT, M.SENT]


def test_it_rests_also_for_mail_that_is_not_ours_and_leaves_other_accounts_alone(
    account: GmailAccount, campaign: Campaign
) -> None:
    other = make_account(account.workspace)
    assert hear(other, notice(of(campaign)[0])) == Consequences()
    assert states_of(campaign) == [M.SENT] * 3
    other.refresh_from_db()
    assert other.resting_until is not None
    assert other.learned_limit is None, "nothing of ours was used there"


def test_it_learns_from_an_old_notice_but_rests_no_more(
    account: GmailAccount, campaign: Campaign
) -> None:
    heard = notice(of(campaign)[0])
    assert hear(account, heard, timedelta(hours=30)) == Consequences(put_back=1)
    account.refresh_from_db()
    assert account.resting_until is None
    assert (account.learned_limit, account.learned_at) == (2, heard.at)
    # What a later refusal taught is not undone.
    GmailAccount.objects.update(learned_limit=9, learned_at=heard.at + timedelta(hours=1))
    hear(account, heard, timedelta(hours=31))
    account.refresh_from_db()
    assert account.learned_limit == 9
