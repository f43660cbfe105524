"""Whose account is looked at, and how long: from the environment."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gmail.endpoints import Endpoints

MOST_IDLE_SECONDS = 900.0
# Domains that tell nothing about a person.
_COMMON_DOMAINS = ("gmail.com", "googlemail.com")
_IP_ADDRESS = re.compile(r"\[[0-9A-Fa-f.:]{3,}\]")


class NotConfigured(Exception):
    """What is missing, as a sentence."""


@dataclass(frozen=True)
class Login:
    """A mailbox and what opens it: an app password, or a refresh token of the OAuth client."""

    address: str
    app_password: str = field(default="", repr=False)
    refresh_token: str = field(default="", repr=False)


@dataclass(frozen=True)
class Settings:
    """`patience` and `idle` are in seconds; `most_to_pass_the_limit` 0 leaves the limit alone."""

    endpoints: Endpoints
    login: Login
    second: Login | None
    alias: str
    patience: float
    idle: float
    most_to_pass_the_limit: int

    def redact(self, text: str) -> str:
        """`text` without secrets, names and addresses of the person or the machine."""
        logins = [login for login in (self.login, self.second) if login]
        addresses = [each for each in (*(login.address for login in logins), self.alias) if each]
        secrets = [secret for each in logins for secret in (each.app_password, each.refresh_token)]
        for secret in (*secrets, self.endpoints.client_secret, self.endpoints.client_id):
            text = text.replace(secret, "(secret)") if secret else text
        for address in addresses:
            local, _, domain = address.partition("@")
            names = [address, local, *([domain] if domain not in _COMMON_DOMAINS else [])]
            for name in names:
                text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", "(mine)", text, flags=re.I)
        return _IP_ADDRESS.sub("[address]", text)


def from_environment(environment: Mapping[str, str]) -> Settings:
    """Read them; Google's own servers are meant unless others are named. Raises NotConfigured."""

    def value(name: str, default: str = "") -> str:
        if path := environment.get(f"{name}_FILE"):
            return Path(path).read_text().strip()
        return environment.get(name, default)

    def number(name: str, default: float) -> float:
        try:
            return float(value(name) or default)
        except ValueError as err:
            raise NotConfigured(f"{name} must be a number.") from err

    login = Login(
        value("LIVE_GMAIL_ADDRESS"),
        value("LIVE_GMAIL_APP_PASSWORD"),
        value("LIVE_GMAIL_REFRESH_TOKEN"),
    )
    if not login.address or not (login.app_password or login.refresh_token):
        raise NotConfigured(
            "Set LIVE_GMAIL_ADDRESS, and LIVE_GMAIL_APP_PASSWORD or LIVE_GMAIL_REFRESH_TOKEN: "
            "see docs/live-tests.md."
        )
    if login.refresh_token and not value("GOOGLE_CLIENT_ID"):
        raise NotConfigured(
            "LIVE_GMAIL_REFRESH_TOKEN needs GOOGLE_CLIENT_ID and GOOGLE_CLIENT_SECRET: "
            "see docs/live-tests.md."
        )
    second = Login(value("LIVE_GMAIL_SECOND_ADDRESS"), value("LIVE_GMAIL_SECOND_APP_PASSWORD"))
    return Settings(
        endpoints=Endpoints(
            client_id=value("GOOGLE_CLIENT_ID"),
            client_secret=value("GOOGLE_CLIENT_SECRET"),
            auth_uri=value("GOOGLE_AUTH_URI", "https://accounts.google.com/o/oauth2/v2/auth"),
            token_uri=value("GOOGLE_TOKEN_URI", "https://oauth2.googleapis.com/token"),
            userinfo_uri=value(
                "GOOGLE_USERINFO_URI", "https://openidconnect.googleapis.com/v1/userinfo"
            ),
            revoke_uri=value("GOOGLE_REVOKE_URI", "https://oauth2.googleapis.com/revoke"),
            smtp_host=value("GMAIL_SMTP_HOST", "smtp.gmail.com"),
            smtp_ssl_port=int(number("GMAIL_SMTP_SSL_PORT", 465)),
            smtp_starttls_port=int(number("GMAIL_SMTP_STARTTLS_PORT", 587)),
            imap_host=value("GMAIL_IMAP_HOST", "imap.gmail.com"),
            imap_port=int(number("GMAIL_IMAP_PORT", 993)),
            pop_host=value("GMAIL_POP_HOST", "pop.gmail.com"),
            pop_port=int(number("GMAIL_POP_PORT", 995)),
            ca_file=value("GMAIL_CA_FILE"),
        ),
        login=login,
        second=second if second.address and second.app_password else None,
        alias=value("LIVE_GMAIL_ALIAS"),
        patience=number("LIVE_GMAIL_PATIENCE", 180),
        idle=min(number("LIVE_GMAIL_IDLE", 60), MOST_IDLE_SECONDS),
        most_to_pass_the_limit=int(number("LIVE_GMAIL_PASS_THE_LIMIT", 0)),
    )
