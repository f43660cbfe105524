"""What is in doubt, looked for by IMAP in a practice Gmail whose folders have foreign names."""

import io
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from accounts import sessions
from accounts.models import GmailAccount
from campaigns import decisions, tasks
from campaigns.delivery import doubt, sender, sent_search
from campaigns.delivery.outcomes import SESSION_LIFE
from campaigns.models import Campaign, HistoryEntry, Message
from gmail.smtp import SmtpSession
from tests.campaigns.delivery.conftest import ANA
from tests.campaigns.doubting import fresh, kinds, row_of
from tests.campaigns.making import make_workspace
from tests.gmail_settings import point_at
from tests.practice_gmail import PracticeGmail

M = Message.State


@pytest.fixture(scope="module")
def shared_gmail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PracticeGmail]:
    folder = tmp_path_factory.mktemp("practice")
    with PracticeGmail(
        folder / "gmail", accounts=[ANA], limit=100_000, sent_name="[Gmail]/Gesendet"
    ) as gmail:
        yield gmail


@pytest.fixture
def gmail(shared_gmail: PracticeGmail, settings: Any) -> PracticeGmail:
    shared_gmail.control(
        clock_offset=0,
        limit=100_000,
        faults=[],
        sent_delay=0,
        hide={ANA: []},
        imap={ANA: True},
    )
    point_at(shared_gmail, settings)
    return shared_gmail


@pytest.fixture
def account(account: GmailAccount) -> GmailAccount:
    """What other tests sent would count as written by hand, were Sent read for that."""
    account.inbound = GmailAccount.Inbound.IMAP
    account.sent_tried_at = timezone.now()
    account.save()
    return account


def lose_answers(gmail: PracticeGmail, where: str = "accepted", times: int = 1) -> list[Message]:
    """The line drops `times` after the dot; at "accepted", Gmail has the message."""
    gmail.control(faults=[{"where": where, "drop": True, "times": times}])
    for _ in range(times):
        GmailAccount.objects.update(resting_until=None)
        assert sender.send_due(GmailAccount.objects.get().pk).in_doubt == 1
    gmail.control(faults=[])
    return [fresh(message) for message in Message.objects.filter(state=M.IN_DOUBT).order_by("id")]


def age(by: timedelta) -> None:
    """All doubts began earlier, and are due."""
    for message in Message.objects.filter(state=M.IN_DOUBT):
        assert message.doubt_since is not None
        message.doubt_since -= by
        message.look_again_at = timezone.now()
        message.save(update_fields=["doubt_since", "look_again_at"])


def search(account: GmailAccount, *, only_due: bool = False) -> int:
    return sent_search.search(account.pk, only_due=only_due)


def resolve(**options: Any) -> dict[str, int]:
    out = io.StringIO()
    call_command("resolve_doubt", once=True, json=True, stdout=out, **options)
    return dict(json.loads(out.getvalue()))


def log_ins(gmail: PracticeGmail) -> int:
    return int(gmail.control()["accounts"][0]["logins"]["imap"])


def test_it_is_sent_once_its_copy_is_found(
    gmail: PracticeGmail, account: GmailAccount, campaign: Campaign
) -> None:
    """Found under a folder name in another language, by Gmail's own search."""
    (message,) = lose_answers(gmail)
    assert search(account, only_due=True) == 0, "not before it is due"
    assert search(account) == 1
    message = fresh(message)
    assert (message.state, message.raw, message.reply) == (M.SENT, None, "")
    assert row_of(message).state == "accepted"
    assert kinds(message) == ["in_doubt", "found"]
    assert campaign.messages.filter(state=M.SENT).count() == 1, "nothing else is marked by it"


def test_it_is_asked_again_until_a_late_copy_is_there(
    gmail: PracticeGmail, account: GmailAccount, campaign: Campaign
) -> None:
    gmail.control(sent_delay=3600)
    (message,) = lose_answers(gmail)
    age(timedelta(minutes=14))
    assert search(account) == 0
    waiting = fresh(message)
    assert waiting.held_at is None
    assert waiting.look_again_at is not None
    gmail.control(clock_offset=3601)
    assert search(account) == 1
    assert fresh(message).state == M.SENT


def test_it_is_held_when_it_is_nowhere_after_fifteen_minutes(
    gmail: PracticeGmail, account: GmailAccount, campaign: Campaign
) -> None:
    (message,) = lose_answers(gmail, "dot")
    assert resolve() == {"found": 0, "held": 0, "waiting": 1}
    age(timedelta(minutes=15))
    assert resolve() == {"found": 0, "held": 1, "waiting": 0}
    held = fresh(message)
    assert (held.state, held.held_why) == (M.IN_DOUBT, "not_found")
    assert held.raw is not None
    assert message.to_email not in {row["to"] for row in gmail.ledger()}


