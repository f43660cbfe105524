"""After a restore: what left since is found in Sent, then the account goes on, and nobody twice."""

import json
import sqlite3
from datetime import date, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from accounts import generation, halts, ledger, quota
from accounts.clock import rules
from accounts.halts import Cause
from accounts.models import GmailAccount, Halt
from campaigns import control, decisions
from campaigns.delivery import restored
from campaigns.delivery.claim import Claim, take_account
from campaigns.delivery.read_sent import read_sent
from campaigns.delivery.sender import send_due
from campaigns.models import Campaign, Message
from gmail.imap import ImapSession
from tests.campaigns.claiming import claim_next
from tests.campaigns.making import make_account, make_campaign, make_single
from tests.practice.mail_clients import imap_client
from tests.practice_gmail import PracticeGmail

pytestmark = pytest.mark.django_db(transaction=True)

M = Message.State
HOURS_25 = timedelta(hours=25)


@pytest.fixture(autouse=True)
def data_dir(settings: Any, tmp_path: Path) -> Path:
    settings.DATA_DIR = settings.UPLOADS_DIR = tmp_path
    return tmp_path


@pytest.fixture
def account(account: GmailAccount) -> GmailAccount:
    """It is read, a moment ago. What the tests before have sent counts as written by hand."""
    GmailAccount.objects.update(inbound=GmailAccount.Inbound.IMAP)
    read_sent(account.pk, timezone.now())
    account.refresh_from_db()
    return account


@pytest.fixture(autouse=True)
def _filed_at_once(gmail: PracticeGmail) -> None:
    gmail.control(sent_delay=0)


def send(account: GmailAccount, count: int) -> None:
    asked = iter(range(count))
    assert send_due(account.pk, keep_going=lambda: next(asked, None) is not None).sent == count


def later(minutes: int = 16) -> datetime:
    return timezone.now() + timedelta(minutes=minutes)


def used_by(campaign: Campaign, account: GmailAccount) -> int:
    entries = ledger.totals(account, timezone.now())
    ours = [entry for entry in entries if entry.campaign_ref == campaign.pk]
    return quota.used(ours, timezone.now())


def halt_of(account: GmailAccount) -> Halt | None:
    return halts.of_cause(account, Cause.RESTORED)


def go_back(*messages: Message, to: datetime | None = None) -> None:
    """An older copy of the database, in which these wait."""
    for message in messages:
        Message.objects.filter(pk=message.pk).update(
            state=M.WAITING, ledger_row=None, account=None, sent_at=None
        )
    copied_at = to or timezone.now() - timedelta(minutes=1)
    generation.restored(copied_at, max(copied_at, timezone.now()))


def test_it_writes_to_nobody_twice_after_a_restore(
    gmail: PracticeGmail, account: GmailAccount, tmp_path: Path
) -> None:
    before = len(gmail.ledger())
    campaign = make_campaign(account.workspace, [account], recipients=12)
    send(account, 3)
    call_command("backup", str(tmp_path / "b"), "--json", stdout=StringIO())
    send(account, 6)
    call_command("restore", str(tmp_path / "b"), "--yes", "--json", stdout=StringIO())

    assert campaign.messages.filter(state=M.SENT).count() == 3
    assert send_due(account.pk).sent == 0
    assert restored.due(later(14)) == []
    assert restored.due(later()) == [account.pk]
    restored.look(account.pk, later())
    assert halt_of(account) is None
    assert campaign.messages.filter(state=M.SENT).count() == 9
    # What left since counts, as if nothing had been lost.
    assert used_by(campaign, account) == 9

    assert send_due(account.pk).sent == 3
    written = [row["to"] for row in gmail.ledger()[before:]]
    assert sorted(written) == sorted(campaign.messages.values_list("to_email", flat=True))
    campaign.refresh_from_db()
    assert campaign.state == Campaign.State.FINISHED


def test_it_finds_what_had_left_where_gmail_replaces_the_message_id(account: GmailAccount) -> None:
    one, invalid = make_single(account), "<two@at@signs>"
    raw = f"From: {account.address}\r\nMessage-ID: {invalid}\r\n\r\nx\r\n".encode()
    Message.objects.filter(pk=one.pk).update(message_id=invalid, raw=raw)
    send(account, 1)
    go_back(one)
    restored.look(account.pk, later())
    one.refresh_from_db()
    assert (one.state, one.account, one.raw) == (M.SENT, account, None)
    assert one.ledger_row is not None
    assert one.ledger_row.at == one.sent_at


