from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts import sealed
from accounts.connect import disconnect
from accounts.models import GmailAccount, Workspace
from accounts.sessions import Session, open_imap, open_pop, open_smtp
from gmail.errors import AuthRefused, GrantRevoked, SessionEnded, Temporary
from gmail.replies import LoginRefusal
from tests.accounts.gmail_cast import ANA, connect_ana, connect_by_consent
from tests.contracts.practice import PracticeServer
from tests.gmail.cast import mail
from tests.practice_gmail import PracticeGmail


def deliver(account: GmailAccount, to: str) -> str:
    session = open_smtp(account, timezone.now())
    session.begin(account.address, to)
    session.body(f"From: {ANA}\r\nTo: {to}\r\nSubject: x\r\n\r\nx\r\n".encode())
    reply = session.finish()
    session.close()
    return str(reply)


@pytest.mark.parametrize("security", ["ssl", "starttls"])
def test_it_sends_for_an_account_with_an_app_password(
    gmail: PracticeGmail, workspace: Workspace, security: str
) -> None:
    account = connect_ana(workspace, smtp_security=security)
    assert deliver(account, f"{security}@example.org").startswith("250")


def test_it_sends_for_an_account_with_a_grant(gmail: PracticeGmail, workspace: Workspace) -> None:
    account = connect_by_consent(gmail, workspace)
    assert deliver(account, "grant@example.org").startswith("250")


def test_it_renews_a_token_once_that_gmail_refuses(
    gmail: PracticeGmail, workspace: Workspace
) -> None:
    account = connect_by_consent(gmail, workspace)
    spoilt = sealed.ACCESS_TOKEN.seal(account, "ya29.spoilt")
    GmailAccount.objects.filter(pk=account.pk).update(sealed_access_token=spoilt)
    assert deliver(account, "renewed@example.org").startswith("250")
    account.refresh_from_db()
    assert account.state == GmailAccount.State.READY
    assert sealed.ACCESS_TOKEN.open(account) != "ya29.spoilt"


def test_it_needs_reconnecting_when_a_fresh_token_is_refused_too(
    gmail: PracticeGmail, workspace: Workspace
) -> None:
    account = connect_by_consent(gmail, workspace)
    refusal = {"where": "auth", "reply": "535 5.7.8 Username and Password not accepted"}
    gmail.control(faults=[{**refusal, "times": 2}])
    with pytest.raises(AuthRefused):
        open_smtp(account, timezone.now())
    account.refresh_from_db()
    assert account.state == GmailAccount.State.NEEDS_RECONNECTING
    assert "Connect the account again" in account.state_reason


def test_it_needs_reconnecting_when_the_grant_is_revoked(
    gmail: PracticeGmail, workspace: Workspace
) -> None:
    account = connect_by_consent(gmail, workspace)
    gmail.control(revoke=ANA)
    with pytest.raises(GrantRevoked):
        open_smtp(account, timezone.now())
    account.refresh_from_db()
    assert account.state == GmailAccount.State.NEEDS_RECONNECTING


@pytest.mark.parametrize(
    ("reply", "word"),
    [
        ("535 5.7.8 Username and Password not accepted", "new app password"),
        ("534 5.7.9 Application-specific password required", "apppasswords"),
        ("534 5.7.14 Please log in through your web browser", "browser"),
    ],
)
def test_it_says_what_to_do_when_an_app_password_is_refused(
    gmail: PracticeGmail, workspace: Workspace, reply: str, word: str
) -> None:
    account = connect_ana(workspace)
    gmail.control(faults=[{"where": "auth", "reply": reply}])
    with pytest.raises(AuthRefused):
        open_smtp(account, timezone.now())
    account.refresh_from_db()
    assert account.state == GmailAccount.State.NEEDS_RECONNECTING
    assert word in account.state_reason


def test_it_stays_connected_when_too_many_log_in(
    gmail: PracticeGmail, workspace: Workspace
) -> None:
    account = connect_ana(workspace)
    gmail.control(faults=[{"where": "auth", "reply": "454 4.7.0 Too many login attempts"}])
    with pytest.raises(Temporary):
        open_smtp(account, timezone.now())
    account.refresh_from_db()
    assert account.state == GmailAccount.State.READY


def test_it_uses_the_newest_secret_whatever_the_caller_holds(
    gmail: PracticeGmail, workspace: Workspace
) -> None:
    stale = connect_ana(workspace)
    connect_by_consent(gmail, workspace)
    assert deliver(stale, "stale@example.org").startswith("250")


def test_it_opens_nothing_for_a_disconnected_account(
    gmail: PracticeGmail, workspace: Workspace
) -> None:
    account = connect_ana(workspace)
    disconnect(account)
    with pytest.raises(GrantRevoked):
        open_smtp(account, timezone.now())


