"""What each of Gmail's answers does to the message, the ledger, the account and the campaign."""

from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts import ledger, quota
from accounts.models import GmailAccount, LedgerRow
from campaigns import control
from campaigns.delivery import claim as claims
from campaigns.delivery import outcomes, read_sent
from campaigns.delivery.claim import Claim
from campaigns.delivery.handing_over import commit_handing_over
from campaigns.models import Campaign, Message
from campaigns.planning.sharing import Reason, Turn
from gmail.replies import Phase, Reply, parse_reply
from tests.campaigns.claiming import claim_next
from tests.campaigns.making import (
    make_account,
    make_campaign,
    make_single,
    make_workspace,
    spend,
)

M = Message.State
pytestmark = pytest.mark.django_db

LIMIT = Reply(550, "Daily user sending limit exceeded.", "5.4.5")


@dataclass
class Sending:
    """One claimed message and everything it touches, read afresh."""

    claim: Claim

    @property
    def message(self) -> Message:
        return Message.objects.get(pk=self.claim.message_id)

    @property
    def row(self) -> LedgerRow:
        return LedgerRow.objects.get(pk=self.claim.ledger_row_id)

    @property
    def account(self) -> GmailAccount:
        return GmailAccount.objects.get(pk=self.claim.account_id)

    @property
    def campaign(self) -> Campaign:
        campaign = self.message.campaign
        assert campaign is not None
        return campaign

    def hear(self, reply: Reply, phase: Phase) -> None:
        source = M.HANDING_OVER if phase is Phase.DOT else M.CLAIMED
        outcomes.not_accepted(self.claim, source, reply, phase, timezone.now())


def claim_from(account: GmailAccount) -> Sending:
    assert claims.take_account(account.pk, "me", timezone.now())
    claim = claim_next(account.pk, "me", timezone.now())
    assert isinstance(claim, Claim)
    return Sending(claim)


@pytest.fixture
def sending() -> Sending:
    account = make_account(make_workspace())
    make_campaign(account.workspace, [account])
    return claim_from(account)


@pytest.fixture
def handed_over(sending: Sending) -> Sending:
    assert commit_handing_over(sending.claim, b"bytes", timezone.now())
    return sending


def test_it_is_sent_on_a_250(handed_over: Sending) -> None:
    now = timezone.now()
    outcomes.sent(handed_over.claim, "250 2.0.0 OK", now)
    message, row = handed_over.message, handed_over.row
    assert (message.state, message.sent_at, message.reply) == (M.SENT, now, "250 2.0.0 OK")
    assert message.raw is None
    assert (row.state, row.at) == ("accepted", now)


def test_it_takes_a_250_whatever_the_server_adds_to_it(handed_over: Sending) -> None:
    """PostgreSQL takes no NUL in a text: an accepted message would end in doubt."""
    said = parse_reply(250, b"2.0.0 O\x00K \xff" + b" 1732000000" * 10_000)
    outcomes.sent(handed_over.claim, str(said), timezone.now())
    assert handed_over.message.state == M.SENT
    assert handed_over.message.reply.startswith("250 2.0.0 O K \ufffd 1732000000")


def test_it_settles_a_use_only_once(handed_over: Sending) -> None:
    now = timezone.now()
    outcomes.sent(handed_over.claim, "250", now)
    with pytest.raises(claims.LeaseLost):
        outcomes.in_doubt(handed_over.claim, "", now)
    with pytest.raises(ledger.AlreadySettled):
        ledger.void(handed_over.claim.ledger_row_id)
    assert handed_over.row.state == "accepted"


def test_it_is_in_doubt_when_the_answer_is_lost(handed_over: Sending) -> None:
    now = timezone.now()
    outcomes.in_doubt(handed_over.claim, "line lost", now)
    assert handed_over.message.state == M.IN_DOUBT
    assert bytes(handed_over.message.raw or b"") == b"bytes"
    assert handed_over.row.state == "unknown"
    assert handed_over.row.at == now + outcomes.SESSION_LIFE


def test_it_refuses_one_recipient_and_blames_nobody_else(sending: Sending) -> None:
    sending.hear(Reply(550, "The email account does not exist.", "5.1.1"), Phase.RCPT)
    assert sending.message.state == M.REFUSED
    assert "5.1.1" in sending.message.reply
    assert sending.row.state == "void"
    assert sending.account.resting_until is None
    assert sending.campaign.state == "sending"


