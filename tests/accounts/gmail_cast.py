"""A workspace, and the practice Gmail as what the environment calls Google."""

import secrets
from typing import Any

from django.utils import timezone

from accounts.connect import connect_by_app_password, finish_oauth, start_oauth
from accounts.models import GmailAccount, Workspace
from tests.practice_gmail import PracticeGmail

ANA = "ana@gmail.com"
ANA_PASSWORD = "abcd efgh ijkl mnop"
BEN = "ben@gmail.com"
REDIRECT = "http://localhost:8000/gmail-accounts/callback/"


def new_workspace() -> Workspace:
    return Workspace.objects.create(name=f"Club {secrets.token_hex(4)}")


def settings_for(gmail: PracticeGmail) -> dict[str, dict[str, Any]]:
    """`settings.GOOGLE` and `settings.GMAIL` as the practice Gmail's `env` file would set them."""
    groups: dict[str, dict[str, Any]] = {"GOOGLE": {}, "GMAIL": {}}
    for name, value in gmail.env.items():
        group, _, rest = name.partition("_")
        key = rest.lower()
        groups[group][key] = int(value) if key.endswith("_port") else value
    return groups


def connect_ana(workspace: Workspace, **changes: Any) -> GmailAccount:
    return connect_by_app_password(workspace, ANA, ANA_PASSWORD, **changes)


def connect_by_consent(
    gmail: PracticeGmail, workspace: Workspace, address: str = ANA, **changes: Any
) -> GmailAccount:
    """The whole way through the consent page."""
    session: dict[str, Any] = {}
    url = start_oauth(session, workspace, REDIRECT, **changes)
    answer = gmail.consent(url, account=address)
    return finish_oauth(session, workspace, answer, timezone.now())
