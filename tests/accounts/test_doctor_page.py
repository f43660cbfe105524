"""The page of a check-up, and what an account's own page says of it."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.doctor.check import Check, Name, as_rows
from accounts.models import CheckUp, GmailAccount
from tests.accounts.gmail_pages import text
from tests.belongings import Belongings

pytestmark = pytest.mark.only_shows

GOOD = [Check(name, True, True, f"Found {name}.") for name in Name]
NO_POP = Check(Name.POP, False, False, "It is off.", "Enable POP.")
NO_IMAP = Check(Name.IMAP, False, True, "It is off.", "Enable IMAP.")
NO_MAIL = Check(Name.SELF_TEST, True, False, "It is switched off.")
FULL = Check(Name.LIMIT, False, False, "500 of 500.", "It goes on by itself.")
NO_SENT = Check(
    Name.SENT_FOLDER, False, True, "Waits for “Reading by IMAP”.", "Enable it.", Name.IMAP
)
NO_CONSENT = Check(Name.SMTP_SSL, False, True, "It ended.", "Come again.", connect_again=True)


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


def instead(*checks: Check) -> list[Check]:
    named = {check.name: check for check in checks}
    return [named.get(one.name, one) for one in GOOD]


def account_page(account: GmailAccount) -> str:
    return reverse("admin:accounts_gmailaccount_change", args=[account.pk])


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
        (instead(NO_IMAP, NO_SENT), "One check needs you, today"),
        (instead(NO_MAIL), "All 7 checks passed, today"),
        (instead(FULL), "7 passed, one waits, today"),
    ],
)
def test_it_says_in_short_how_the_account_is(
    owner_client: Client, account: GmailAccount, checks: list[Check], words: str
) -> None:
    found(account, checks)
    for url in (account_page(account), page_of(account)):
        assert words in text(owner_client.get(url))
    assert page_of(account) in text(owner_client.get(account_page(account)))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"from_address": "a@example.com", "keeps_from": False}, "Gmail replaces a@example.com"),
        ({"resting_until": datetime(2099, 1, 5, 9, 30, tzinfo=UTC)}, "Resting until Monday, 10:30"),
        ({"state": "needs_reconnecting"}, "Needs reconnecting"),
    ],
)
def test_it_does_not_say_that_all_is_well_where_something_is_in_the_way(
    owner_client: Client, account: GmailAccount, fields: dict[str, Any], words: str
) -> None:
    found(account, GOOD)
    mine = GmailAccount.objects.filter(pk=account.pk)
    mine.update(**{"state": "ready", "time_zone": "Europe/Berlin"} | fields)
    for url in (account_page(account), page_of(account)):
        shown = text(owner_client.get(url))
        assert "checks passed" not in shown
        assert words in shown


def test_it_tells_what_waits_and_what_is_off_from_what_does_not_work(
    owner_client: Client, account: GmailAccount
) -> None:
    found(account, instead(NO_IMAP, NO_SENT, NO_MAIL, FULL))
    shown = text(owner_client.get(page_of(account)))
    badges = re.findall(r'<span class="dp-badge[^"]*">([^<]+)</span>', shown[shown.index("<h3>") :])
    assert badges == ["Good", "Good", "Needs you", "Good", "Waits", "Off", "Good", "Waits"]
    assert "Waits for “Reading by IMAP”." in shown
    assert "Enable it." not in shown


def test_it_leads_to_connecting_again(owner_client: Client, account: GmailAccount) -> None:
    again = reverse("admin:gmail_again", args=[account.pk])
    found(account, instead(NO_IMAP))
    assert again not in text(owner_client.get(page_of(account)))
    found(account, instead(NO_CONSENT, NO_IMAP))
    assert text(owner_client.get(page_of(account))).count(f'href="{again}"') == 1
    summary = reverse("admin:gmail_account_progress", args=[account.pk])
    assert text(owner_client.get(summary)).count(f'href="{again}"') == 1


def test_it_shows_the_remedy_on_the_account_page_in_full(
    owner_client: Client, account: GmailAccount
) -> None:
    long = Check(Name.IMAP, False, True, "It is off.", "Enable IMAP. " + "Look closely. " * 20)
    found(account, instead(long))
    shown = text(owner_client.get(account_page(account)))
    assert "Reading by IMAP:" in shown
    assert long.remedy.strip() in shown


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


def test_it_goes_on_asking_on_the_account_page_too(
    owner_client: Client, account: GmailAccount
) -> None:
    summary = reverse("admin:gmail_account_progress", args=[account.pk])
    found(account, GOOD[:2], finished_at=None, held_until=timezone.now() + timedelta(minutes=1))
    assert f'hx-get="{summary}"' in text(owner_client.get(account_page(account)))
    part = owner_client.get(summary)
    assert part.status_code == 200
    assert "The doctor is looking" in text(part)
    found(account, GOOD)
    part = owner_client.get(summary)
    assert part.status_code == 286
    assert "All 8 checks passed" in text(part)
    assert f'hx-get="{summary}"' not in text(owner_client.get(account_page(account)))


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