@pytest.mark.parametrize("gmail_search", [True, False])
@pytest.mark.parametrize("hidden", [["sent"], ["all"]], ids=["all mail", "sent"])
def test_it_is_found_in_what_imap_shows(
    gmail: PracticeGmail,
    account: GmailAccount,
    campaign: Campaign,
    hidden: list[str],
    gmail_search: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if not gmail_search:
        monkeypatch.setattr("gmail.imap._GMAIL_EXTENSION", "X-NOT-OFFERED")
    lose_answers(gmail)
    gmail.control(hide={ANA: hidden})
    assert search(account) == 1


def test_it_is_found_in_trash(
    gmail: PracticeGmail, account: GmailAccount, campaign: Campaign
) -> None:
    (message,) = lose_answers(gmail)
    session = sessions.open_imap(account, timezone.now())
    client = session._client
    client.select_folder("[Gmail]/Gesendet")
    client.copy(session.find(message.message_id), "[Gmail]/Trash")
    session.close()
    gmail.control(hide={ANA: ["sent"]})
    assert search(account) == 1
    assert fresh(message).state == M.SENT


def test_it_is_found_where_gmail_replaces_our_message_ids(
    gmail: PracticeGmail, account: GmailAccount, campaign: Campaign
) -> None:
    Message.objects.filter(campaign=campaign).delete()
    kept = Message.objects.create(
        workspace=account.workspace,
        source="system",
        account=account,
        to_email="owner@example.org",
        message_id="<kept.@gmail.com>",
        raw=b"From: ana@gmail.com\r\nMessage-ID: <kept.@gmail.com>\r\n\r\nx\r\n",
        not_before=timezone.now(),
        created_at=timezone.now(),
    )
    lose_answers(gmail)
    assert search(account) == 0, "by its Message-ID it is nowhere"
    GmailAccount.objects.update(keeps_message_id=False)
    assert search(account) == 1
    assert fresh(kept).state == M.SENT


def test_it_opens_one_session_for_all_of_an_account(
    gmail: PracticeGmail, account: GmailAccount, campaign: Campaign
) -> None:
    lose_answers(gmail, times=2)
    before = log_ins(gmail)
    assert search(account) == 2
    assert log_ins(gmail) - before == 1


def test_one_worker_at_a_time_looks(
    gmail: PracticeGmail, account: GmailAccount, campaign: Campaign
) -> None:
    lose_answers(gmail)
    now = timezone.now()
    GmailAccount.objects.update(sent_search_until=now + timedelta(minutes=1))
    assert search(account) == 0
    # Its worker died.
    GmailAccount.objects.update(sent_search_until=now)
    assert search(account) == 1
    account.refresh_from_db()
    assert account.sent_search_until is None


# --- When it cannot be read ------------------------------------------------------------------

UNREADABLE: dict[str, dict[str, Any]] = {
    "line lost": {"faults": [{"protocol": "imap", "where": "search", "drop": True, "times": None}]},
    "no": {
        "faults": [
            {"protocol": "imap", "where": "select", "reply": "NO Later.", "times": None},
        ]
    },
    "switched off": {"imap": {ANA: False}},
    "both hidden": {"hide": {ANA: ["sent", "all"]}},
}


@pytest.mark.parametrize("how", UNREADABLE)
def test_it_is_not_held_before_it_was_really_looked_for(
    gmail: PracticeGmail, account: GmailAccount, campaign: Campaign, how: str
) -> None:
    (message,) = lose_answers(gmail, "dot")
    age(timedelta(minutes=50))
    gmail.control(**UNREADABLE[how])
    assert search(account) == 0
    waiting = fresh(message)
    assert waiting.held_at is None
    assert waiting.look_again_at is not None
    assert waiting.look_again_at > timezone.now()
    assert kinds(message) == ["in_doubt"]
    age(timedelta(minutes=10))
    search(account)
    held = fresh(message)
    assert held.held_why == "unreadable"
    assert HistoryEntry.objects.get(kind="held").detail not in ("", "held")
    account.refresh_from_db()
    assert account.state == "ready", "whoever cannot read may still send"
    gmail.control(faults=[], imap={ANA: True}, hide={ANA: []})
    search(account)
    assert fresh(message).held_why == "not_found"


def test_it_logs_nobody_in_who_must_connect_again(
    gmail: PracticeGmail, account: GmailAccount, campaign: Campaign
) -> None:
    (message,) = lose_answers(gmail)
    GmailAccount.objects.update(state="needs_reconnecting", state_reason="The password changed.")
    before = log_ins(gmail)
    age(timedelta(hours=1))
    search(account)
    assert log_ins(gmail) == before
    assert HistoryEntry.objects.get(kind="held").detail == "The password changed."
    GmailAccount.objects.update(state="ready")
    assert search(account) == 1, "found although it was held"
    assert fresh(message).state == M.SENT


def test_what_is_found_counts_although_the_line_breaks_then(
    gmail: PracticeGmail, account: GmailAccount, campaign: Campaign
) -> None:
    found, lost = lose_answers(gmail, times=1)[0], lose_answers(gmail, "dot")[-1]
    age(timedelta(minutes=20))
    # Sent is read; All Mail, where what is missing is looked for then, is not.
    faults = [{"protocol": "imap", "where": "select", "reply": "NO Later."}]
    original = sent_search.copies.among

    def then_break(*given: Any) -> Any:
        copies = original(*given)
        gmail.control(faults=faults)
        return copies

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sent_search.copies, "among", then_break)
        assert search(account) == 1
    assert fresh(found).state == M.SENT
    assert (fresh(lost).state, fresh(lost).held_at) == (M.IN_DOUBT, None)


