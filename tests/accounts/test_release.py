"""A person lets an account go on whose database is an older copy."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import generation, halts
from accounts.halts import Cause
from accounts.models import GmailAccount
from tests.belongings import Belongings

LET_GO = "Let this account go on"


@pytest.fixture
def account(home: Belongings, settings: Any, tmp_path: Path) -> GmailAccount:
    settings.DATA_DIR = tmp_path
    generation.restored(timezone.now() - timedelta(days=1), timezone.now())
    account: GmailAccount = home.of(GmailAccount)
    return account


def page_of(account: GmailAccount) -> str:
    return reverse("admin:accounts_gmailaccount_change", args=[account.pk])


def release(account: GmailAccount) -> str:
    return reverse("admin:gmail_release", args=[account.pk])


def test_its_owner_lets_it_go_on_the_page(account: GmailAccount, owner_client: Client) -> None:
    page = owner_client.get(page_of(account)).content.decode()
    assert LET_GO in page
    assert "may get the same mail a second time" in page
    assert owner_client.get(release(account)).status_code == 405
    assert halts.of(account) is not None
    answer = owner_client.post(release(account), follow=True).content.decode()
    assert f"{account.address} goes on." in answer
    assert LET_GO not in answer
    assert halts.of(account) is None


def test_a_team_mate_may_not(account: GmailAccount, team_mate_client: Client) -> None:
    page = team_mate_client.get(page_of(account)).content.decode()
    assert LET_GO not in page
    assert "An owner of this workspace can" in page
    assert team_mate_client.post(release(account)).status_code == 403
    assert halts.of(account) is not None


def test_it_ends_no_halt_of_another_cause(account: GmailAccount, owner_client: Client) -> None:
    halts.begin([account], Cause.CLOCK, "The clock jumped.", timezone.now())
    owner_client.post(release(account))
    halt = halts.of(account)
    assert halt is not None
    assert halt.cause == Cause.CLOCK
    assert LET_GO not in owner_client.get(page_of(account)).content.decode()


def test_whoever_runs_the_machine_does_it_by_a_command(account: GmailAccount) -> None:
    call_command("release", account.address, "--json")
    assert halts.of(account) is None
    with pytest.raises(CommandError, match="is not halted because of an older copy"):
        call_command("release", account.address)
