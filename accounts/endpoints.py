"""Which servers an account talks to: Google's, as the environment names them, or a practice Gmail.

There are two ways to practise. The environment can point at this machine altogether; then every
account is a practice account. Or `make run`'s practice Gmail stands beside Google's servers, and
only the accounts that were connected to it use it.
"""

from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.views.decorators.debug import sensitive_variables

from accounts import sealed
from accounts.models import GmailAccount, OAuthClient, Workspace
from gmail.endpoints import Endpoints
from gmail.errors import Unreachable


def google_servers() -> Endpoints:
    """What the environment names: all that a login with an app password needs."""
    return Endpoints(**settings.GOOGLE, **settings.GMAIL)


@sensitive_variables()
def google_endpoints(workspace: Workspace) -> Endpoints:
    """The same, with the workspace's own client where the environment names none.

    Raises VaultError when the client's secret cannot be opened.
    """
    google = google_servers()
    client = OAuthClient.objects.filter(workspace=workspace).first()
    if google.client_id or client is None:
        return google
    secret = sealed.CLIENT_SECRET.open(client)
    return replace(google, client_id=client.client_id, client_secret=secret)


def practice_endpoints() -> Endpoints | None:
    """Those of the practice Gmail of `make run`; None where there is none."""
    path: Path = settings.PRACTICE_DIR / "env"
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return None
    return _parse(dict(line.split("=", 1) for line in lines if "=" in line))


def servers_for(account: GmailAccount) -> Endpoints:
    """The hosts and ports of an account; of a client it says nothing.

    Raises Unreachable for a practice account whose practice Gmail is gone.
    """
    google = google_servers()
    if not account.practice or google.on_this_machine:
        return google
    practice = practice_endpoints()
    if practice is None:
        raise Unreachable("The practice Gmail of this account is not there. Start it: make run")
    return practice


def endpoints_for(account: GmailAccount) -> Endpoints:
    """Raises Unreachable as `servers_for` does, and VaultError."""
    servers = servers_for(account)
    by_consent = account.auth == GmailAccount.Auth.OAUTH
    if by_consent and servers == google_servers():
        return google_endpoints(account.workspace)
    return servers


def practice_mailbox() -> str:
    """The address of the practice Gmail's own pages, which show its mail; empty without one."""
    google = google_servers()
    servers = google if google.on_this_machine else practice_endpoints()
    return origin(servers.auth_uri) if servers else ""


def origin(url: str) -> str:
    """Its scheme and host (RFC 6454), without a path."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


@sensitive_variables()
def _parse(env: dict[str, str]) -> Endpoints | None:
    """Endpoints by the names of the settings; None when one is missing or no number."""
    try:
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
    except (KeyError, ValueError):
        return None
