"""What an account's page says of its limits, and what a person may change there."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import GmailAccount
from tests.accounts.gmail_pages import text
from tests.accounts.test_account_page import account_page, settings_of
from tests.belongings import Belongings


@pytest.fixture
def account(home: Belongings) -> GmailAccount:
    """Its limit is 500, and 55 are kept free; a real account."""
    account: GmailAccount = home.of(GmailAccount)
    account.time_zone = "UTC"
    account.save()
    return account


def change(account: GmailAccount, **fields: Any) -> None:
    GmailAccount.objects.filter(pk=account.pk).update(**fields)
    account.refresh_from_db()


def limit_card(client: Client, account: GmailAccount) -> str:
    page = text(client.get(account_page(account)))
    card = page[page.index('id="limit"') :]
    return " ".join(card[: card.index("</section>")].split())


def test_it_says_that_what_is_set_is_in_force(owner_client: Client, account: GmailAccount) -> None:
    card = limit_card(owner_client, account)
    assert "500 messages in any 24 hours.</strong> That is what is set below." in card
    assert "nothing: Gmail has not refused below what is set" in card
    assert "off: all that is set" in card
    assert "<button" not in card
    assert "<table" not in card


def test_it_says_what_a_refusal_taught_and_how_it_is_forgotten(
    owner_client: Client, account: GmailAccount
) -> None:
    at = timezone.now() - timedelta(days=1, hours=2)
    change(account, learned_limit=312, learned_at=at)
    card = limit_card(owner_client, account)
    grows_at = at + timedelta(days=2)
    assert "343 messages in any 24 hours." in card
    assert f"Gmail refused more than 312 on {at:%A} {at.day} {at:%B}." in card
    assert (
        f"It grows to 377 at {grows_at:%a} {grows_at.day} {grows_at:%b, %H:%M}, and to 500" in card
    )
    assert "which is forgotten by 10 % a day" in card
    for limit in ("343", "377", "414", "455", "500"):
        assert f">{limit}</td>" in card
    owner_client.post(reverse("admin:gmail_forget_limit", args=[account.pk]))
    assert "500 messages in any 24 hours." in limit_card(owner_client, account)
    account.refresh_from_db()
    assert (account.learned_limit, account.learned_at) == (None, None)


def test_it_tells_the_plan_for_a_new_mailbox_before_and_after_it_begins(
    owner_client: Client, account: GmailAccount
) -> None:
    change(account, ramp=True)
    card = limit_card(owner_client, account)
    assert "100 messages in any 24 hours." in card
    assert "It grows once a campaign sends, to 500 after 4 days." in card
    assert "100 on the first day that a campaign sends, then 50 % more a day" in card
    assert "3 days later" in card
    began = timezone.now() - timedelta(hours=30)
    change(account, ramp_began_at=began)
    card = limit_card(owner_client, account)
    assert "150 messages in any 24 hours." in card
    assert "The mailbox is new here, so it begins with less. It grows to 225 at" in card
    assert "150: it began with 100" in card
    owner_client.post(reverse("admin:gmail_end_ramp", args=[account.pk]))
    account.refresh_from_db()
    assert not account.ramp
    assert "500 messages in any 24 hours." in limit_card(owner_client, account)


def test_it_leaves_steps_of_a_long_plan_out(owner_client: Client, account: GmailAccount) -> None:
    change(account, ramp=True, ramp_first=10, ramp_growth=10)
    card = limit_card(owner_client, account)
    assert card.count("<tr>") == 1 + 8
    assert ">…</td>" in card
    assert ">500</td>" in card


def test_it_begins_the_plan_anew_when_it_is_switched_on(
    owner_client: Client, account: GmailAccount
) -> None:
    change(account, ramp_began_at=timezone.now() - timedelta(days=90))
    changes = {"ramp": True, "ramp_first": 80, "ramp_growth": 25}
    owner_client.post(account_page(account), settings_of(account, **changes))
    account.refresh_from_db()
    assert (account.ramp, account.ramp_first, account.ramp_growth) == (True, 80, 25)
    assert account.ramp_began_at is None
    began = timezone.now() - timedelta(days=1)
    change(account, ramp_began_at=began)
    owner_client.post(account_page(account), settings_of(account, ramp_first=60))
    account.refresh_from_db()
    assert (account.ramp_first, account.ramp_began_at) == (60, began), "changed, not begun anew"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"ramp_first": ""}, "Give a number, or leave the plan out."),
        ({"ramp_growth": ""}, "Give a number, or leave the plan out."),
        ({"ramp_first": 0}, "Nothing would be left for campaigns on the first day"),
        ({"ramp_growth": 0}, "greater than or equal to 1"),
        ({"ramp_first": 55}, "Nothing would be left for campaigns on the first day: 55 are kept"),
    ],
)
def test_it_refuses_a_plan_that_cannot_be_and_keeps_what_was_typed(
    owner_client: Client, account: GmailAccount, changes: dict[str, Any], sentence: str
) -> None:
    given = settings_of(account, ramp=True, display_name="Typed", **changes)
    page = text(owner_client.post(account_page(account), given))
    assert sentence in page
    assert 'value="Typed"' in page
    account.refresh_from_db()
    assert not account.ramp


def test_it_asks_for_no_plan_where_it_is_off(owner_client: Client, account: GmailAccount) -> None:
    given = settings_of(account, limit=300, ramp_first="", ramp_growth="")
    assert owner_client.post(account_page(account), given).status_code == 302
    account.refresh_from_db()
    assert (account.limit, account.ramp_first, account.ramp_growth) == (300, 100, 50)


@pytest.mark.parametrize(
    ("fields", "hint"),
    [
        ({"address": "ana@gmail.com"}, ""),
        ({"address": "ana@GoogleMail.com", "limit": 501}, "a personal account 500"),
        ({"address": "ana@shop.example"}, "is of Google Workspace, where Gmail allows 2,000"),
        ({"address": "ana@shop.example", "limit": 2000}, ""),
        ({"address": "ana@shop.example", "practice": True}, ""),
    ],
)
def test_it_says_what_gmail_allows_an_address_of_its_kind(
    owner_client: Client, account: GmailAccount, fields: dict[str, Any], hint: str
) -> None:
    change(account, **fields)
    card = limit_card(owner_client, account)
    assert hint in card
    assert ("dp-notice" in card) == bool(hint)


def test_it_lists_what_is_in_force_now(owner_client: Client, account: GmailAccount) -> None:
    change(account, ramp=True)
    listed = text(owner_client.get(reverse("admin:accounts_gmailaccount_changelist")))
    assert "100 of 500 messages now" in listed


@pytest.mark.parametrize("name", ["admin:gmail_end_ramp", "admin:gmail_forget_limit"])
def test_it_changes_a_limit_for_nobody_but_its_people_and_by_a_button_alone(
    owner_client: Client, outsider_client: Client, account: GmailAccount, name: str
) -> None:
    change(account, ramp=True, learned_limit=70, learned_at=timezone.now())
    url = reverse(name, args=[account.pk])
    assert owner_client.get(url).status_code == 405
    assert outsider_client.post(url).status_code == 404
    account.refresh_from_db()
    assert (account.ramp, account.learned_limit) == (True, 70)