@pytest.mark.parametrize("by_consent", [True, False], ids=["grant", "app password"])
def test_it_opens_sessions_for_reading(
    gmail: PracticeGmail, workspace: Workspace, by_consent: bool
) -> None:
    account = connect_by_consent(gmail, workspace) if by_consent else connect_ana(workspace)
    for opener in (open_imap, open_pop):
        session = opener(account, timezone.now())
        assert session.alive
        session.close()


@pytest.mark.parametrize("opener", [open_imap, open_pop])
def test_it_renews_a_token_once_that_is_refused_for_reading(
    gmail: PracticeGmail, workspace: Workspace, opener: Callable[..., Session]
) -> None:
    account = connect_by_consent(gmail, workspace)
    spoilt = sealed.ACCESS_TOKEN.seal(account, "ya29.spoilt")
    GmailAccount.objects.filter(pk=account.pk).update(sealed_access_token=spoilt)
    opener(account, timezone.now()).close()
    account.refresh_from_db()
    assert account.state == GmailAccount.State.READY
    assert sealed.ACCESS_TOKEN.open(account) != "ya29.spoilt"


def test_a_session_that_ended_with_its_token_is_followed_by_one_with_a_fresh_token(
    gmail: PracticeGmail, workspace: Workspace
) -> None:
    account = connect_by_consent(gmail, workspace)
    now = timezone.now()
    session = open_imap(account, now)
    before = session.examine("INBOX")
    account.refresh_from_db()
    token = sealed.ACCESS_TOKEN.open(account)
    later = timedelta(hours=2)
    gmail.control(clock_offset=later.total_seconds())
    with pytest.raises(SessionEnded):
        session.examine("INBOX")
    session = open_imap(account, now + later)
    assert session.examine("INBOX").uid_validity == before.uid_validity
    session.close()
    account.refresh_from_db()
    assert sealed.ACCESS_TOKEN.open(account) != token


@pytest.mark.parametrize("by_consent", [True, False], ids=["grant", "app password"])
@pytest.mark.parametrize(("protocol", "opener"), [("imap", open_imap), ("pop", open_pop)])
def test_it_goes_on_sending_for_a_mailbox_that_may_not_be_read(
    gmail: PracticeGmail,
    workspace: Workspace,
    protocol: str,
    opener: Callable[..., Session],
    by_consent: bool,
) -> None:
    account = connect_by_consent(gmail, workspace) if by_consent else connect_ana(workspace)
    gmail.control(**{protocol: {ANA: False}})
    with pytest.raises(AuthRefused) as caught:
        opener(account, timezone.now())
    assert caught.value.why is LoginRefusal.SWITCHED_OFF
    account.refresh_from_db()
    assert account.state == GmailAccount.State.READY
    assert deliver(account, f"{protocol}@example.org").startswith("250")


@pytest.mark.parametrize(("protocol", "opener"), [("imap", open_imap), ("pop", open_pop)])
def test_it_keeps_a_token_that_is_not_to_blame_for_a_mailbox_that_may_not_be_read(
    gmail: PracticeGmail, workspace: Workspace, protocol: str, opener: Callable[..., Session]
) -> None:
    account = connect_by_consent(gmail, workspace)
    token = account.sealed_access_token
    assert token
    gmail.control(**{protocol: {ANA: False}})
    with pytest.raises(AuthRefused):
        opener(account, timezone.now())
    account.refresh_from_db()
    assert account.sealed_access_token == token
    assert account.access_token_expires_at is not None


@pytest.mark.parametrize("by_consent", [True, False], ids=["grant", "app password"])
@pytest.mark.parametrize(
    ("protocol", "opener", "reply"),
    [
        ("imap", open_imap, "NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)"),
        ("imap", open_imap, "NO [WEBALERT https://accounts.google.com] Web login required."),
        ("pop", open_pop, "-ERR [AUTH] Username and password not accepted."),
        ("pop", open_pop, "-ERR [AUTH] Web login required"),
    ],
)
def test_it_goes_on_sending_when_a_reader_is_refused(
    gmail: PracticeGmail,
    workspace: Workspace,
    protocol: str,
    opener: Callable[..., Session],
    reply: str,
    by_consent: bool,
) -> None:
    account = connect_by_consent(gmail, workspace) if by_consent else connect_ana(workspace)
    gmail.control(faults=[{"protocol": protocol, "where": "auth", "reply": reply, "times": 2}])
    with pytest.raises(AuthRefused):
        opener(account, timezone.now())
    gmail.control(faults=[])
    account.refresh_from_db()
    assert account.state == GmailAccount.State.READY
    assert deliver(account, f"refused-{protocol}@example.org").startswith("250")


def test_it_reads_by_pop_what_another_program_has_fetched(
    gmail: PracticeGmail, workspace: Workspace
) -> None:
    account = connect_ana(workspace)
    PracticeServer.of(gmail, ANA).put(mail(ANA))
    first = open_pop(account, timezone.now())
    (uidl, number) = next(reversed(first.uidls().items()))
    assert first.retrieve(number)
    first.close()
    second = open_pop(account, timezone.now())
    assert uidl in second.uidls()
    second.close()
