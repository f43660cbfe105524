"""What the doctor says of servers that are well, and of those that are not."""

import threading
import time
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts import explain, sealed
from accounts.connect import disconnect
from accounts.doctor import examination, probes
from accounts.doctor.check import Check, Name
from accounts.doctor.examination import Examination
from accounts.models import CheckUp, GmailAccount, Workspace
from gmail import oauth
from gmail.errors import Unreachable
from gmail.oauth import AccessToken
from tests.accounts.doctor.silent_servers import (
    HTTP_HEADER,
    port_that_trickles,
    wait_for_probes,
)
from tests.accounts.gmail_cast import ANA, BEN, connect_ana, connect_by_consent
from tests.practice_gmail import PracticeGmail

LOG_INS = (Name.SMTP_SSL, Name.SMTP_STARTTLS, Name.IMAP, Name.POP)


def look(account: GmailAccount) -> dict[str, Check]:
    found = list(Examination(account, timezone.now()).checks())
    names = [check.name for check in found]
    assert sorted(names) == sorted(set(Name) - {Name.SELF_TEST})
    return {check.name: check for check in found}


def red(found: dict[str, Check]) -> set[str]:
    return {name for name, check in found.items() if check.is_red}


@pytest.mark.parametrize("way", [connect_ana, None])
def test_it_finds_a_healthy_account_healthy(
    gmail: PracticeGmail, workspace: Workspace, way: Any
) -> None:
    account = way(workspace) if way else connect_by_consent(gmail, workspace)
    found = look(account)
    assert [check.detail for check in found.values() if not check.ok] == []
    assert [check.remedy for check in found.values() if check.remedy] == []


def test_it_is_asked_for_when_an_account_is_connected(
    gmail: PracticeGmail, workspace: Workspace
) -> None:
    account = connect_ana(workspace)
    assert CheckUp.objects.get().account == account
    CheckUp.objects.update(finished_at=timezone.now())
    connect_ana(workspace)
    assert CheckUp.objects.get().finished_at is None


@pytest.mark.parametrize(
    ("settled", "needed"),
    [
        ({"smtp_security": "ssl", "inbound": "imap"}, {"smtp-ssl", "imap", "sent-folder"}),
        ({"smtp_security": "starttls", "inbound": "pop"}, {"smtp-starttls", "pop"}),
        ({"smtp_security": "ssl", "inbound": "none"}, {"smtp-ssl"}),
    ],
)
def test_it_needs_only_what_the_account_uses(
    gmail: PracticeGmail, workspace: Workspace, settled: dict[str, str], needed: set[str]
) -> None:
    account = connect_ana(workspace, **settled)
    found = look(account)
    assert {name for name, check in found.items() if check.needed} == needed | {"clock"}


# --- What is wrong with the account ----------------------------------------------------------


def test_it_says_that_an_app_password_is_refused(
    gmail: PracticeGmail, workspace: Workspace
) -> None:
    """As when the account's password was changed since."""
    account = connect_ana(workspace)
    GmailAccount.objects.update(
        practice=False, sealed_secret=sealed.ACCOUNT_SECRET.seal(account, "wrong" * 3)
    )
    found = look(account)
    assert red(found) == {"smtp-ssl", "imap"}
    assert "535 5.7.8" in found["smtp-ssl"].detail
    for name in LOG_INS:
        assert "make a new app password" in found[name].remedy
        assert found[name].connect_again
    assert found["sent-folder"].detail == "Waits for “Reading by IMAP”."


@pytest.mark.parametrize("security", ["ssl", "starttls"])
def test_it_stops_an_account_that_gmail_does_not_let_send(
    gmail: PracticeGmail, workspace: Workspace, security: str
) -> None:
    """What a sender would find out with the next message."""
    account = connect_ana(workspace, smtp_security=security)
    GmailAccount.objects.update(
        sealed_secret=sealed.ACCOUNT_SECRET.seal(account, "wrong" * 3), practice=False
    )
    assert f"smtp-{security}" in red(look(account))
    account.refresh_from_db()
    assert account.state == GmailAccount.State.NEEDS_RECONNECTING
    assert "new app password" in account.state_reason


