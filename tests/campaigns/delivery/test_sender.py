"""The sender against a real server that fails on purpose, at every step of a message."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import GmailAccount, LedgerRow
from campaigns.delivery import outcomes, schedule, sender
from campaigns.delivery.claim import HANDFUL
from campaigns.delivery.sender import Tally, send_due
from campaigns.models import Campaign, Contact, Message, Suppression
from gmail.replies import Phase, Reply
from gmail.smtp import SmtpSession
from gmail.smtp_line import SmtpLine
from tests.campaigns.delivery.midway import after_the_body
from tests.campaigns.making import make_campaign, make_single
from tests.practice_gmail import PracticeGmail

ANA = "ana@gmail.com"
M = Message.State


def people(campaign: Campaign) -> list[str]:
    return list(campaign.messages.order_by("id").values_list("to_email", flat=True))


def states(campaign: Campaign) -> list[str]:
    return list(campaign.messages.order_by("id").values_list("state", flat=True))


def ledger_states(account: GmailAccount) -> list[str]:
    rows = LedgerRow.objects.filter(account=account).order_by("id")
    return list(rows.values_list("state", flat=True))


def accepted(gmail: PracticeGmail, campaign: Campaign) -> list[str]:
    mine = set(people(campaign))
    return [row["to"] for row in gmail.ledger() if row["to"] in mine]


def rested(account: GmailAccount) -> None:
    """Its rest is over, and so are the waits of what was put off."""
    now = timezone.now()
    GmailAccount.objects.filter(pk=account.pk).update(resting_until=None)
    put_off = Message.objects.filter(state=M.WAITING, not_before__gt=now)
    put_off.update(not_before=now)


def test_it_sends_everybody_one_message_over_one_session(
    gmail: PracticeGmail, account: GmailAccount, campaign: Campaign
) -> None:
    gmail.control(faults=[{"where": "auth", "reply": "454 4.7.0 Too many login attempts"}])
    gmail.control(faults=[])
    assert send_due(account.pk) == Tally(sent=3)
    assert accepted(gmail, campaign) == people(campaign)
    assert states(campaign) == [M.SENT] * 3
    assert ledger_states(account) == ["accepted"] * 3
    campaign.refresh_from_db()
    assert campaign.state == "finished"
    message = campaign.messages.order_by("id").first()
    assert message is not None
    assert message.reply.startswith("250 2.0.0 OK")
    assert message.message_id in {row["message_id"] for row in gmail.ledger()}


def test_it_writes_what_the_person_wrote(
    gmail: PracticeGmail, account: GmailAccount, campaign: Campaign
) -> None:
    account.display_name = "Siop Tregaron"
    account.save()
    composed = []
    original = SmtpSession.body

    def keep(self: SmtpSession, data: bytes) -> None:
        composed.append(data)
        original(self, data)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SmtpSession, "body", keep)
        send_due(account.pk)
    first = composed[0].decode()
    assert "Subject: News for Person 0\r\n" in first
    assert f"From: Siop Tregaron <{ANA}>\r\n" in first
    assert "Dear Person 0" in first
    assert "<mailto:ana+" in first and "@gmail.com?subject=unsubscribe%20" in first


BEFORE_THE_DOT = [
    *[(where, {"drop": True}) for where in ("connect", "mail", "rcpt", "data")],
    *[
        (where, {"reply": "421 4.7.0 Try again later"})
        for where in ("connect", "mail", "rcpt", "data", "body")
    ],
]


@pytest.mark.parametrize(("where", "fault"), BEFORE_THE_DOT)
def test_it_waits_again_when_it_fails_before_the_dot(
    gmail: PracticeGmail, account: GmailAccount, campaign: Campaign, where: str, fault: Any
) -> None:
    gmail.control(faults=[{"where": where} | fault])
    assert send_due(account.pk) == Tally(put_back=1)
    assert states(campaign) == [M.WAITING] * 3
    assert ledger_states(account) == ["void"]
    account.refresh_from_db()
    assert account.resting_until is not None
    assert account.resting_until > timezone.now()
    rested(account)
    assert send_due(account.pk) == Tally(sent=3)
    assert sorted(accepted(gmail, campaign)) == people(campaign)


def test_it_is_well_again_after_a_message_went_through(
    gmail: PracticeGmail, account: GmailAccount, campaign: Campaign
) -> None:
    gmail.control(faults=[{"where": "mail", "reply": "421 4.7.0 Try again later"}])
    send_due(account.pk)
    account.refresh_from_db()
    assert account.failures_in_a_row == 1
    GmailAccount.objects.filter(pk=account.pk).update(resting_until=timezone.now())
    assert send_due(account.pk) == Tally(sent=2), "the first waits for longer than the account"
    account.refresh_from_db()
    assert (account.failures_in_a_row, account.resting_until) == (0, None)


def test_it_never_sends_again_what_was_cut_off_in_its_body_unless_it_surely_failed(
    gmail: PracticeGmail, account: GmailAccount, campaign: Campaign
) -> None:
    """The dot of a short message may have left before the cut is noticed: then it is in doubt."""
    gmail.control(faults=[{"where": "body", "drop": True}])
    tally = send_due(account.pk)
    assert tally in (Tally(put_back=1), Tally(in_doubt=1))
    rested(account)
    send_due(account.pk)
    held = [M.IN_DOUBT] * tally.in_doubt
    assert states(campaign) == held + [M.SENT] * (3 - tally.in_doubt)
    assert len(accepted(gmail, campaign)) == 3 - tally.in_doubt


@pytest.mark.parametrize(("where", "really"), [("dot", 0), ("accepted", 1)])
def test_it_is_in_doubt_when_it_fails_after_the_dot_and_never_sends_again(
    gmail: PracticeGmail, account: GmailAccount, campaign: Campaign, where: str, really: int
) -> None:
    gmail.control(faults=[{"where": where, "drop": True}])
    assert send_due(account.pk) == Tally(in_doubt=1)
    assert len(accepted(gmail, campaign)) == really
    rested(account)
    assert send_due(account.pk) == Tally(sent=2)
    assert states(campaign) == [M.IN_DOUBT, M.SENT, M.SENT]
    assert ledger_states(account) == ["unknown", "accepted", "accepted"]
    assert len(accepted(gmail, campaign)) == 2 + really
    campaign.refresh_from_db()
    assert campaign.state == "finished"


@pytest.mark.parametrize("reply", ["421 4.3.0 Temporary System Problem", "451 4.3.0 Try later"])
def test_it_waits_again_when_gmail_says_no_to_the_dot(
    gmail: PracticeGmail, account: GmailAccount, campaign: Campaign, reply: str
) -> None:
    gmail.control(faults=[{"where": "dot", "reply": reply}])
    assert send_due(account.pk) == Tally(put_back=1)
    assert states(campaign) == [M.WAITING] * 3
    assert accepted(gmail, campaign) == []
    rested(account)
    assert send_due(account.pk) == Tally(sent=3)


def test_it_refuses_one_recipient_and_goes_on_over_the_same_session(
    gmail: PracticeGmail, account: GmailAccount, campaign: Campaign
) -> None:
    second = people(campaign)[1]
    reply = "550 5.1.1 The email account that you tried to reach does not exist."
    gmail.control(faults=[{"where": "rcpt", "reply": reply, "to": second}])
    assert send_due(account.pk) == Tally(sent=2, refused=1)
    assert states(campaign) == [M.SENT, M.REFUSED, M.SENT]


def test_it_stops_at_gmails_own_limit_and_loses_nobody(
    gmail: PracticeGmail, account: GmailAccount, campaign: Campaign
) -> None:
    gmail.control(limit=len(gmail.ledger()) + 1)
    assert send_due(account.pk) == Tally(sent=1, put_back=1)
    assert states(campaign) == [M.SENT, M.WAITING, M.WAITING]
    account.refresh_from_db()
    assert account.learned_limit == 1
    assert "5.4.5" in account.resting_reason


def test_it_gives_no_dot_when_it_slept_past_its_time(
    gmail: PracticeGmail,
    account: GmailAccount,
    campaign: Campaign,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    late = iter([True, False, False, False, False])
    monkeypatch.setattr(sender.Deadline, "passed", property(lambda self: next(late)))
    assert send_due(account.pk, keep_going=_times(1)) == Tally(put_back=1)
    late = iter([False, True])
    assert send_due(account.pk, keep_going=_times(1)) == Tally(put_back=1)
    assert accepted(gmail, campaign) == []
    assert states(campaign) == [M.WAITING] * 3


def test_it_keeps_gmails_word_while_the_database_is_away(
    gmail: PracticeGmail,
    account: GmailAccount,
    campaign: Campaign,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    original = outcomes.sent
    away = iter([True, True])

    def sent(*arguments: Any) -> None:
        if next(away, False):
            raise OperationalError("the database is away")
        original(*arguments)

    monkeypatch.setattr(outcomes, "sent", sent)
    monkeypatch.setattr(sender, "PAUSES", (0, 0, 0))
    monkeypatch.setattr(sender.connection, "close", lambda: None)
    assert send_due(account.pk) == Tally(sent=3)
    assert states(campaign) == [M.SENT] * 3


def test_it_says_nothing_more_to_gmail_after_an_error_of_its_own(
    gmail: PracticeGmail,
    account: GmailAccount,
    campaign: Campaign,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    def ask(self: SmtpLine, phase: Phase, command: str) -> Reply:
        said.append(command)
        return original(self, phase, command)

    said: list[str] = []
    original = SmtpLine.ask
    monkeypatch.setattr(SmtpLine, "ask", ask)
    after_the_body(monkeypatch, fail)
    with pytest.raises(ZeroDivisionError):
        send_due(account.pk)
    assert said[-1] == "DATA", "what follows would be a part of the message"
    assert accepted(gmail, campaign) == []
    account.refresh_from_db()
    assert account.burst_holder == ""


def test_it_does_not_write_to_the_suppressed_nor_to_the_deleted(
    gmail: PracticeGmail, account: GmailAccount, campaign: Campaign
) -> None:
    first, second, _ = campaign.messages.order_by("id")
    Suppression.objects.create(workspace=account.workspace, email_key=first.to_email)
    assert second.contact is not None
    second.contact.delete()
    assert send_due(account.pk) == Tally(sent=1, skipped=2)
    assert accepted(gmail, campaign) == [people(campaign)[2]]
    assert ledger_states(account).count("void") == 2


def test_it_pauses_the_campaign_whose_content_cannot_be_rendered(
    gmail: PracticeGmail, account: GmailAccount, campaign: Campaign
) -> None:
    campaign.revisions.update(html="{% for x in (1..9999999) %}{{ x }}{% endfor %}")
    assert send_due(account.pk) == Tally(put_back=1)
    campaign.refresh_from_db()
    assert campaign.state == "paused"
    assert campaign.state_reason
    assert states(campaign) == [M.WAITING] * 3


def test_it_skips_the_one_contact_with_whom_the_content_fails(
    gmail: PracticeGmail, account: GmailAccount, campaign: Campaign
) -> None:
    campaign.revisions.update(html="<p>{{ 10 | divided_by: number }}</p>")
    Contact.objects.update(fields={"number": "2"})
    Contact.objects.filter(email=people(campaign)[1]).update(fields={"number": "0"})
    assert send_due(account.pk) == Tally(sent=2, skipped=1)
    assert states(campaign) == [M.SENT, M.SKIPPED, M.SENT]


def test_it_needs_reconnecting_when_the_app_password_dies(
    gmail: PracticeGmail, account: GmailAccount, campaign: Campaign
) -> None:
    reply = "535 5.7.8 Username and Password not accepted."
    gmail.control(faults=[{"where": "auth", "reply": reply}])
    assert send_due(account.pk) == Tally(put_back=1)
    account.refresh_from_db()
    assert account.state == "needs_reconnecting"
    assert states(campaign) == [M.WAITING] * 3
    assert schedule.due_accounts(timezone.now()) == []


def test_it_sends_a_mail_of_its_own_as_it_stands(
    gmail: PracticeGmail, account: GmailAccount
) -> None:
    single = make_single(account, "owner@example.org")
    assert schedule.due_accounts(timezone.now()) == [account.pk]
    assert send_due(account.pk) == Tally(sent=1)
    single.refresh_from_db()
    assert (single.state, single.raw) == (M.SENT, None)


def test_it_leaves_an_account_alone_that_another_worker_has(
    gmail: PracticeGmail, account: GmailAccount, campaign: Campaign
) -> None:
    from campaigns.delivery import claim

    assert claim.take_account(account.pk, "another", timezone.now())
    assert send_due(account.pk) == Tally()
    assert schedule.due_accounts(timezone.now()) == []


def test_it_asks_the_database_little_for_each_message(account: GmailAccount) -> None:
    asked = []
    for handfuls in (1, 2):
        count = handfuls * HANDFUL
        make_campaign(account.workspace, [account], recipients=count)
        with CaptureQueriesContext(connection) as queries:
            assert send_due(account.pk, keep_going=_times(count)) == Tally(sent=count)
        asked.append(len(queries))
    # Among them those that begin and end its transactions.
    assert (asked[1] - asked[0]) / HANDFUL < 12


def test_it_stops_between_two_messages_when_asked_to(
    gmail: PracticeGmail, account: GmailAccount, campaign: Campaign
) -> None:
    assert send_due(account.pk, keep_going=_times(2)) == Tally(sent=2)
    account.refresh_from_db()
    assert account.burst_holder == ""


def _times(count: int) -> Callable[[], bool]:
    left = iter(range(count))
    return lambda: next(left, None) is not None
