"""manage.py doctor: what a person or a script gets to hear, and how soon."""

import json
import time
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from accounts import connect, sealed
from accounts.doctor.check import Name
from accounts.models import CheckUp, GmailAccount, Workspace
from tests.accounts.doctor.silent_servers import port_that_never_answers
from tests.accounts.gmail_cast import connect_by_consent
from tests.campaigns.making import make_workspace
from tests.gmail_settings import point_at
from tests.practice_gmail import PracticeGmail

ANA, BEN, CAT = "ana@gmail.com", "ben@gmail.com", "cat@gmail.com"


@pytest.fixture(scope="module")
def shared_gmail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PracticeGmail]:
    folder = tmp_path_factory.mktemp("practice")
    with PracticeGmail(folder / "gmail", accounts=[ANA, BEN, CAT], limit=100_000) as gmail:
        yield gmail


@pytest.fixture
def gmail(shared_gmail: PracticeGmail, settings: Any) -> PracticeGmail:
    shared_gmail.control(clock_offset=0, faults=[], sent_delay=0, imap={ANA: True})
    point_at(shared_gmail, settings)
    return shared_gmail


@pytest.fixture
def workspace(db: None) -> Workspace:
    return make_workspace()


@pytest.fixture
def ana(gmail: PracticeGmail, workspace: Workspace) -> GmailAccount:
    return connected(gmail, workspace, ANA)


def connected(gmail: PracticeGmail, workspace: Workspace, address: str) -> GmailAccount:
    """By an app password, and as if it were Google's: what is said to a real person."""
    account = connect.connect_by_app_password(workspace, address, gmail.app_password(address))
    GmailAccount.objects.filter(pk=account.pk).update(practice=False)
    return account


def doctor(*arguments: str) -> tuple[Any, str]:
    """What `--json` answers, and the sentence on standard error; empty where all is well."""
    out = StringIO()
    try:
        call_command("doctor", *arguments, "--json", stdout=out)
    except CommandError as error:
        return json.loads(out.getvalue()), str(error)
    return json.loads(out.getvalue()), ""


def red_lines(report: dict[str, Any]) -> dict[str, str]:
    """The remedy of each check that is needed and fails."""
    failed = [check for check in report["checks"] if check["needed"] and not check["ok"]]
    return {check["name"]: check["remedy"] for check in failed}


def causes(report: dict[str, Any]) -> set[str]:
    """Those of them that do not only follow from another."""
    waiting = {check["name"] for check in report["checks"] if check["waits_for"]}
    return set(red_lines(report)) - waiting


def test_it_answers_for_one_account(ana: GmailAccount) -> None:
    report, complaint = doctor(ANA)
    assert complaint == ""
    assert report["account"] == ANA
    assert [check["name"] for check in report["checks"]] == list(Name)
    assert {frozenset(check) for check in report["checks"]} == {
        frozenset({"name", "ok", "needed", "detail", "remedy", "waits_for", "connect_again"})
    }
    assert all(check["ok"] for check in report["checks"])
    check_up = CheckUp.objects.get()
    assert check_up.checks == report["checks"]
    assert check_up.finished_at is not None


def test_it_sends_the_mail_to_oneself(gmail: PracticeGmail, ana: GmailAccount) -> None:
    GmailAccount.objects.update(self_test=True)
    report, complaint = doctor(ANA)
    assert complaint == ""
    (line,) = [check for check in report["checks"] if check["name"] == "self-test"]
    assert (line["ok"], line["needed"]) == (True, True)
    assert "Message-ID" in line["detail"]
    assert [row["to"] for row in gmail.ledger()] == [ANA]


def test_it_answers_for_every_connected_account(
    gmail: PracticeGmail, workspace: Workspace, ana: GmailAccount
) -> None:
    ben = connected(gmail, workspace, BEN)
    connect.disconnect(ben)
    reports, complaint = doctor()
    assert [report["account"] for report in reports] == [ANA]
    reports, complaint = doctor(BEN)
    assert "disconnected" in reports["checks"][0]["detail"]
    assert complaint


def test_it_tells_a_person_line_by_line(ana: GmailAccount) -> None:
    GmailAccount.objects.update(sealed_secret="spoilt")
    out = StringIO()
    with pytest.raises(CommandError, match=f"Something needs to be done for {ANA}."):
        call_command("doctor", stdout=out)
    assert out.getvalue().startswith(f"{ANA}\n")
    assert "  RED   smtp-ssl" in out.getvalue()
    assert out.getvalue().count("Connect the account again") == 1
    lines = [line.split()[:2] for line in out.getvalue().splitlines() if line.startswith("  ")]
    assert [line for line in lines if line[1] in list(Name)] == [
        ["RED", "smtp-ssl"],
        ["waits", "smtp-starttls"],
        ["waits", "imap"],
        ["waits", "pop"],
        ["waits", "sent-folder"],
        ["off", "self-test"],
        ["ok", "clock"],
        ["ok", "limit"],
    ]


def test_it_names_each_fault_with_its_remedy_in_time(
    gmail: PracticeGmail, workspace: Workspace, ana: GmailAccount, settings: Settings
) -> None:
    """IMAP off, a consent that is over, a wrong app password, a wrong certificate, silence."""
    by_consent = connect_by_consent(gmail, workspace, BEN)
    GmailAccount.objects.filter(pk=by_consent.pk).update(practice=False)
    cat = connected(gmail, workspace, CAT)
    spoilt = sealed.ACCOUNT_SECRET.seal(cat, "wrongwrongwrongw")
    GmailAccount.objects.filter(pk=cat.pk).update(sealed_secret=spoilt)
    gmail.control(imap={ANA: False}, revoke=BEN)
    well = settings.GMAIL

    begun = time.monotonic()
    reports, complaint = doctor()
    settings.GMAIL = {**well, "ca_file": ""}
    certificate, _ = doctor(ANA)
    with port_that_never_answers() as port:
        ports = ("smtp_ssl_port", "smtp_starttls_port", "imap_port", "pop_port")
        settings.GMAIL = {**well, **dict.fromkeys(ports, port)}
        silent, _ = doctor(ANA)
    assert time.monotonic() - begun < 20

    imap_off, consent_over, wrong_password = map(red_lines, reports)
    assert set(imap_off) == {"imap", "sent-folder"}
    assert "Enable IMAP" in imap_off["imap"]
    assert set(consent_over) == {"smtp-ssl", "imap", "sent-folder"}
    assert causes(reports[0]) == {"imap"}
    assert causes(reports[1]) == {"smtp-ssl"}
    assert causes(reports[2]) == {"smtp-ssl", "imap"}
    assert "Publish app" in consent_over["smtp-ssl"]
    assert "Publish app" in consent_over["imap"]
    assert set(wrong_password) == {"smtp-ssl", "imap", "sent-folder"}
    assert "myaccount.google.com/apppasswords" in wrong_password["smtp-ssl"]
    assert "myaccount.google.com/apppasswords" in wrong_password["imap"]
    assert set(red_lines(certificate)) == {"smtp-ssl", "imap", "sent-folder"}
    assert "GMAIL_CA_FILE" in red_lines(certificate)["smtp-ssl"]
    assert "GMAIL_CA_FILE" in red_lines(certificate)["imap"]
    assert set(red_lines(silent)) == {"smtp-ssl", "imap", "sent-folder"}
    assert "choose “STARTTLS (port 587)”" in red_lines(silent)["smtp-ssl"]
    assert f"port {port}" in red_lines(silent)["imap"]
    assert all(address in complaint for address in (ANA, BEN, CAT))
