"""Connecting by app password and by consent, against the practice Gmail."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts import sealed
from accounts.connect import (
    CONSENT_KEY,
    ConnectError,
    connect_by_app_password,
    disconnect,
    finish_oauth,
    mailbox_key,
    start_oauth,
)
from accounts.models import GmailAccount, LedgerRow, Workspace
from gmail import oauth
from gmail.endpoints import Endpoints
from gmail.errors import GrantRevoked
from tests.accounts.gmail_cast import (
    ANA,
    ANA_PASSWORD,
    BEN,
    REDIRECT,
    connect_ana,
    connect_by_consent,
    new_workspace,
)
from tests.practice_gmail import PracticeGmail

State = GmailAccount.State


@pytest.mark.parametrize(
    "spelling",
    [
        "ana@gmail.com",
        "Ana@GMail.com",
        "a.n.a@gmail.com",
        "ana+news@googlemail.com",
        " ana@gmail.com",
    ],
)
def test_it_knows_one_mailbox_by_all_its_spellings(spelling: str) -> None:
    assert mailbox_key(spelling) == "ana@gmail.com"


def test_it_tells_mailboxes_apart() -> None:
    assert mailbox_key("a.na@club.example") != mailbox_key("ana@club.example")
    assert mailbox_key("ana+news@club.example") == mailbox_key("ana@club.example")
    assert mailbox_key("Ana@Club.Example") == mailbox_key("ana@club.example")
    assert mailbox_key("ana@gmail.com", practice=True) != mailbox_key("ana@gmail.com")


# --- App password ----------------------------------------------------------------------------


def test_it_connects_by_app_password(gmail: PracticeGmail, workspace: Workspace) -> None:
    account = connect_ana(workspace, limit=120, inbound="none", smtp_security="starttls")
    account.refresh_from_db()
    assert (account.address, account.state, account.auth) == (ANA, State.READY, "app_password")
    assert (account.limit, account.inbound, account.smtp_security) == (120, "none", "starttls")
    assert account.workspace == workspace
    assert sealed.ACCOUNT_SECRET.open(account) == ANA_PASSWORD.replace(" ", "")


def test_it_practises_without_reserves(gmail: PracticeGmail, workspace: Workspace) -> None:
    account = connect_ana(workspace)
    assert account.practice
    assert (account.reserve_by_hand, account.reserve_transactional) == (0, 0)
    assert not account.ramp


def test_it_begins_with_less_where_the_mailbox_is_a_real_one(
    gmail: PracticeGmail, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Endpoints, "on_this_machine", False)
    account = connect_ana(workspace)
    assert not account.practice
    assert (account.ramp, account.ramp_first, account.ramp_growth) == (True, 100, 50)
    assert account.ramp_began_at is None
    assert not connect_ana(workspace, ramp=False).ramp
    # Connected again, it keeps what its person has said.
    assert not connect_ana(workspace).ramp


@pytest.mark.parametrize(
    ("address", "password", "field", "words"),
    [
        (ANA, "abcd efgh ijkl mnoq", "password", "did not accept"),
        (ANA, "my usual password 1", "password", "does not look like an app password"),
        (ANA, "   ", "password", "16 letters"),
        ("ana", ANA_PASSWORD, "address", "not an e-mail address"),
        ("ana@gmail.com\r\nDATA", ANA_PASSWORD, "address", "not an e-mail address"),
        (BEN, ANA_PASSWORD, "password", "did not accept"),
    ],
)
def test_it_says_what_is_wrong_and_saves_nothing(
    gmail: PracticeGmail,
    workspace: Workspace,
    address: str,
    password: str,
    field: str,
    words: str,
) -> None:
    with pytest.raises(ConnectError, match=words) as caught:
        connect_by_app_password(workspace, address, password)
    assert caught.value.field == field
    assert not GmailAccount.objects.exists()


def test_it_says_that_gmail_cannot_be_reached(
    gmail: PracticeGmail, workspace: Workspace, settings: Settings
) -> None:
    settings.GMAIL = {**settings.GMAIL, "smtp_ssl_port": 1}
    with pytest.raises(ConnectError, match="could not be reached .*refused"):
        connect_ana(workspace)
    assert not GmailAccount.objects.exists()


def test_it_says_that_gmail_is_busy(gmail: PracticeGmail, workspace: Workspace) -> None:
    gmail.control(faults=[{"where": "auth", "reply": "454 4.7.0 Too many login attempts"}])
    with pytest.raises(ConnectError, match="Too many login attempts.*in a few minutes"):
        connect_ana(workspace)


def test_it_keeps_a_connected_account_as_it_is_when_gmail_refuses_another_try(
    gmail: PracticeGmail, workspace: Workspace
) -> None:
    account = connect_ana(workspace)
    before = GmailAccount.objects.values().get(pk=account.pk)
    with pytest.raises(ConnectError):
        connect_by_app_password(workspace, ANA, "abcd efgh ijkl mnoq", limit=7)
    assert GmailAccount.objects.values().get(pk=account.pk) == before


def test_it_revives_the_same_row_with_its_ledger(
    gmail: PracticeGmail, workspace: Workspace
) -> None:
    account = connect_ana(workspace, limit=120)
    now = timezone.now()
    LedgerRow.objects.create(
        account=account, source="campaign", state="accepted", reserved_at=now, at=now
    )
    disconnect(account)
    again = connect_by_consent(gmail, workspace)
    assert again.pk == account.pk
    assert (again.state, again.auth, again.limit) == (State.READY, "oauth", 120)
    assert again.ledger.count() == 1


def test_it_lets_an_account_rest_on_that_rests_for_its_limit(
    gmail: PracticeGmail, workspace: Workspace
) -> None:
    account = connect_ana(workspace)
    until = timezone.now() + timedelta(hours=5)
    GmailAccount.objects.filter(pk=account.pk).update(resting_until=until)
    assert connect_ana(workspace).resting_until == until


def test_it_refuses_a_mailbox_of_another_workspace_and_changes_nothing(
    gmail: PracticeGmail, workspace: Workspace
) -> None:
    theirs = connect_ana(new_workspace())
    before = GmailAccount.objects.values().get(pk=theirs.pk)
    with pytest.raises(ConnectError, match="in another workspace"):
        connect_ana(workspace)
    with pytest.raises(ConnectError, match="in another workspace"):
        connect_by_consent(gmail, workspace)
    assert list(GmailAccount.objects.values()) == [before]


def test_it_does_not_tell_where_a_mailbox_is_connected_to_somebody_without_its_password(
    gmail: PracticeGmail, workspace: Workspace
) -> None:
    connect_ana(new_workspace())
    with pytest.raises(ConnectError, match="did not accept"):
        connect_by_app_password(workspace, ANA, "abcd efgh ijkl mnoq")


def test_it_connects_to_the_practice_gmail_beside_google(
    shared_gmail: PracticeGmail, workspace: Workspace, settings: Settings
) -> None:
    settings.PRACTICE_DIR = shared_gmail.directory
    assert settings.GMAIL["smtp_host"] == "smtp.gmail.com"
    account = connect_ana(workspace, practice=True)
    assert account.practice
    assert account.mailbox_key == "practice:ana@gmail.com"
    settings.PRACTICE_DIR = shared_gmail.directory / "nothing"
    with pytest.raises(ConnectError, match="make run"):
        connect_ana(workspace, practice=True)


# --- Consent ---------------------------------------------------------------------------------


def begin(workspace: Workspace, **changes: Any) -> tuple[dict[str, Any], str]:
    session: dict[str, Any] = {}
    return session, start_oauth(session, workspace, REDIRECT, **changes)


def test_it_connects_by_consent(gmail: PracticeGmail, workspace: Workspace) -> None:
    now = timezone.now()
    session, url = begin(workspace)
    account = finish_oauth(session, workspace, gmail.consent(url, account=BEN), now)
    account.refresh_from_db()
    assert (account.address, account.state, account.auth) == (BEN, State.READY, "oauth")
    assert account.access_token_expires_at is not None
    assert timedelta(minutes=50) < account.access_token_expires_at - now <= timedelta(hours=1)
    assert sealed.ACCOUNT_SECRET.open(account).startswith("1//")
    assert CONSENT_KEY not in session


def test_it_takes_an_answer_once(gmail: PracticeGmail, workspace: Workspace) -> None:
    session, url = begin(workspace)
    answer = gmail.consent(url, account=ANA)
    finish_oauth(session, workspace, answer, timezone.now())
    with pytest.raises(ConnectError, match="used up"):
        finish_oauth(session, workspace, answer, timezone.now())
    assert GmailAccount.objects.count() == 1


def test_it_refuses_an_answer_of_another_try_and_still_takes_its_own(
    gmail: PracticeGmail, workspace: Workspace
) -> None:
    session, url = begin(workspace)
    _, other = begin(workspace)
    with pytest.raises(ConnectError, match="another try"):
        finish_oauth(session, workspace, gmail.consent(other, account=BEN), timezone.now())
    account = finish_oauth(session, workspace, gmail.consent(url, account=ANA), timezone.now())
    assert account.address == ANA


def test_it_refuses_an_answer_in_another_workspace(
    gmail: PracticeGmail, workspace: Workspace
) -> None:
    session, url = begin(workspace)
    with pytest.raises(ConnectError, match="another try"):
        finish_oauth(session, new_workspace(), gmail.consent(url, account=ANA), timezone.now())
    assert not GmailAccount.objects.exists()


@pytest.mark.parametrize("answer", ["", "hello", "https://x/?code=1", "https://x/?state=a&state=b"])
def test_it_says_that_a_pasted_address_is_not_googles_answer(
    gmail: PracticeGmail, workspace: Workspace, answer: str
) -> None:
    session, _ = begin(workspace)
    with pytest.raises(ConnectError, match="no state") as caught:
        finish_oauth(session, workspace, answer, timezone.now())
    assert caught.value.field == "answer"
    assert CONSENT_KEY in session


@pytest.mark.parametrize(
    ("choices", "words"),
    [({"allow": False}, "not allowed"), ({"mail": False}, "access to Gmail was left out")],
)
def test_it_says_that_the_consent_was_not_given(
    gmail: PracticeGmail, workspace: Workspace, choices: dict[str, bool], words: str
) -> None:
    session, url = begin(workspace)
    with pytest.raises(ConnectError, match=words):
        finish_oauth(session, workspace, gmail.consent(url, account=ANA, **choices), timezone.now())
    assert not GmailAccount.objects.exists()


def test_it_says_that_the_client_is_wrong(
    gmail: PracticeGmail, workspace: Workspace, settings: Settings
) -> None:
    session, url = begin(workspace)
    answer = gmail.consent(url, account=ANA)
    settings.GOOGLE = {**settings.GOOGLE, "client_secret": "GOCSPX-wrong"}
    with pytest.raises(ConnectError, match="client id and secret"):
        finish_oauth(session, workspace, answer, timezone.now())
    assert not GmailAccount.objects.exists()


def test_it_asks_for_the_client_first(
    gmail: PracticeGmail, workspace: Workspace, settings: Settings
) -> None:
    settings.GOOGLE = {**settings.GOOGLE, "client_id": ""}
    with pytest.raises(ConnectError) as caught:
        begin(workspace)
    assert caught.value.field == "client_id"


def test_it_refuses_another_mailbox_than_the_one_to_connect_again(
    gmail: PracticeGmail, workspace: Workspace
) -> None:
    account = connect_ana(workspace)
    session, url = begin(workspace, account=account)
    assert "login_hint=ana%40gmail.com" in url
    with pytest.raises(ConnectError, match="You chose ben@gmail.com.*about ana@gmail.com"):
        finish_oauth(session, workspace, gmail.consent(url, account=BEN), timezone.now())
    account.refresh_from_db()
    assert account.auth == "app_password"
    assert GmailAccount.objects.count() == 1


def test_it_connects_again_what_needed_it(gmail: PracticeGmail, workspace: Workspace) -> None:
    account = connect_by_consent(gmail, workspace)
    GmailAccount.objects.update(state=State.NEEDS_RECONNECTING, state_reason="Revoked.")
    again = connect_by_consent(gmail, workspace, account=account)
    assert (again.pk, again.state, again.state_reason) == (account.pk, State.READY, "")


# --- Disconnect ------------------------------------------------------------------------------


def test_it_forgets_the_secrets_and_takes_the_consent_back(
    gmail: PracticeGmail, workspace: Workspace
) -> None:
    account = connect_by_consent(gmail, workspace)
    refresh_token = sealed.ACCOUNT_SECRET.open(account)
    disconnect(account)
    account.refresh_from_db()
    assert account.state == State.DISCONNECTED
    assert (account.sealed_secret, account.sealed_access_token) == ("", "")
    from accounts.endpoints import google_endpoints

    with pytest.raises(GrantRevoked):
        oauth.refresh(google_endpoints(workspace), refresh_token)


def test_it_disconnects_although_google_cannot_be_told(
    gmail: PracticeGmail, workspace: Workspace, settings: Settings
) -> None:
    account = connect_by_consent(gmail, workspace)
    settings.GOOGLE = {**settings.GOOGLE, "revoke_uri": "http://127.0.0.1:1/revoke"}
    disconnect(account)
    account.refresh_from_db()
    assert (account.state, account.sealed_secret) == (State.DISCONNECTED, "")


def test_it_disconnects_although_the_key_is_lost(
    gmail: PracticeGmail, workspace: Workspace, settings: Settings
) -> None:
    from cryptography.fernet import Fernet

    account = connect_by_consent(gmail, workspace)
    settings.VAULT_KEYS = [Fernet.generate_key().decode()]
    disconnect(account)
    account.refresh_from_db()
    assert account.state == State.DISCONNECTED
