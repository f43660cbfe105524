"""That the real mail servers are what the contracts need: private, strict, and gone afterwards."""

import imaplib
import os
import smtplib
import ssl
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.gmail.cast import ANA, ANA_PASSWORD, BEN, mail, someone
from tests.practice.clients import OAuthClient
from tests.system import packages
from tests.system.mail_servers import MailServers, mail_servers


def trust(servers: MailServers) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=servers.endpoints.ca_file)


def log_in(servers: MailServers, address: str, token: str) -> str:
    """The state that IMAP is in after XOAUTH2."""
    response = f"user={address}\1auth=Bearer {token}\1\1".encode()
    port = servers.dovecot.imap_port
    with imaplib.IMAP4_SSL("127.0.0.1", port, ssl_context=trust(servers)) as imap:
        imap.authenticate("XOAUTH2", lambda challenge: b"" if challenge else response)
        return imap.state


def send(servers: MailServers, to: str) -> None:
    port = servers.postfix.ssl_port
    with smtplib.SMTP_SSL("127.0.0.1", port, context=trust(servers)) as smtp:
        smtp.login(ANA, ANA_PASSWORD.replace(" ", ""))
        smtp.sendmail(ANA, to, mail(to))


def processes_of(folder: Path) -> list[str]:
    """Every process that works in `folder` or was started for it."""
    found = []
    for each in Path("/proc").glob("[0-9]*"):
        try:
            place = os.readlink(each / "cwd")
            command = (each / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue  # it ended meanwhile
        if str(folder) in place + command:
            found.append(command)
    return found


def test_it_asks_the_practice_gmail_whether_a_token_is_good(servers: MailServers) -> None:
    oauth = OAuthClient(servers.gmail)
    token = oauth.connect(ANA)["access_token"]
    assert log_in(servers, ANA, token) == "AUTH"
    oauth.revoke(token)
    with pytest.raises(imaplib.IMAP4.error, match="AUTHENTICATIONFAILED"):
        log_in(servers, ANA, token)


def test_it_takes_no_token_whose_time_is_over(servers: MailServers) -> None:
    token = servers.fresh_token()
    try:
        servers.gmail.control(clock_offset=3_601)
        with pytest.raises(imaplib.IMAP4.error, match="AUTHENTICATIONFAILED"):
            log_in(servers, ANA, token)
    finally:
        servers.gmail.control(clock_offset=0)
    assert log_in(servers, ANA, token) == "AUTH"


def test_it_takes_no_token_of_somebody_else(servers: MailServers) -> None:
    token = OAuthClient(servers.gmail).connect(ANA)["access_token"]
    with pytest.raises(imaplib.IMAP4.error, match="AUTHENTICATIONFAILED"):
        log_in(servers, BEN, token)


def test_it_takes_no_token_without_access_to_mail(servers: MailServers) -> None:
    oauth = OAuthClient(servers.gmail)
    location = servers.gmail.consent(oauth.url(), account=ANA, mail=False)
    code = parse_qs(urlsplit(location).query)["code"][0]
    with pytest.raises(imaplib.IMAP4.error, match="AUTHENTICATIONFAILED"):
        log_in(servers, ANA, oauth.exchange(code).json()["access_token"])


def test_it_files_mail_for_the_whole_world_here(servers: MailServers) -> None:
    stranger = someone()
    send(servers, stranger)
    (filed,) = servers.postfix.accepted(stranger)
    assert f"Return-Path: <{ANA}>\r\n".encode() in filed
    assert f"\r\nTo: {stranger}\r\n".encode() in filed
    assert "status=sent (delivered to maildir)" in servers.postfix.log


def test_it_ends_sessions_of_one_protocol(servers: MailServers) -> None:
    port = servers.dovecot.imap_port
    with smtplib.SMTP_SSL("127.0.0.1", servers.postfix.ssl_port, context=trust(servers)) as smtp:
        smtp.login(ANA, ANA_PASSWORD.replace(" ", ""))
        imap = imaplib.IMAP4_SSL("127.0.0.1", port, ssl_context=trust(servers))
        imap.login(ANA, ANA_PASSWORD.replace(" ", ""))
        servers.end_sessions("pop")
        assert imap.noop()[0] == "OK"
        servers.end_sessions("imap")
        with pytest.raises(imaplib.IMAP4.abort):
            imap.noop()
        imap.shutdown()
        assert smtp.noop()[0] == 250
        servers.end_sessions("smtp")
        with pytest.raises(smtplib.SMTPServerDisconnected):
            smtp.noop()


def test_it_says_what_to_install_where_it_cannot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(packages.ServersMissing, match="As root: .*apt-get install .* postfix"):
        packages.ensure()


def test_it_stands_beside_another_run_and_leaves_nothing_behind(servers: MailServers) -> None:
    with mail_servers(servers.gmail, [ANA]) as others:
        folder = others.dovecot.folder.parent
        stranger = someone()
        send(others, stranger)
        assert len(others.postfix.accepted(stranger)) == 1
        assert servers.postfix.accepted(stranger) == []
        assert processes_of(folder)
    assert not folder.exists()
    deadline = time.monotonic() + 10
    while left := processes_of(folder):
        assert time.monotonic() < deadline, left
    assert log_in(servers, ANA, OAuthClient(servers.gmail).connect(ANA)["access_token"]) == "AUTH"
