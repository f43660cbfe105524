"""What is said about each mail program, and Apple's profile: pure, without a database."""

import plistlib
import uuid
from typing import Any

import pytest

from accounts.mail_program import Program, programs
from accounts.mail_program.apple_profile import apple_profile, file_name
from accounts.mail_program.guide import Field
from accounts.mail_program.mailbox import Mailbox
from gmail.endpoints import Endpoints

GMAIL = Endpoints(
    client_id="",
    client_secret="",
    auth_uri="https://accounts.google.com/o/oauth2/v2/auth",
    token_uri="https://oauth2.googleapis.com/token",
    userinfo_uri="https://openidconnect.googleapis.com/v1/userinfo",
    revoke_uri="https://oauth2.googleapis.com/revoke",
    smtp_host="smtp.gmail.com",
    smtp_ssl_port=465,
    smtp_starttls_port=587,
    imap_host="imap.gmail.com",
    imap_port=993,
    pop_host="pop.gmail.com",
    pop_port=995,
    ca_file="",
)
PRACTICE = Endpoints(
    **{
        **{name: getattr(GMAIL, name) for name in ("client_id", "client_secret")},
        **dict.fromkeys(("auth_uri", "token_uri", "userinfo_uri", "revoke_uri"), "http://x"),
        **dict.fromkeys(("smtp_host", "imap_host", "pop_host"), "127.0.0.1"),
        "smtp_ssl_port": 8026,
        "smtp_starttls_port": 8027,
        "imap_port": 8028,
        "pop_port": 8029,
        "ca_file": "/var/ca.pem",
    }
)
ALL = programs()
every_program = pytest.mark.parametrize("program", ALL, ids=[program.key for program in ALL])


def mailbox(**changes: Any) -> Mailbox:
    given = {"address": "ana@gmail.com", "name": "Siop Tregaron", "servers": GMAIL}
    return Mailbox(**given | changes)


def fields(program: Program, of: Mailbox) -> list[Field]:
    return [field for group in program.guide(of).groups for field in group.fields]


def typed(program: Program, of: Mailbox) -> set[str]:
    return {field.value for field in fields(program, of) if field.typed}


@every_program
@pytest.mark.parametrize("incoming", ["imap", "pop"])
@pytest.mark.parametrize("outgoing", ["ssl", "starttls"])
def test_it_names_what_every_program_needs(program: Program, incoming: str, outgoing: str) -> None:
    here = mailbox(incoming=incoming, outgoing=outgoing)
    receiving = {"imap": {"imap.gmail.com", "993"}, "pop": {"pop.gmail.com", "995"}}[incoming]
    sending = {"smtp.gmail.com", {"ssl": "465", "starttls": "587"}[outgoing]}
    wanted = receiving | sending
    # Where it asks for neither, it takes both from what was typed before.
    asked = {"ana@gmail.com", "Siop Tregaron"} & typed(program, here)
    assert typed(program, here) == wanted | asked
    assert asked


@every_program
def test_it_writes_no_password_down(program: Program) -> None:
    words = [field for field in fields(program, mailbox()) if "assword" in field.label]
    assert not any(field.typed for field in words)


@every_program
def test_it_knows_which_programs_google_asks_itself(program: Program) -> None:
    assert program.guide(mailbox()).by_itself
    # None of them has a page of Google's for POP, or for servers of this machine.
    assert not program.guide(mailbox(incoming="pop")).by_itself
    assert not program.guide(mailbox(servers=PRACTICE)).by_itself


@every_program
def test_it_leads_to_the_practice_servers(program: Program) -> None:
    assert {"127.0.0.1", "8028", "8026"} <= typed(program, mailbox(servers=PRACTICE))


def test_it_says_where_a_practice_gmail_cannot_be_reached_from() -> None:
    def remarks(key: str, **changes: Any) -> tuple[str, ...]:
        (program,) = [program for program in ALL if program.key == key]
        return program.guide(mailbox(**changes)).remarks

    assert "cannot reach" in remarks("outlook", servers=PRACTICE)[0]
    assert "cannot reach" in remarks("apple-iphone", servers=PRACTICE)[0]
    assert not remarks("apple-iphone")
    assert not remarks("thunderbird", servers=PRACTICE)