@pytest.mark.parametrize("protocol", ["imap", "pop"])
def test_it_lets_an_account_send_that_may_not_read(
    gmail: PracticeGmail, workspace: Workspace, protocol: str
) -> None:
    account = connect_ana(workspace, inbound=protocol)
    refusal = "-ERR [AUTH] Web login required"
    if protocol == "imap":
        refusal = "NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)"
    gmail.control(faults=[{"protocol": protocol, "where": "auth", "reply": refusal}])
    assert protocol in red(look(account))
    account.refresh_from_db()
    assert account.state == GmailAccount.State.READY


def test_it_leaves_an_account_alone_that_was_connected_again_meanwhile(
    gmail: PracticeGmail, workspace: Workspace
) -> None:
    """The old secret's refusal says nothing about the new one."""
    account = connect_ana(workspace)
    good = account.sealed_secret
    GmailAccount.objects.update(sealed_secret=sealed.ACCOUNT_SECRET.seal(account, "wrong" * 3))
    begun = Examination(account, timezone.now())
    GmailAccount.objects.update(sealed_secret=good)
    assert any(check.is_red for check in begun.checks())
    account.refresh_from_db()
    assert account.state == GmailAccount.State.READY


def test_it_says_that_a_consent_is_over(gmail: PracticeGmail, workspace: Workspace) -> None:
    account = connect_by_consent(gmail, workspace, BEN)
    GmailAccount.objects.update(practice=False)
    gmail.control(revoke=BEN)
    found = look(account)
    assert red(found) == {"smtp-ssl"}
    assert found["smtp-ssl"].detail == explain.why_grant_ended()
    for name in (*LOG_INS, Name.SENT_FOLDER):
        assert "7 days" in found[name].remedy
        assert "Publishing status" in found[name].remedy
        assert found[name].connect_again
        waits = "" if name == Name.SMTP_SSL else "Waits for “Sending, TLS from the start”."
        assert waits in found[name].detail
    assert found["clock"].ok
    account.refresh_from_db()
    assert account.state == GmailAccount.State.NEEDS_RECONNECTING


def test_it_says_that_an_account_is_disconnected(
    gmail: PracticeGmail, workspace: Workspace
) -> None:
    account = connect_ana(workspace)
    disconnect(account)
    found = look(account)
    assert "disconnected" in found["smtp-ssl"].detail
    assert "Connect the account again" in found["smtp-ssl"].remedy


def test_it_says_that_a_secret_cannot_be_opened(gmail: PracticeGmail, workspace: Workspace) -> None:
    account = connect_ana(workspace)
    GmailAccount.objects.update(sealed_secret="not a sealed one")
    found = look(account)
    assert "VAULT_KEYS" in found["smtp-ssl"].remedy
    assert found["clock"].ok


# --- What is wrong around it -----------------------------------------------------------------


def test_it_says_that_something_answers_in_gmails_place(
    gmail: PracticeGmail, workspace: Workspace, settings: Settings
) -> None:
    account = connect_ana(workspace)
    settings.GMAIL = {**settings.GMAIL, "ca_file": ""}
    found = look(account)
    for name in LOG_INS:
        assert "certificate" in found[name].detail
        assert "GMAIL_CA_FILE" in found[name].remedy


def test_it_says_that_the_certificate_authority_cannot_be_read(
    gmail: PracticeGmail, workspace: Workspace, settings: Settings, tmp_path: Path
) -> None:
    account = connect_ana(workspace)
    settings.GMAIL = {**settings.GMAIL, "ca_file": str(tmp_path / "none.pem")}
    found = look(account)
    assert {found[name].remedy for name in (*LOG_INS, Name.CLOCK)} == {
        "Set GMAIL_CA_FILE to a PEM file that can be read, or leave it out."
    }


def test_it_says_that_the_practice_gmail_is_gone(
    gmail: PracticeGmail, workspace: Workspace, settings: Settings
) -> None:
    account = connect_ana(workspace)
    settings.GMAIL = {**settings.GMAIL, "smtp_host": "smtp.gmail.com"}
    found = look(account)
    assert {found[name].remedy for name in LOG_INS} == {
        "See whether the practice Gmail is running: make run starts it."
    }


def test_it_advises_the_other_port(
    gmail: PracticeGmail, workspace: Workspace, settings: Settings
) -> None:
    account = connect_ana(workspace)
    GmailAccount.objects.update(practice=False)
    settings.GMAIL = {**settings.GMAIL, "smtp_ssl_port": 1, "imap_port": 1}
    found = look(account)
    assert "STARTTLS (port 587)" in found["smtp-ssl"].remedy
    assert found["smtp-starttls"].ok
    assert "port 1" in found["imap"].remedy


