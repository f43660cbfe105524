"""Clients of the practice Gmail: what a test says to it over real sockets."""

import base64
import hashlib
import secrets
import smtplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import requests

from tests.practice_gmail import PracticeGmail

ANA = "ana@gmail.com"
ANA_PASSWORD = "abcd efgh ijkl mnop"
BEN = "ben@gmail.com"
REDIRECT_URI = "http://localhost:8000/oauth/callback"
SCOPES = "https://mail.google.com/ openid email"


def trust(gmail: PracticeGmail) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=gmail.env["GMAIL_CA_FILE"])


@contextmanager
def smtp_ssl(gmail: PracticeGmail) -> Iterator[smtplib.SMTP_SSL]:
    port = int(gmail.env["GMAIL_SMTP_SSL_PORT"])
    client = smtplib.SMTP_SSL("127.0.0.1", port, timeout=10, context=trust(gmail))
    try:
        client.ehlo("daypost.example")
        yield client
    finally:
        client.close()


@contextmanager
def smtp_plain(gmail: PracticeGmail) -> Iterator[smtplib.SMTP]:
    """The STARTTLS port, before STARTTLS."""
    client = smtplib.SMTP("127.0.0.1", int(gmail.env["GMAIL_SMTP_STARTTLS_PORT"]), timeout=10)
    try:
        client.ehlo("daypost.example")
        yield client
    finally:
        client.close()


@contextmanager
def logged_in(gmail: PracticeGmail, account: str = ANA) -> Iterator[smtplib.SMTP_SSL]:
    with smtp_ssl(gmail) as client:
        client.login(account, gmail.app_password(account))
        yield client


def mail(to: str = "ana@example.org", subject: str = "Hello", text: str = "A line.") -> str:
    """A small message with a Message-ID of its own."""
    message_id = f"<{secrets.token_hex(8)}@daypost.example>"
    return (
        f"From: Ana <{ANA}>\r\nTo: {to}\r\nSubject: {subject}\r\n"
        f"Message-ID: {message_id}\r\nDate: Mon, 23 Nov 2026 10:00:00 +0000\r\n\r\n{text}\r\n"
    )


def deliver(client: smtplib.SMTP, to: str, content: str | bytes = "") -> tuple[int, str]:
    """MAIL, RCPT and DATA; the reply to the final dot, or to the first step that was refused."""
    code, reply = client.mail(ANA)
    if code == 250:
        code, reply = client.rcpt(to)
    if code == 250:
        try:
            code, reply = client.data(content or mail(to))
        except smtplib.SMTPDataError as refusal:
            return refusal.smtp_code, str(refusal.smtp_error, "utf-8")
    return code, reply.decode()


def xoauth2(user: str, token: str) -> str:
    return base64.b64encode(f"user={user}\1auth=Bearer {token}\1\1".encode()).decode()


