import pytest
from pytest_django import Settings

from accounts import sealed
from accounts.endpoints import endpoints_for, google_endpoints, practice_endpoints
from accounts.models import GmailAccount, OAuthClient, Workspace
from gmail.errors import Unreachable
from tests.practice_gmail import PracticeGmail

GOOGLE = {
    "client_id": "",
    "client_secret": "",
    "auth_uri": "https://accounts.google.com/o/oauth2/v2/auth",
    "token_uri": "https://oauth2.googleapis.com/token",
    "userinfo_uri": "https://openidconnect.googleapis.com/v1/userinfo",
    "revoke_uri": "https://oauth2.googleapis.com/revoke",
}
GMAIL = {
    "smtp_host": "smtp.gmail.com",
    "smtp_ssl_port": 465,
    "smtp_starttls_port": 587,
    "imap_host": "imap.gmail.com",
    "imap_port": 993,
    "pop_host": "pop.gmail.com",
    "pop_port": 995,
    "ca_file": "",
}


@pytest.fixture
def google(settings: Settings) -> Settings:
    """The environment names Google's own servers and no client."""
    settings.GOOGLE, settings.GMAIL = dict(GOOGLE), dict(GMAIL)
    return settings


def make_account(workspace: Workspace, *, practice: bool) -> GmailAccount:
    address = "practice@gmail.com" if practice else "ana@gmail.com"
    return GmailAccount.objects.create(
        workspace=workspace, address=address, mailbox_key=address, practice=practice, auth="oauth"
    )


def test_it_takes_the_workspaces_client_where_the_environment_names_none(
    google: Settings, workspace: Workspace
) -> None:
    assert google_endpoints(workspace).client_id == ""
    client = OAuthClient.objects.create(workspace=workspace, client_id="ours")
    client.sealed_secret = sealed.CLIENT_SECRET.seal(client, "our secret")
    client.save()
    found = google_endpoints(workspace)
    assert (found.client_id, found.client_secret) == ("ours", "our secret")
    google.GOOGLE = {**GOOGLE, "client_id": "theirs", "client_secret": "their secret"}
    found = google_endpoints(workspace)
    assert (found.client_id, found.client_secret) == ("theirs", "their secret")


def test_it_finds_the_practice_gmail_beside_google(
    google: Settings, workspace: Workspace, shared_gmail: PracticeGmail
) -> None:
    real, practice = make_account(workspace, practice=False), make_account(workspace, practice=True)
    google.PRACTICE_DIR = shared_gmail.directory
    found = practice_endpoints()
    assert found is not None
    assert found.on_this_machine
    assert found.client_secret == shared_gmail.env["GOOGLE_CLIENT_SECRET"]
    assert endpoints_for(practice) == found
    assert endpoints_for(real).smtp_host == "smtp.gmail.com"


def test_it_never_sends_a_practice_account_to_google(
    google: Settings, workspace: Workspace, tmp_path: object
) -> None:
    google.PRACTICE_DIR = tmp_path
    assert practice_endpoints() is None
    with pytest.raises(Unreachable, match="make run"):
        endpoints_for(make_account(workspace, practice=True))


def test_it_makes_nothing_of_half_an_env_file(google: Settings, tmp_path: object) -> None:
    google.PRACTICE_DIR = tmp_path
    (google.PRACTICE_DIR / "env").write_text("GMAIL_SMTP_HOST=127.0.0.1\nGMAIL_SMTP_SSL_PORT=x\n")
    assert practice_endpoints() is None


def test_it_practises_with_what_the_environment_names_when_that_is_here(
    gmail: PracticeGmail, workspace: Workspace
) -> None:
    account = make_account(workspace, practice=True)
    assert endpoints_for(account).smtp_ssl_port == int(gmail.env["GMAIL_SMTP_SSL_PORT"])


def test_it_needs_no_client_for_an_account_with_an_app_password(
    google: Settings, workspace: Workspace
) -> None:
    """A client's secret that cannot be opened is no concern of such an account."""
    OAuthClient.objects.create(workspace=workspace, client_id="ours", sealed_secret="spoilt")
    account = make_account(workspace, practice=False)
    with pytest.raises(sealed.VaultError):
        endpoints_for(account)
    account.auth = GmailAccount.Auth.APP_PASSWORD
    assert endpoints_for(account).smtp_host == "smtp.gmail.com"