@pytest.mark.parametrize(("offset", "words"), [(-125, "seconds ahead"), (3600, "seconds behind")])
def test_it_says_that_the_clock_is_wrong(
    gmail: PracticeGmail, workspace: Workspace, offset: int, words: str
) -> None:
    account = connect_ana(workspace)
    gmail.control(clock_offset=offset)
    check = look(account)["clock"]
    assert check.is_red
    assert words in check.detail
    assert "NTP" in check.remedy


def test_it_says_that_sent_is_hidden_from_imap(gmail: PracticeGmail, workspace: Workspace) -> None:
    account = connect_ana(workspace)
    gmail.control(hide={ANA: ["sent"]})
    found = look(account)
    assert red(found) == {"sent-folder"}
    assert "“Show in IMAP”" in found["sent-folder"].remedy
    assert "/control" in found["sent-folder"].remedy
    GmailAccount.objects.update(practice=False)
    assert "/control" not in look(account)["sent-folder"].remedy


def test_it_advises_to_show_all_mail(gmail: PracticeGmail, workspace: Workspace) -> None:
    account = connect_ana(workspace)
    gmail.control(hide={ANA: ["all"]})
    check = look(account)["sent-folder"]
    assert check.ok
    assert "“All Mail”" in check.remedy


def test_it_says_that_pop_is_switched_off(gmail: PracticeGmail, workspace: Workspace) -> None:
    account = connect_ana(workspace, inbound="pop")
    gmail.control(pop={ANA: False})
    found = look(account)
    assert red(found) == {"pop"}
    assert "Enable POP" in found["pop"].remedy
    assert "/control" in found["pop"].remedy
    assert not found["pop"].connect_again


def test_it_asks_no_clock_of_who_has_no_token(
    gmail: PracticeGmail, workspace: Workspace, settings: Settings
) -> None:
    account = connect_ana(workspace)
    settings.GOOGLE = {**settings.GOOGLE, "token_uri": "http://127.0.0.1:1/token"}
    check = look(account)["clock"]
    assert (check.ok, check.needed) == (False, False)


def test_it_is_not_held_up_by_a_server_that_trickles(
    gmail: PracticeGmail,
    workspace: Workspace,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    account = connect_ana(workspace)
    monkeypatch.setattr(examination, "DEADLINE_SECONDS", 3)
    with port_that_trickles() as port:
        settings.GMAIL = {**settings.GMAIL, "smtp_starttls_port": port}
        begun = time.monotonic()
        found = look(account)
        assert time.monotonic() - begun < 15
    assert found["smtp-ssl"].ok
    assert not found["smtp-starttls"].ok
    assert "does not come to an end" in found["smtp-starttls"].detail


def test_it_is_not_held_up_by_a_token_that_trickles(
    gmail: PracticeGmail,
    workspace: Workspace,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    account = connect_by_consent(gmail, workspace)
    monkeypatch.setattr(probes, "WAIT_SECONDS", 1)
    with port_that_trickles(HTTP_HEADER, b"a") as port:
        settings.GOOGLE = {**settings.GOOGLE, "token_uri": f"http://127.0.0.1:{port}/token"}
        begun = time.monotonic()
        found = look(account)
        assert time.monotonic() - begun < 15
    assert {found[name].detail for name in (*LOG_INS, Name.CLOCK)} == {
        "Google did not answer in time."
    }
    account.refresh_from_db()
    assert account.state == GmailAccount.State.READY


def test_it_asks_for_the_tokens_of_several_accounts_at_once(
    gmail: PracticeGmail, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = connect_by_consent(gmail, workspace)
    monkeypatch.setattr(examination, "DEADLINE_SECONDS", 120)
    all_ask = threading.Barrier(4)

    def refresh(*_: object) -> AccessToken:
        all_ask.wait(60)  # broken where one waits for the other
        raise Unreachable("All of them have asked.")

    monkeypatch.setattr(oauth, "refresh", refresh)
    several = [Examination(account, timezone.now()) for _ in range(4)]
    for each in several:
        details = [check.detail for check in each.checks()]
        assert details.count("All of them have asked.") == 5
    wait_for_probes()
