"""What a person sees of a clock that is not believed, and the button and command that end it."""

import io
import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from accounts import halts
from accounts.clock import watch
from accounts.clock.watch import Watch
from accounts.models import GmailAccount
from tests.accounts.clock.machine import Machine
from tests.belongings import Belongings
from tests.campaigns.making import make_account


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(monkeypatch)


@pytest.fixture
def account(home: Belongings, machine: Machine) -> GmailAccount:
    """Its clock was right, and jumped."""
    account = make_account(home.workspace, address="siop@gmail.com")
    assert Watch(account).may_send()
    machine.set_by = timedelta(hours=25)
    assert not Watch(account).may_send()
    return account


def page(account: GmailAccount) -> str:
    return reverse("admin:gmail_clock", args=[account.pk])


def test_it_says_what_was_compared_and_an_owner_confirms(
    owner_client: Client, account: GmailAccount, machine: Machine
) -> None:
    account_page = reverse("admin:accounts_gmailaccount_change", args=[account.pk])
    shown = owner_client.get(account_page).content.decode()
    assert "The clock of laptop jumped ahead by 25 hours." in shown
    assert page(account) in shown
    needs = owner_client.get("/").content.decode()
    assert "The clock of laptop jumped ahead by 25 hours." in needs
    assert "Connect it again" not in needs
    shown = owner_client.get(page(account)).content.decode()
    for moment in (machine.read().wall, machine.truly):
        assert f"{moment:%B} {moment:%Y}" in shown
        assert f"{moment:%A}" in shown
    assert "The time is right: go on" in shown
    assert halts.of(account) is not None, "reading it confirms nothing"
    assert owner_client.post(page(account)).status_code == 302
    assert halts.of(account) is None
    assert Watch(account).may_send()
    assert "Nothing is known against the clock" in owner_client.get(page(account)).content.decode()


def test_a_member_reads_it_and_cannot_confirm(
    team_mate_client: Client, account: GmailAccount
) -> None:
    shown = team_mate_client.get(page(account)).content.decode()
    assert "An owner of this workspace can say so here." in shown
    assert "go on</button>" not in shown
    assert team_mate_client.post(page(account)).status_code == 403
    assert halts.of(account) is not None


def test_an_owner_confirms_for_the_workspace_and_for_no_other(
    owner_client: Client, home: Belongings, elsewhere: Belongings, account: GmailAccount
) -> None:
    second = make_account(home.workspace)
    foreign = make_account(elsewhere.workspace)
    watch.look_around()
    for each in (second, foreign):
        Watch(each).may_send()
        assert halts.of(each) is not None
    owner_client.post(page(account))
    assert [halts.of(each) is None for each in (account, second, foreign)] == [True, True, False]


def test_whoever_runs_the_machine_confirms_it(account: GmailAccount, machine: Machine) -> None:
    out = io.StringIO()
    call_command("confirm_clock", "--json", stdout=out)
    assert json.loads(out.getvalue())["accounts"] == ["siop@gmail.com"]
    assert Watch(account).may_send()
    out = io.StringIO()
    call_command("confirm_clock", stdout=out)
    assert "No account waits for the clock." in out.getvalue()


def test_the_command_tells_of_a_clock_that_was_set_meanwhile(
    account: GmailAccount, machine: Machine
) -> None:
    machine.set_by = timedelta(hours=30)
    with pytest.raises(CommandError, match="30 hours"):
        call_command("confirm_clock", stdout=io.StringIO())
    assert halts.of(account) is not None