def test_it_keeps_each_programs_own_words_and_order() -> None:
    labels = {program.key: [field.label for field in fields(program, mailbox())] for program in ALL}
    assert labels["thunderbird"] == [
        *("Your full name", "Email address", "Protocol", "Hostname", "Port"),
        *("Connection security", "Authentication method", "Username"),
        *("Hostname", "Port", "Connection security", "Authentication method", "Username"),
    ]
    assert labels["outlook-classic"][:4] == [
        *("Server", "Port", "Encryption method"),
        "Require logon using Secure Password Authentication (SPA)",
    ]
    assert labels["outlook"][2:5] == ["IMAP incoming server", "Port", "Secure connection type"]
    assert labels["apple-iphone"][:6] == [
        *("Name", "Email", "Password", "Host Name", "User Name", "Password"),
    ]


def test_it_asks_for_a_name_that_it_does_not_know() -> None:
    (name, *_rest) = fields(ALL[0], mailbox(name=""))
    assert not name.typed and name.value


# --- Apple's profile --------------------------------------------------------------------------


def profile(key: str = "ana@gmail.com", **changes: Any) -> dict[str, Any]:
    return plistlib.loads(apple_profile(mailbox(**changes), key), fmt=plistlib.FMT_XML)


def test_it_makes_a_profile_that_apple_mail_installs() -> None:
    """Every key, against developer.apple.com/documentation/devicemanagement/mail."""
    whole = profile()
    (account,) = whole.pop("PayloadContent")
    for payload in (whole, account):
        identity = payload.pop("PayloadUUID")
        assert uuid.UUID(identity).version == 5
        assert payload.pop("PayloadIdentifier").endswith(identity.lower())
        assert payload.pop("PayloadDisplayName") == "ana@gmail.com (mail)"
    assert "ana@gmail.com" in whole.pop("PayloadDescription")
    assert whole == {
        "PayloadType": "Configuration",
        "PayloadVersion": 1,
        "PayloadOrganization": "Daypost",
        "PayloadScope": "User",
    }
    assert account == {
        "PayloadType": "com.apple.mail.managed",
        "PayloadVersion": 1,
        "EmailAccountDescription": "ana@gmail.com",
        "EmailAccountName": "Siop Tregaron",
        "EmailAccountType": "EmailTypeIMAP",
        "EmailAddress": "ana@gmail.com",
        "IncomingMailServerAuthentication": "EmailAuthPassword",
        "IncomingMailServerHostName": "imap.gmail.com",
        "IncomingMailServerPortNumber": 993,
        "IncomingMailServerUseSSL": True,
        "IncomingMailServerUsername": "ana@gmail.com",
        "OutgoingMailServerAuthentication": "EmailAuthPassword",
        "OutgoingMailServerHostName": "smtp.gmail.com",
        "OutgoingMailServerPortNumber": 465,
        "OutgoingMailServerUseSSL": True,
        "OutgoingMailServerUsername": "ana@gmail.com",
        "OutgoingPasswordSameAsIncomingPassword": True,
    }


def test_it_gives_a_mailbox_the_same_identifiers_and_another_one_others() -> None:
    def identifiers(whole: dict[str, Any]) -> set[str]:
        (account,) = whole["PayloadContent"]
        names = ("PayloadUUID", "PayloadIdentifier")
        return {payload[name] for payload in (whole, account) for name in names}

    first = identifiers(profile())
    assert len(first) == 4
    assert identifiers(profile(name="Ana")) == first
    assert not identifiers(profile(key="practice:ana@gmail.com")) & first


def test_it_keeps_any_name_and_leaves_out_none() -> None:
    (account,) = profile(name="山田 <太郎> & 👩\u200d👧")["PayloadContent"]
    assert account["EmailAccountName"] == "山田 <太郎> & 👩\u200d👧"
    (account,) = profile(name="")["PayloadContent"]
    assert "EmailAccountName" not in account


def test_it_names_the_file_so_that_every_system_takes_it() -> None:
    assert file_name(mailbox()) == "ana-gmail.com.mobileconfig"
    odd = mailbox(address='a"\r\nb/..\\ñ@example.com')
    assert file_name(odd) == "a-b-..-example.com.mobileconfig"
