"""Who writes to whom, and how the practice Gmail is reached, in the tests of `gmail`."""

import secrets

from gmail.endpoints import Endpoints
from tests.practice_gmail import PracticeGmail

ANA = "ana@gmail.com"
ANA_PASSWORD = "abcd efgh ijkl mnop"
BEN = "ben@gmail.com"
REDIRECT = "http://localhost:8000/gmail/callback"


def endpoints_of(gmail: PracticeGmail) -> Endpoints:
    env = gmail.env
    return Endpoints(
        client_id=env["GOOGLE_CLIENT_ID"],
        client_secret=env["GOOGLE_CLIENT_SECRET"],
        auth_uri=env["GOOGLE_AUTH_URI"],
        token_uri=env["GOOGLE_TOKEN_URI"],
        userinfo_uri=env["GOOGLE_USERINFO_URI"],
        revoke_uri=env["GOOGLE_REVOKE_URI"],
        smtp_host=env["GMAIL_SMTP_HOST"],
        smtp_ssl_port=int(env["GMAIL_SMTP_SSL_PORT"]),
        smtp_starttls_port=int(env["GMAIL_SMTP_STARTTLS_PORT"]),
        imap_host=env["GMAIL_IMAP_HOST"],
        imap_port=int(env["GMAIL_IMAP_PORT"]),
        pop_host=env["GMAIL_POP_HOST"],
        pop_port=int(env["GMAIL_POP_PORT"]),
        ca_file=env["GMAIL_CA_FILE"],
    )


def mail(to: str, text: str = "A line.") -> bytes:
    return (
        f"From: Ana <{ANA}>\r\nTo: {to}\r\nSubject: Hello\r\n"
        f"Message-ID: <{secrets.token_hex(8)}@daypost.example>\r\n"
        f"Date: Mon, 23 Nov 2026 10:00:00 +0000\r\n\r\n{text}\r\n"
    ).encode()


def someone() -> str:
    """An address that no other test wrote to."""
    return f"{secrets.token_hex(6)}@example.org"


def accepted(gmail: PracticeGmail, to: str) -> int:
    """How often the practice Gmail accepted a message to this address."""
    return sum(row["to"] == to for row in gmail.ledger())
