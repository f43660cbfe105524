"""What recipients of every kind send back is read from the practice Gmail, and acted upon."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import GmailAccount, LedgerRow, ReadFolder
from campaigns.inbound import fetch, schedule
from campaigns.models import Event, InboundMail, Message, Suppression
from campaigns.states import move_messages
from tests.campaigns.inbound.hearing import hear, kinds, letter, message_to, put, send_to
from tests.practice.mail_clients import imap_client
from tests.practice_gmail import PracticeGmail

M = Message.State
Reason = Suppression.Reason

ANSWERS = {
    "nobody-1@example.org": ["bounced"],
    "old-1@example.org": ["bounced"],
    "gone-1@nowhere.example": ["bounced"],
    "full-1@example.org": ["soft_bounced"],
    "blocked-1@example.org": ["blocked"],
    "slow-1@example.org": ["delayed"],
    "reply-1@example.org": ["replied"],
    "auto-1@example.org": ["auto_replied"],
    "stop-1@example.org": ["opted_out"],
    "quiet-1@example.org": [],
}
SUPPRESSED = {
    "nobody-1@example.org": Reason.BOUNCED,
    "old-1@example.org": Reason.BOUNCED,
    "gone-1@nowhere.example": Reason.BOUNCED,
    "stop-1@example.org": Reason.OPTED_OUT,
}


def suppressed(account: GmailAccount) -> dict[str, str]:
    rows = Suppression.objects.filter(workspace=account.workspace)
    return dict(rows.values_list("email_key", "reason"))


def test_it_hears_every_kind_of_answer_once(account: GmailAccount) -> None:
    campaign = send_to(account, *ANSWERS)
    heard = hear(account)
    assert {one.to_email: kinds(one) for one in campaign.messages.all()} == ANSWERS
    assert suppressed(account) == SUPPRESSED
    assert (heard.bounces, heard.replies, heard.opt_outs, heard.limit_notices) == (4, 1, 1, 0)
    counts = Event.objects.count(), InboundMail.objects.count(), Suppression.objects.count()

    assert hear(account).messages == 0
    # As after a restore, or where the mailbox was made anew: all of it once more.
    ReadFolder.objects.all().delete()
    account.seen_mail.all().delete()
    again = hear(account)
    assert again.messages == heard.messages
    assert (again.bounces, again.replies, again.opt_outs) == (0, 0, 0)
    assert counts == (
        Event.objects.count(), InboundMail.objects.count(), Suppression.objects.count()
    )  # fmt: skip


def test_it_keeps_what_a_person_wrote_and_why_a_mail_bounced(account: GmailAccount) -> None:
    send_to(account, "reply-2@example.org", "nobody-2@example.org")
    hear(account)
    reply = message_to("reply-2@example.org").inbound_mail.get()
    assert (reply.sender, reply.text) == ("reply-2@example.org", "Thank you, I will have a look.")
    bounce = message_to("nobody-2@example.org").events.get()
    assert "User unknown" in bounce.detail
    assert "User unknown" in Suppression.objects.get(email_key="nobody-2@example.org").note


def test_nothing_turns_read_or_moves(gmail: PracticeGmail, account: GmailAccount) -> None:
    send_to(account, "reply-3@example.org", "nobody-3@example.org")
    with imap_client(gmail, account.address) as client:
        client.select_folder("[Gmail]/All Mail", readonly=True)
        before = client.fetch(client.search(), ["FLAGS", "X-GM-LABELS", "RFC822.SIZE"])
    assert hear(account).messages
    with imap_client(gmail, account.address) as client:
        client.select_folder("[Gmail]/All Mail", readonly=True)
        after = client.fetch(client.search(), ["FLAGS", "X-GM-LABELS", "RFC822.SIZE"])
    assert {uid: one[b"FLAGS"] for uid, one in before.items()} == {
        uid: one[b"FLAGS"] for uid, one in after.items()
    }
    assert before.keys() == after.keys()


def test_it_keeps_nothing_of_other_mail(gmail: PracticeGmail, account: GmailAccount) -> None:
    send_to(account, "quiet-4@example.org")
    put(gmail, account, letter("friend@example.org", account.address, "Private.", Subject="Hi"))
    put(gmail, account, letter("x@example.org", account.address, References="<other@x.example>"))
    assert hear(account).messages >= 2
    assert not InboundMail.objects.exists()


def test_it_does_not_take_its_own_side_for_an_answer(
    gmail: PracticeGmail, account: GmailAccount
) -> None:
    message = send_to(account, "quiet-5@example.org").messages.get()
    ours = letter(account.address, "quiet-5@example.org", In_Reply_To=message.message_id)
    put(gmail, account, ours, "[Gmail]/Sent Mail")
    hear(account)
    assert kinds(message) == []


def test_it_reads_spam_by_its_flag(gmail: PracticeGmail, by_imap: GmailAccount) -> None:
    message = send_to(by_imap, "quiet-6@example.org").messages.get()
    reply = letter("quiet-6@example.org", by_imap.address, In_Reply_To=message.message_id)
    put(gmail, by_imap, reply, "[Gmail]/Spam")
    hear(by_imap)
    assert kinds(message) == ["replied"]


def test_it_finds_the_thread_where_the_nearest_message_is_not_ours(
    gmail: PracticeGmail, account: GmailAccount
) -> None:
    message = send_to(account, "quiet-7@example.org").messages.get()
    thread = f"{message.message_id} <their-own@example.org>"
    answer = letter("else@example.org", account.address, References=thread)
    answer["In-Reply-To"] = "<their-own@example.org>"
    put(gmail, account, answer)
    hear(account)
    assert kinds(message) == ["replied"]


def test_who_asks_by_an_old_mail_to_stop_is_heard(
    gmail: PracticeGmail, account: GmailAccount
) -> None:
    """It was sent when the address to opt out at had no token yet. Anybody can write in their name,
    so it must be proven that they did."""
    message = send_to(account, "quiet-8@example.org").messages.get()
    asked = letter("Quiet-8@example.org", account.address, Subject="unsubscribe")
    put(gmail, account, asked)
    hear(account)
    assert kinds(message) == []
    asked = letter("Quiet-8@example.org", account.address, Subject="unsubscribe")
    asked["Authentication-Results"] = "mx.google.com; dkim=pass header.i=@example.org"
    put(gmail, account, asked)
    hear(account)
    assert kinds(message) == ["opted_out"]
    assert suppressed(account) == {"quiet-8@example.org": Reason.OPTED_OUT}


def test_an_answer_proves_that_gmail_took_a_message_that_was_in_doubt(
    account: GmailAccount,
) -> None:
    message = send_to(account, "reply-9@example.org").messages.get()
    Message.objects.filter(pk=message.pk).update(state=M.HANDING_OVER)
    move_messages(Message.objects.filter(pk=message.pk), M.HANDING_OVER, M.IN_DOUBT, sent_at=None)
    hear(account)
    message.refresh_from_db()
    assert message.state == M.SENT
    assert message.sent_at is not None


def test_gmails_own_block_rests_the_account_and_blames_nobody(account: GmailAccount) -> None:
    message = send_to(account, "gblock-1@example.org").messages.get()
    hear(account)
    assert kinds(message) == ["gmail_blocked"]
    assert account.resting_until > timezone.now() + timedelta(minutes=50)
    assert "Message rejected" in account.resting_reason
    assert not Suppression.objects.exists()


def test_a_limit_notice_puts_back_what_it_names_and_rests_the_account(
    account: GmailAccount,
) -> None:
    message = send_to(account, "limit-1@example.org").messages.get()
    heard = hear(account)
    message.refresh_from_db()
    assert heard.limit_notices == 1
    assert message.state == M.WAITING
    assert account.resting_until > timezone.now()
    assert kinds(message) == []


def test_a_limit_notice_about_what_is_just_being_handed_over_comes_again(
    account: GmailAccount,
) -> None:
    message = send_to(account, "limit-2@example.org").messages.get()
    until = timezone.now() + timedelta(minutes=5)
    rows = Message.objects.filter(pk=message.pk)
    rows.update(state=M.HANDING_OVER, claim_until=until)
    hear(account)
    message.refresh_from_db()
    assert message.state == M.HANDING_OVER
    rows.update(state=M.SENT)
    assert InboundMail.objects.filter(again_at__gt=timezone.now()).update(again_at=timezone.now())
    hear(account)
    message.refresh_from_db()
    assert message.state == M.WAITING
    assert InboundMail.objects.get().again_at is None


def test_a_mailbox_that_cannot_be_read_is_told_of(
    gmail: PracticeGmail, account: GmailAccount, monkeypatch: Any
) -> None:
    send_to(account, "quiet-10@example.org")
    tried = timezone.now()
    monkeypatch.setattr(fetch.sessions, "open_imap", _refuse)
    monkeypatch.setattr(fetch.sessions, "open_pop", _refuse)
    assert fetch.read(account.pk, tried) is None
    account.refresh_from_db()
    assert "could not be reached" in account.inbound_trouble or account.inbound_trouble
    assert account.inbound_tried_at >= tried
    assert account.inbound_read_at is None
    assert account.inbound_until is None
    monkeypatch.undo()
    hear(account)
    assert account.inbound_trouble == ""


def _refuse(*args: Any, **kwargs: Any) -> Any:
    from gmail.errors import Unreachable

    raise Unreachable("imap.gmail.com could not be reached.")


def test_a_mail_that_nobody_foresaw_holds_up_no_other(
    account: GmailAccount, monkeypatch: Any
) -> None:
    campaign = send_to(account, "reply-14@example.org", "reply-15@example.org")
    understood, failed = fetch.classify, []

    def fail_once(raw: bytes, *, opts_out: bool) -> Any:
        if not failed:
            failed.append(raw)
            raise RuntimeError("Nobody foresaw this.")
        return understood(raw, opts_out=opts_out)

    monkeypatch.setattr(fetch, "classify", fail_once)
    hear(account)
    assert sorted(kinds(one) for one in campaign.messages.all()) == [[], ["replied"]]
    assert account.inbound_trouble == ""


def test_one_reads_at_a_time_and_a_dead_reader_holds_nobody_up(account: GmailAccount) -> None:
    send_to(account, "quiet-11@example.org")
    now = timezone.now()
    GmailAccount.objects.filter(pk=account.pk).update(inbound_until=now + timedelta(minutes=9))
    assert fetch.read(account.pk, now) is None
    GmailAccount.objects.filter(pk=account.pk).update(inbound_until=now - timedelta(seconds=1))
    assert fetch.read(account.pk, now) is not None


# --- Whose mailbox is read when --------------------------------------------------------------


def test_it_reads_within_a_minute_what_was_sent_from_lately_and_seldom_else(
    by_imap: GmailAccount,
) -> None:
    now = timezone.now()
    assert schedule.due(now) == []
    send_to(by_imap, "quiet-12@example.org")
    assert schedule.due(now) == [by_imap.pk]
    hear(by_imap)
    assert schedule.due(timezone.now()) == []
    in_a_minute = timezone.now() + timedelta(seconds=50)
    assert schedule.due(in_a_minute) == [by_imap.pk]
    LedgerRow.objects.update(at=now - timedelta(days=30))
    assert schedule.due(in_a_minute) == []
    assert schedule.due(timezone.now() + timedelta(minutes=11)) == [by_imap.pk]
    # The clock was set back since.
    assert schedule.due(now - timedelta(days=2)) == [by_imap.pk]


@pytest.mark.parametrize(
    "fields", [{"inbound": "none"}, {"state": GmailAccount.State.NEEDS_RECONNECTING}]
)
def test_it_leaves_alone_what_may_not_be_read(
    by_imap: GmailAccount, fields: dict[str, str]
) -> None:
    send_to(by_imap, "quiet-13@example.org")
    GmailAccount.objects.update(**fields)
    assert schedule.due(timezone.now()) == []