@pytest.mark.parametrize("phase", [Phase.DATA, Phase.DOT])
def test_it_puts_back_and_rests_at_gmails_limit(handed_over: Sending, phase: Phase) -> None:
    if phase is Phase.DATA:
        Message.objects.filter(pk=handed_over.claim.message_id).update(state=M.CLAIMED)
    spend(handed_over.account, 40, timezone.now() - timedelta(hours=20))
    handed_over.hear(LIMIT, phase)
    assert handed_over.message.state == M.WAITING
    assert handed_over.row.state == "void"
    account = handed_over.account
    assert account.learned_limit == 40
    assert account.resting_until is not None
    rest = account.resting_until - timezone.now() - quota.MARGIN
    assert timedelta(hours=3, minutes=59) < rest < timedelta(hours=4, minutes=1)
    # When the rest is over, no more than Gmail allowed is tried again.
    claims.release_account(account.pk, "me")
    later = account.resting_until - timedelta(seconds=2)
    assert claims.take_account(account.pk, "me", later)
    turn = claim_next(account.pk, "me", later)
    assert isinstance(turn, Turn)


def test_it_waits_and_rests_though_reading_sent_ends_at_an_error_of_our_own(
    handed_over: Sending, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Gmail said no: whatever goes wrong after that, there is no doubt."""

    def broken(*args: object) -> int:
        raise RuntimeError("nobody foresaw this")

    monkeypatch.setattr(read_sent.by_hand, "read", broken)
    with pytest.raises(RuntimeError):
        handed_over.hear(LIMIT, Phase.DOT)
    assert (handed_over.message.state, handed_over.row.state) == (M.WAITING, "void")
    assert handed_over.account.resting_until is not None


def test_it_rests_a_day_when_gmail_refuses_what_the_ledger_cannot_explain(
    sending: Sending,
) -> None:
    sending.hear(LIMIT, Phase.DATA)
    account = sending.account
    assert account.resting_until is not None
    rest = account.resting_until - timezone.now()
    assert timedelta(hours=23, minutes=59) < rest <= timedelta(hours=24)
    assert account.learned_limit is None


@pytest.mark.parametrize(
    ("reply", "phase"),
    [
        (Reply(421, "Temporary System Problem. Try again later.", "4.3.0"), Phase.MAIL),
        (Reply(421, "Try again later.", "4.7.0"), Phase.RCPT),
        (Reply(421, "Unusual rate of mail.", "4.7.28"), Phase.DATA),
        (Reply(451, "Timeout - closing connection", "4.4.2"), Phase.MAIL),
    ],
)
def test_it_backs_off_longer_each_time(sending: Sending, reply: Reply, phase: Phase) -> None:
    sending.hear(reply, phase)
    assert sending.message.state == M.WAITING
    first = sending.account
    assert first.resting_until is not None
    assert first.resting_until - timezone.now() <= timedelta(minutes=1)
    assert reply.text in first.resting_reason
    GmailAccount.objects.filter(pk=first.pk).update(resting_until=None, burst_until=None)
    again = claim_from(first)
    again.hear(reply, phase)
    second = again.account.resting_until
    assert second is not None
    assert timedelta(minutes=1) < second - timezone.now() <= timedelta(minutes=2)


def test_it_tries_one_recipient_later_and_lets_the_others_go(sending: Sending) -> None:
    sending.hear(Reply(450, "The user you are trying to contact is busy.", "4.2.1"), Phase.RCPT)
    assert sending.message.state == M.WAITING
    assert sending.message.not_before > timezone.now() + timedelta(minutes=14)
    assert sending.account.resting_until is None
    other = claim_next(sending.claim.account_id, "me", timezone.now())
    assert isinstance(other, Claim)
    assert other.message_id != sending.claim.message_id


@pytest.mark.parametrize(
    "reply", [Reply(450, "Mailbox busy.", "4.2.1"), Reply(451, "Try later.", "4.3.0")]
)
def test_it_gives_a_message_up_after_twelve_tries(sending: Sending, reply: Reply) -> None:
    message = Message.objects.filter(pk=sending.claim.message_id)
    message.update(attempts=10)
    sending.hear(reply, Phase.RCPT)
    assert (sending.message.state, sending.message.attempts) == (M.WAITING, 11)
    message.update(not_before=timezone.now() - timedelta(days=1))
    GmailAccount.objects.update(resting_until=None, burst_until=None)
    last = claim_from(sending.account)
    last.hear(reply, Phase.RCPT)
    assert last.message.state == M.REFUSED
    assert last.message.reply == f"Tried 12 times. {reply}"
    assert last.row.state == "void"
    assert last.campaign.state == "sending"


@pytest.mark.parametrize("phase", [Phase.MAIL, Phase.RCPT, Phase.DATA, Phase.BODY, Phase.DOT])
def test_it_lets_a_message_wait_longer_than_the_account_each_time(
    handed_over: Sending, phase: Phase
) -> None:
    """Else the one that Gmail can never take would be the first again, and stop all others."""
    for attempts, minutes in [(0, 2), (3, 16), (10, 24 * 60)]:
        state = M.HANDING_OVER if phase is Phase.DOT else M.CLAIMED
        Message.objects.filter(pk=handed_over.claim.message_id).update(
            state=state, attempts=attempts, claim_holder=handed_over.claim.holder
        )
        LedgerRow.objects.update(state="reserved")
        handed_over.hear(Reply(421, "One Message-ID too often.", "4.7.28"), phase)
        rests_until = handed_over.account.resting_until
        assert rests_until is not None
        message = handed_over.message
        assert (message.state, message.attempts) == (M.WAITING, attempts + 1)
        assert message.not_before == rests_until + timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("reply", "phase"),
    [
        (Reply(552, "Your message exceeded Gmail's size limits.", "5.2.3"), Phase.DOT),
        (Reply(552, "This message was blocked because its content is unsafe.", "5.7.0"), Phase.DOT),
    ],
)
def test_it_pauses_the_campaign_whose_content_is_refused(
    handed_over: Sending, reply: Reply, phase: Phase
) -> None:
    handed_over.hear(reply, phase)
    assert handed_over.message.state == M.WAITING
    assert handed_over.campaign.state == "paused"
    assert reply.text in handed_over.campaign.state_reason
    assert handed_over.account.resting_until is None


def test_it_does_not_pause_anything_for_a_single_mail() -> None:
    account = make_account(make_workspace())
    campaign = make_campaign(account.workspace, [account])
    make_single(account)
    single = claim_from(account)
    assert commit_handing_over(single.claim, b"bytes", timezone.now())
    single.hear(Reply(552, "Too large.", "5.3.4"), Phase.DOT)
    assert single.message.state == M.REFUSED
    campaign.refresh_from_db()
    assert campaign.state == "sending"


def test_it_needs_its_person_when_the_login_is_refused(sending: Sending) -> None:
    sending.hear(Reply(535, "Username and Password not accepted.", "5.7.8"), Phase.MAIL)
    assert sending.message.state == M.WAITING
    assert sending.account.state == "needs_reconnecting"
    turn = claim_next(sending.claim.account_id, "me", timezone.now())
    assert isinstance(turn, Turn)
    assert turn.reason == Reason.NOT_CONNECTED


def test_it_keeps_the_bytes_of_a_single_mail_that_is_put_back() -> None:
    account = make_account(make_workspace())
    single = make_single(account)
    sending = claim_from(account)
    sending.hear(Reply(421, "Try again later.", "4.7.0"), Phase.DATA)
    single.refresh_from_db()
    assert (single.state, bytes(single.raw or b"")[:8]) == (M.WAITING, b"Subject:")


@pytest.mark.parametrize("phase", [Phase.DATA, Phase.DOT])
def test_it_cancels_what_comes_back_after_its_campaign_was_cancelled(
    handed_over: Sending, phase: Phase
) -> None:
    if phase is Phase.DATA:
        Message.objects.filter(pk=handed_over.claim.message_id).update(state=M.CLAIMED)
    control.cancel(handed_over.campaign.pk)
    handed_over.hear(Reply(421, "Try again later.", "4.7.0"), phase)
    assert handed_over.message.state == M.CANCELLED
    assert handed_over.row.state == "void"


def test_it_lets_the_others_go_first_after_a_temporary_refusal(sending: Sending) -> None:
    sending.hear(Reply(451, "Try again later.", "4.3.0"), Phase.DATA)
    GmailAccount.objects.update(resting_until=None)
    tried = [claim_next(sending.claim.account_id, "me", timezone.now()) for _ in range(3)]
    assert [type(one) for one in tried] == [Claim, Claim, Turn]
    own_turn = sending.message.not_before
    assert getattr(tried[-1], "at", None) == own_turn
    last = claim_next(sending.claim.account_id, "me", own_turn)
    assert getattr(last, "message_id", None) == sending.claim.message_id


def test_it_skips_and_gives_the_use_back(sending: Sending) -> None:
    outcomes.skipped(sending.claim, "suppressed")
    assert sending.message.state == M.SKIPPED
    assert sending.row.state == "void"


@pytest.mark.parametrize(
    ("phase", "state"), [(Phase.MAIL, M.WAITING), (Phase.RCPT, M.REFUSED), (Phase.DOT, M.REFUSED)]
)
def test_it_gives_a_single_mail_up_that_nobody_could_resume(phase: Phase, state: str) -> None:
    """Single mails go first: one that is refused for ever would keep all others from leaving."""
    single = make_single(make_account(make_workspace()))
    assert single.account is not None
    sending = claim_from(single.account)
    if phase is Phase.DOT:
        assert commit_handing_over(sending.claim, b"bytes", timezone.now())
    sending.hear(Reply(550, "Mail sending denied.", "5.7.0"), phase)
    assert sending.message.state == state
    assert (sending.account.resting_until is None) == (state == M.REFUSED)


def test_it_does_not_hold_gmails_own_trouble_against_a_recipient(sending: Sending) -> None:
    sending.hear(Reply(451, "Mail server temporarily rejected message.", "4.3.0"), Phase.RCPT)
    assert sending.message.state == M.WAITING
    assert sending.account.resting_until is not None