def test_it_finds_what_was_refused_in_the_copy_and_tried_again_since(
    account: GmailAccount, campaign: Campaign
) -> None:
    """It would be offered to be tried again, and that would be a second time."""
    send(account, 3)
    tried_again, refused = campaign.messages.order_by("pk")[:2]
    go_back(tried_again)
    Message.objects.filter(pk=tried_again.pk).update(state=M.REFUSED, reply="550", account=account)
    Message.objects.filter(pk=refused.pk).update(
        state=M.REFUSED, reply="550", message_id="<never@left>"
    )
    restored.look(account.pk, later())
    for message in (tried_again, refused):
        message.refresh_from_db()
    assert (tried_again.state, tried_again.reply) == (M.SENT, "")
    assert tried_again.ledger_row is not None
    assert tried_again.ledger_row.at == tried_again.sent_at
    assert refused.state == M.REFUSED
    with pytest.raises(decisions.NotPossible):
        decisions.try_again(tried_again, None, later())


def test_it_finds_what_had_left_of_a_campaign_that_was_cancelled_before_it_looked(
    account: GmailAccount, campaign: Campaign
) -> None:
    send(account, 1)
    left = campaign.messages.get(state=M.SENT)
    go_back(left)
    assert control.cancel(campaign.pk)
    restored.look(account.pk, later())
    left.refresh_from_db()
    assert left.state == M.SENT
    assert left.ledger_row is not None and left.ledger_row.at == left.sent_at
    assert not campaign.messages.exclude(pk=left.pk).exclude(state=M.CANCELLED).exists()


def test_it_counts_what_had_left_by_the_clock_of_the_account(
    account: GmailAccount, campaign: Campaign
) -> None:
    send(account, 3)
    one = campaign.messages.order_by("pk")[0]
    go_back(one, to=timezone.now() + HOURS_25)
    GmailAccount.objects.update(clock_ahead=HOURS_25.total_seconds())
    restored.look(account.pk, later() + HOURS_25)
    use = Message.objects.select_related("ledger_row").get(pk=one.pk).ledger_row
    assert use is not None
    assert use.at is not None
    assert abs(timezone.now() + HOURS_25 - use.at) < timedelta(minutes=5)


def test_it_lets_wait_what_the_copy_knew_of(account: GmailAccount, campaign: Campaign) -> None:
    """As after a limit notice: it lies in Sent, and was put back because it was not sent."""
    send(account, 3)
    one = campaign.messages.order_by("pk")[0]
    go_back(one, to=later(10))
    restored.look(account.pk, later(30))
    one.refresh_from_db()
    assert one.state == M.WAITING
    assert halt_of(account) is None


def test_it_stays_halted_while_sent_cannot_be_read(
    gmail: PracticeGmail, account: GmailAccount, campaign: Campaign
) -> None:
    send(account, 3)
    go_back(*campaign.messages.all())
    refusal = {"protocol": "imap", "where": "select", "reply": "NO [UNAVAILABLE] Later"}
    gmail.control(faults=[refusal])
    now = later()
    restored.look(account.pk, now)
    halt = halt_of(account)
    assert halt is not None
    assert "Sent could not be read" in halt.found
    assert restored.due(now + timedelta(minutes=1)) == []
    assert restored.due(now + restored.LOOK_AGAIN) == [account.pk]
    restored.look(account.pk, now + restored.LOOK_AGAIN)
    assert halt_of(account) is None
    assert campaign.messages.filter(state=M.SENT).count() == 3


def test_it_waits_for_a_person_where_nobody_can_look(account: GmailAccount) -> None:
    GmailAccount.objects.update(inbound=GmailAccount.Inbound.POP)
    go_back()
    assert restored.due(later()) == []
    restored.let_go(later())
    assert halt_of(account) is not None
    out = StringIO()
    call_command("release", account.address, "--json", stdout=out)
    assert json.loads(out.getvalue()) == {"account": account.address}
    assert halt_of(account) is None


def test_it_waits_for_the_other_accounts_of_its_campaigns(account: GmailAccount) -> None:
    """What waits unbound may have left through the other one, whose Sent nobody can read."""
    other = make_account(account.workspace, inbound=GmailAccount.Inbound.POP)
    make_campaign(account.workspace, [account, other])
    elsewhere = make_account(account.workspace, inbound=GmailAccount.Inbound.NONE)
    go_back()
    restored.look(account.pk, later())
    halt = halt_of(account)
    assert halt is not None
    assert other.address in halt.found
    assert elsewhere.address not in halt.found
    halts.end([other], Cause.RESTORED, timezone.now())
    restored.let_go(later())
    assert halt_of(account) is None
    assert halt_of(elsewhere) is not None


def test_it_waits_for_what_was_under_way_in_the_copy(
    account: GmailAccount, campaign: Campaign
) -> None:
    """Until it waits again, or is in doubt: nobody else may have it meanwhile."""
    assert take_account(account.pk, "me", timezone.now())
    claim = claim_next(account.pk, "me", timezone.now())
    assert isinstance(claim, Claim)
    go_back()
    Message.objects.filter(pk=claim.message_id).update(claim_until=later(25))
    restored.look(account.pk, later())
    assert halt_of(account) is not None
    Message.objects.filter(pk=claim.message_id).update(claim_until=later(1))
    restored.look(account.pk, later())
    assert halt_of(account) is None
    assert campaign.messages.filter(state=M.WAITING).count() == 3