class OAuthClient:
    """What an application does: asks for consent, exchanges the code, refreshes, revokes."""

    def __init__(self, gmail: PracticeGmail) -> None:
        self.gmail = gmail
        self.verifier = secrets.token_urlsafe(48)
        self.state = secrets.token_urlsafe(16)

    def url(self, **changes: str | None) -> str:
        """The authorization URL; a change to None leaves the parameter out."""
        digest = hashlib.sha256(self.verifier.encode()).digest()
        parameters: dict[str, str | None] = {
            "client_id": self.gmail.env["GOOGLE_CLIENT_ID"],
            "redirect_uri": REDIRECT_URI,
            "response_type": "code",
            "scope": SCOPES,
            "state": self.state,
            "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="),
            "code_challenge_method": "S256",
            "access_type": "offline",
            "prompt": "consent",
            **changes,
        }
        given = {key: value for key, value in parameters.items() if value is not None}
        return f"{self.gmail.env['GOOGLE_AUTH_URI']}?{urlencode(given)}"

    def code(self, account: str = ANA, **changes: str | None) -> str:
        location = self.gmail.consent(self.url(**changes), account=account)
        return parse_qs(urlsplit(location).query)["code"][0]

    def token(self, **fields: str) -> requests.Response:
        """Post to the token endpoint with the client's own id and secret."""
        env = self.gmail.env
        form = {
            "client_id": env["GOOGLE_CLIENT_ID"],
            "client_secret": env["GOOGLE_CLIENT_SECRET"],
            **fields,
        }
        return requests.post(env["GOOGLE_TOKEN_URI"], data=form, timeout=10)

    def exchange(self, code: str, **changes: str) -> requests.Response:
        fields = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": REDIRECT_URI,
            "code_verifier": self.verifier,
            **changes,
        }
        return self.token(**fields)

    def refresh(self, refresh_token: str) -> requests.Response:
        return self.token(grant_type="refresh_token", refresh_token=refresh_token)

    def userinfo(self, access_token: str) -> requests.Response:
        headers = {"Authorization": f"Bearer {access_token}"}
        return requests.get(self.gmail.env["GOOGLE_USERINFO_URI"], headers=headers, timeout=10)

    def revoke(self, token: str) -> requests.Response:
        uri = self.gmail.env["GOOGLE_REVOKE_URI"]
        return requests.post(uri, data={"token": token}, timeout=10)

    def connect(self, account: str = ANA, **changes: str | None) -> dict[str, Any]:
        """The whole way to the tokens."""
        answer = self.exchange(self.code(account, **changes))
        assert answer.status_code == 200, answer.text
        return dict(answer.json())


class Wire:
    """A bare connection: exactly these bytes out, whole replies in."""

    def __init__(self, gmail: PracticeGmail, *, tls: bool = True) -> None:
        name = "GMAIL_SMTP_SSL_PORT" if tls else "GMAIL_SMTP_STARTTLS_PORT"
        plain = socket.create_connection(("127.0.0.1", int(gmail.env[name])), timeout=10)
        self.gmail = gmail
        self.socket = self.secure(plain) if tls else plain
        self._received = b""

    def __enter__(self) -> "Wire":
        return self

    def __exit__(self, *exc: object) -> None:
        self.socket.close()

    def secure(self, plain: socket.socket) -> ssl.SSLSocket:
        return trust(self.gmail).wrap_socket(plain, server_hostname="127.0.0.1")

    def say(self, *lines: str | bytes) -> None:
        data = [line.encode() if isinstance(line, str) else line for line in lines]
        self.socket.sendall(b"".join(line + b"\r\n" for line in data))

    def reply(self) -> list[str]:
        """The lines of the next reply; empty when the other side has closed."""
        lines: list[str] = []
        while line := self._line():
            lines.append(line)
            if line[3:4] == " ":
                break
        return lines

    def ask(self, line: str | bytes) -> str:
        """Say one line; the first line of the reply to it."""
        self.say(line)
        return self.reply()[0]

    def hello(self, account: str | None = ANA) -> "Wire":
        """Greeting, EHLO and, unless ``account`` is None, AUTH PLAIN."""
        self.reply()
        self.ask("EHLO daypost.example")
        if account:
            password = self.gmail.app_password(account)
            proof = base64.b64encode(f"\0{account}\0{password}".encode()).decode()
            assert self.ask(f"AUTH PLAIN {proof}").startswith("235 ")
        return self

    def begin(self, *recipients: str) -> "Wire":
        """The envelope of a message, as far as the 354."""
        assert self.ask(f"MAIL FROM:<{ANA}>").startswith("250 ")
        for recipient in recipients:
            assert self.ask(f"RCPT TO:<{recipient}>").startswith("250 ")
        assert self.ask("DATA").startswith("354 ")
        return self

    def closed(self) -> bool:
        """Whether the other side closes now."""
        try:
            return self._received == b"" and self.socket.recv(1) == b""
        except (ConnectionError, ssl.SSLError):
            return True

    def _line(self) -> str:
        while b"\r\n" not in self._received:
            data = self.socket.recv(65_536)
            if not data:
                return ""
            self._received += data
        line, _, self._received = self._received.partition(b"\r\n")
        return line.decode()
