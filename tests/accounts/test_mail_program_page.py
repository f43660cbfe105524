"""The page about mail programs, and the file for Apple Mail, as a logged-in person gets them."""

import plistlib
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from accounts.models import GmailAccount
from tests.accounts.gmail_pages import text
from tests.belongings import Belongings

pytestmark = pytest.mark.only_shows


def address_of(name: str, account: GmailAccount) -> str:
    return reverse(f"admin:{name}", args=[account.pk])


def test_it_shows_what_to_type_with_a_button_to_copy_it(
    owner_client: Client, home: Belongings
) -> None:
    account = home.of(GmailAccount)
    page = text(owner_client.get(address_of("gmail_mail_program", account)))
    for value in ("imap.gmail.com", "993", "smtp.gmail.com", "465", account.address, "zebra"):
        assert f'data-copy="{value}"' in page
    assert "15 IMAP connections" in page
    assert "same 500 messages" in page
    assert "POP has a trap" not in page


def test_it_shows_what_was_chosen(owner_client: Client, home: Belongings) -> None:
    account = home.of(GmailAccount)
    url = address_of("gmail_mail_program", account)
    chosen = {"program": "outlook-classic", "incoming": "pop", "outgoing": "starttls"}
    page = text(owner_client.get(url, chosen))
    for value in ("pop.gmail.com", "995", "587", f"recent:{account.address}"):
        assert f'data-copy="{value}"' in page
    assert "Encryption method" in page
    assert "Enable POP for all mail" in page
    assert "Daypost reads this account by POP" not in page
    # Each link changes one choice, and keeps the others.
    assert '<a href="?program=apple-mac&incoming=pop&outgoing=starttls">' in page
    assert '<a href="?program=outlook-classic&incoming=imap&outgoing=starttls">' in page


def test_it_warns_where_daypost_and_a_program_would_take_mail_from_each_other(
    owner_client: Client, home: Belongings
) -> None:
    account = home.of(GmailAccount)
    GmailAccount.objects.update(inbound="pop")
    page = owner_client.get(address_of("gmail_mail_program", account), {"incoming": "pop"})
    assert "Daypost reads this account by POP" in text(page)


def test_it_begins_with_the_port_that_the_account_uses(
    owner_client: Client, home: Belongings
) -> None:
    account = home.of(GmailAccount)
    GmailAccount.objects.update(smtp_security="starttls")
    page = text(owner_client.get(address_of("gmail_mail_program", account)))
    assert 'data-copy="587"' in page
    assert 'data-copy="465"' not in page
    odd = {"program": "pine", "incoming": "uucp", "outgoing": "25"}
    assert owner_client.get(address_of("gmail_mail_program", account), odd).status_code == 200


def test_it_shows_the_practice_servers_and_what_to_trust(
    owner_client: Client, home: Belongings, settings: Settings
) -> None:
    account = home.of(GmailAccount)
    hosts = dict.fromkeys(("smtp_host", "imap_host", "pop_host"), "127.0.0.1")
    settings.GMAIL = {**settings.GMAIL, **hosts, "imap_port": 8028, "ca_file": "/data/ca.pem"}
    page = text(owner_client.get(address_of("gmail_mail_program", account)))
    assert 'data-copy="8028"' in page
    assert 'data-copy="/data/ca.pem"' in page
    assert "myaccount.google.com" not in page


def test_it_says_that_the_practice_gmail_is_gone(
    owner_client: Client, home: Belongings, settings: Settings, tmp_path: Path
) -> None:
    settings.PRACTICE_DIR = tmp_path
    GmailAccount.objects.update(practice=True)
    account = home.of(GmailAccount)
    page = address_of("gmail_mail_program", account)
    assert "make run" in text(owner_client.get(page))
    assert owner_client.get(address_of("gmail_apple_profile", account)).headers["Location"] == page


def test_it_hands_out_the_profile_as_a_file(owner_client: Client, home: Belongings) -> None:
    account = home.of(GmailAccount)
    page = owner_client.get(address_of("gmail_mail_program", account), {"program": "apple-mac"})
    url = address_of("gmail_apple_profile", account)
    assert f'href="{url}"' in text(page)
    answer = owner_client.get(url)
    assert answer.headers["Content-Type"] == "application/x-apple-aspen-config"
    disposition = 'attachment; filename="zebra-gmail.com.mobileconfig"'
    assert answer.headers["Content-Disposition"] == disposition
    (payload,) = plistlib.loads(answer.content)["PayloadContent"]
    assert payload["EmailAddress"] == account.address


def test_it_hands_out_nothing_to_others(
    outsider_client: Client, client: Client, home: Belongings
) -> None:
    account = home.of(GmailAccount)
    for name in ("gmail_mail_program", "gmail_apple_profile"):
        assert outsider_client.get(address_of(name, account)).status_code == 404
        assert client.get(address_of(name, account)).status_code == 302


def test_it_is_reached_from_the_account(owner_client: Client, home: Belongings) -> None:
    account = home.of(GmailAccount)
    page = owner_client.get(reverse("admin:accounts_gmailaccount_change", args=[account.pk]))
    assert f'href="{address_of("gmail_mail_program", account)}"' in text(page)