def test_it_waits_for_the_others_also_where_the_copy_says_it_is_bound(
    account: GmailAccount,
) -> None:
    """It was in hand as the copy was made, given back since, and may have left elsewhere."""
    other = make_account(account.workspace, inbound=GmailAccount.Inbound.POP)
    make_campaign(account.workspace, [account, other], recipients=1)
    bound = Message.objects.get()
    go_back()
    Message.objects.filter(pk=bound.pk).update(account=account)
    restored.look(account.pk, later())
    assert halt_of(account) is not None
    # What was handed over before stays with its account for good.
    Message.objects.filter(pk=bound.pk).update(handed_over_at=later(-60))
    restored.let_go(later())
    assert halt_of(account) is None


def test_it_waits_for_all_accounts_with_a_single_mail(account: GmailAccount) -> None:
    other = make_account(account.workspace, inbound=GmailAccount.Inbound.POP)
    make_single(account)
    go_back()
    restored.look(account.pk, later())
    halt = halt_of(account)
    assert halt is not None and other.address in halt.found


def test_it_counts_what_was_sent_again_since_the_copy(
    gmail: PracticeGmail, account: GmailAccount, campaign: Campaign
) -> None:
    """The copy knows of the first try's use alone."""
    send(account, 1)
    one = campaign.messages.get(state=M.SENT)
    go_back(to=later(-60))
    first = ledger.add_accepted(account, one.source, campaign.pk, later(-240))
    Message.objects.filter(pk=one.pk).update(
        state=M.IN_DOUBT, doubt_since=later(-240), handed_over_at=later(-240), ledger_row=first,
        look_again_at=later(-240),
    )  # fmt: skip
    before = used_by(campaign, account)
    restored.look(account.pk, later())
    one.refresh_from_db()
    assert (one.state, used_by(campaign, account)) == (M.SENT, before + 1)


def test_it_believes_no_copy_of_what_a_limit_notice_was_about(
    account: GmailAccount, campaign: Campaign
) -> None:
    send(account, 1)
    one = campaign.messages.get(state=M.SENT)
    go_back(one)
    Message.objects.filter(pk=one.pk).update(noticed_at=timezone.now())
    restored.look(account.pk, later())
    one.refresh_from_db()
    assert one.state == M.WAITING


def test_it_goes_by_what_a_person_has_done_meanwhile(
    account: GmailAccount, campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it has found and what it settles are a moment apart."""
    send(account, 1)
    left = campaign.messages.get(state=M.SENT)
    go_back(left)
    had_left = restored._had_left

    def cancelled_first(*given: Any) -> bool:
        if Campaign.objects.get(pk=campaign.pk).state == Campaign.State.SENDING:
            control.cancel(campaign.pk)
        return had_left(*given)

    monkeypatch.setattr(restored, "_had_left", cancelled_first)
    restored.look(account.pk, later())
    left.refresh_from_db()
    assert left.state == M.SENT


def test_it_asks_for_more_days_since_each_server_has_days_of_its_own(
    account: GmailAccount, campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[date] = []
    uids_after = ImapSession.uids_after

    def note(self: ImapSession, uid: int, since: date) -> list[int]:
        asked.append(since)
        return uids_after(self, uid, since)

    monkeypatch.setattr(ImapSession, "uids_after", note)
    copied_at = timezone.now()
    go_back(to=copied_at)
    restored.look(account.pk, later())
    assert asked
    assert max(asked) <= (copied_at - timedelta(days=1)).date()


def test_it_finds_what_a_person_has_deleted_from_sent_since(
    gmail: PracticeGmail, account: GmailAccount, campaign: Campaign
) -> None:
    send(account, 1)
    left = campaign.messages.get(state=M.SENT)
    with imap_client(gmail, account.address) as client:
        client.select_folder("[Gmail]/Sent Mail")
        uids = client.search(["HEADER", "Message-ID", left.message_id])
        client.copy(uids, "[Gmail]/Trash")
        client.delete_messages(uids)
        client.expunge()
    go_back(left)
    restored.look(account.pk, later())
    left.refresh_from_db()
    assert left.state == M.SENT


def test_it_finds_what_left_right_after_the_copy_by_a_clock_that_is_behind(
    gmail: PracticeGmail, account: GmailAccount, campaign: Campaign
) -> None:
    copied_at = timezone.now()
    send(account, 1)
    left = campaign.messages.get(state=M.SENT)
    behind = int((copied_at - rules.AT_MOST_OFF).timestamp())
    with imap_client(gmail, account.address) as client:
        # It is filed once somebody looks.
        client.select_folder("[Gmail]/Sent Mail")
    with sqlite3.connect(gmail.directory / "folders.sqlite3") as index:
        index.execute(
            "UPDATE message SET received = ? WHERE account = ?", (behind, account.address)
        )
    index.close()
    go_back(left, to=copied_at)
    restored.look(account.pk, later())
    left.refresh_from_db()
    assert left.state == M.SENT
