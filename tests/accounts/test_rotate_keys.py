import json
from io import StringIO

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from pytest_django import Settings

from accounts import sealed
from accounts.models import GmailAccount, OAuthClient
from tests.accounts.gmail_cast import new_workspace
from tests.belongings import Belongings


def rotate() -> int:
    out = StringIO()
    call_command("rotate_keys", "--json", stdout=out)
    return int(json.loads(out.getvalue())["re_encrypted"])


def keep_secrets(has: Belongings) -> tuple[GmailAccount, OAuthClient]:
    account, client = has.of(GmailAccount), has.of(OAuthClient)
    account.sealed_secret = sealed.ACCOUNT_SECRET.seal(account, "refresh")
    account.sealed_access_token = sealed.ACCESS_TOKEN.seal(account, "access")
    account.save()
    client.sealed_secret = sealed.CLIENT_SECRET.seal(client, "client")
    client.save()
    return account, client


def test_it_encrypts_every_secret_under_the_newest_key(
    home: Belongings, settings: Settings
) -> None:
    account, client = keep_secrets(home)
    new = Fernet.generate_key().decode()
    settings.VAULT_KEYS = [new, *settings.VAULT_KEYS]
    assert rotate() == 3
    settings.VAULT_KEYS = [new]
    account.refresh_from_db()
    client.refresh_from_db()
    assert sealed.ACCOUNT_SECRET.open(account) == "refresh"
    assert sealed.ACCESS_TOKEN.open(account) == "access"
    assert sealed.CLIENT_SECRET.open(client) == "client"


def test_it_keeps_what_it_cannot_open_and_says_so(home: Belongings, settings: Settings) -> None:
    account, client = keep_secrets(home)
    unknown = Fernet.generate_key().decode()
    lost = GmailAccount.objects.create(
        workspace=new_workspace(), address="lost@gmail.com", mailbox_key="lost", auth="oauth"
    )
    known, settings.VAULT_KEYS = settings.VAULT_KEYS, [unknown]
    lost.sealed_secret = before = sealed.ACCOUNT_SECRET.seal(lost, "lost")
    lost.save()
    settings.VAULT_KEYS = known
    out = StringIO()
    with pytest.raises(CommandError, match="1 could not be opened"):
        call_command("rotate_keys", "--json", stdout=out)
    assert json.loads(out.getvalue()) == {"re_encrypted": 3}
    lost.refresh_from_db()
    assert lost.sealed_secret == before
    assert sealed.ACCOUNT_SECRET.open(GmailAccount.objects.get(pk=account.pk)) == "refresh"


def test_it_opens_no_secret_that_was_copied_into_another_row(home: Belongings) -> None:
    account, _ = keep_secrets(home)
    account.sealed_access_token = account.sealed_secret
    with pytest.raises(sealed.VaultError):
        sealed.ACCESS_TOKEN.open(account)