def test_reading_by_pop_holds_it_and_switching_to_imap_finds_it(
    gmail: PracticeGmail, account: GmailAccount, campaign: Campaign
) -> None:
    GmailAccount.objects.update(inbound="pop")
    (message,) = lose_answers(gmail)
    assert message.held_why == "not_read"
    assert sent_search.due_accounts(timezone.now() + timedelta(days=1)) == []
    assert resolve() == {"found": 0, "held": 1, "waiting": 0}
    GmailAccount.objects.update(inbound="imap")
    assert sent_search.due_accounts(timezone.now()) == [account.pk]
    assert resolve() == {"found": 1, "held": 0, "waiting": 0}


def test_switching_to_pop_holds_what_was_looked_for(
    gmail: PracticeGmail, account: GmailAccount, campaign: Campaign
) -> None:
    (message,) = lose_answers(gmail)
    GmailAccount.objects.update(inbound="pop")
    age(timedelta())
    search(account, only_due=True)
    assert fresh(message).held_why == "not_read"


# --- By itself, and by command ---------------------------------------------------------------


def test_the_tick_wakes_whoever_is_due(
    gmail: PracticeGmail,
    account: GmailAccount,
    campaign: Campaign,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    woken: list[int] = []
    monkeypatch.setattr(tasks.search_sent, "apply_async", lambda args, **_: woken.extend(args))
    (message,) = lose_answers(gmail)
    tasks.resolve_doubts()
    assert woken == []
    age(doubt.FIRST_LOOK)
    tasks.resolve_doubts()
    assert woken == [account.pk]
    tasks.search_sent(account.pk)
    tasks.search_sent(account.pk)
    assert fresh(message).state == M.SENT


def test_the_command_leaves_other_workspaces_alone(
    gmail: PracticeGmail, account: GmailAccount, campaign: Campaign
) -> None:
    lose_answers(gmail)
    other = make_workspace()
    assert resolve(workspace=other.name) == {"found": 0, "held": 0, "waiting": 0}
    assert resolve(workspace=account.workspace.name) == {"found": 1, "held": 0, "waiting": 0}


# --- Sent again ------------------------------------------------------------------------------


def test_the_very_same_bytes_leave_again(
    gmail: PracticeGmail,
    account: GmailAccount,
    campaign: Campaign,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also when the second try is put back before its dot. Both count in Gmail's ledger."""
    given: list[bytes] = []
    body = SmtpSession.body

    def keep(self: SmtpSession, data: bytes) -> None:
        given.append(data)
        body(self, data)

    monkeypatch.setattr(SmtpSession, "body", keep)
    Message.objects.filter(pk__in=campaign.messages.order_by("id")[1:]).update(state=M.CANCELLED)
    gmail.control(sent_delay=3600)
    (message,) = lose_answers(gmail)
    GmailAccount.objects.update(resting_until=None)
    later = timezone.now() + SESSION_LIFE + timedelta(seconds=1)
    decisions.send_again(message, None, later)
    # Rendered again it would be another, also within the same second.
    GmailAccount.objects.update(display_name="By another name")
    Message.objects.update(not_before=timezone.now())
    gmail.control(faults=[{"where": "data", "reply": "421 4.7.0 Try again later"}])
    assert sender.send_due(account.pk).put_back == 1
    GmailAccount.objects.update(resting_until=None)
    Message.objects.update(not_before=timezone.now())
    assert sender.send_due(account.pk).sent == 1
    assert len(given) == 2
    assert given[0] == given[1]
    accepted = [row["message_id"] for row in gmail.ledger() if row["to"] == message.to_email]
    assert accepted == [message.message_id] * 2
    assert (fresh(message).state, fresh(message).raw) == (M.SENT, None)
