"""The page of a check-up, and what an account's own page says of it."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.doctor.check import Check, Name, as_rows
from accounts.models import CheckUp, GmailAccount
from tests.accounts.gmail_pages import text
from tests.cast import Belongings

GOOD = [Check(name, True, True, f"Found {name}.") for name in Name]
NO_POP = Check(Name.POP, False, False, "It is off.", "Enable POP.")
NO_IMAP = Check(Name.IMAP, False, True, "It is off.", "Enable IMAP.")


@pytest.fixture
def account(home: Belongings) -> GmailAccount:
    return home.of(GmailAccount)


def found(account: GmailAccount, checks: list[Check], **fields: Any) -> None:
    now = timezone.now()
    given = {"asked_at": now, "held_until": None, "finished_at": now, "checks": as_rows(checks)}
    CheckUp.objects.update_or_create(account=account, defaults=given | fields)


def page_of(account: GmailAccount) -> str:
    return reverse("admin:gmail_doctor", args=[account.pk])


def progress_of(account: GmailAccount) -> str:
    return reverse("admin:gmail_doctor_progress", args=[account.pk])


def instead(check: Check) -> list[Check]:
    return [check if one.name == check.name else one for one in GOOD]


def test_it_shows_every_line_with_what_to_do(owner_client: Client, account: GmailAccount) -> None:
    found(account, instead(NO_IMAP))
    shown = text(owner_client.get(page_of(account)))
    assert all(check.detail in shown for check in instead(NO_IMAP))
    assert "Enable IMAP." in shown
    assert "One check needs you, today" in shown
    assert shown.count("Needs you") == 1


@pytest.mark.parametrize(
    ("checks", "words"),
    [
        (GOOD, "All 8 checks passed, today"),
        (instead(NO_POP), "All that is needed works, today"),
        (instead(NO_IMAP), "One check needs you, today"),
    ],
)
def test_it_says_in_short_how_the_account_is(
    owner_client: Client, account: GmailAccount, checks: list[Check], words: str
) -> None:
    found(account, checks)
    shown = text(owner_client.get(reverse("admin:accounts_gmailaccount_change", args=[account.pk])))
    assert words in shown
    assert page_of(account) in shown


def test_it_is_run_again_by_a_button(owner_client: Client, account: GmailAccount) -> None:
    found(account, GOOD)
    assert 'id="run-doctor"' in text(owner_client.get(page_of(account)))
    owner_client.post(page_of(account))
    check_up = CheckUp.objects.get(account=account)
    assert (check_up.finished_at, check_up.checks) == (None, [])


def test_it_goes_on_asking_until_the_doctor_is_done(
    owner_client: Client, account: GmailAccount
) -> None:
    held = {"finished_at": None, "held_until": timezone.now() + timedelta(minutes=1)}
    found(account, GOOD[:2], **held)
    page = text(owner_client.get(page_of(account)))
    assert f'hx-get="{progress_of(account)}"' in page
    assert '<meta http-equiv="refresh"' in page
    progress = owner_client.get(progress_of(account))
    assert progress.status_code == 200
    assert text(progress).count("To come") == len(Name) - 2
    assert "Nobody has been at it" not in text(progress)
    found(account, GOOD)
    assert owner_client.get(progress_of(account)).status_code == 286
    assert "hx-get" not in text(owner_client.get(page_of(account)))


@pytest.mark.parametrize("since", ["asked_at", "held_until"])
def test_it_says_that_nobody_is_at_it(
    owner_client: Client, account: GmailAccount, since: str
) -> None:
    found(account, [], finished_at=None, **{since: timezone.now() - timedelta(seconds=40)})
    assert "Nobody has been at it for 4" in text(owner_client.get(progress_of(account)))


def test_it_offers_the_first_check_up(owner_client: Client, account: GmailAccount) -> None:
    CheckUp.objects.all().delete()
    shown = text(owner_client.get(page_of(account)))
    assert "Not looked at yet" in shown
    assert "Run the doctor" in shown
