"""The page of one connected Gmail account."""

from typing import Any
from zoneinfo import available_timezones

import html5lib
import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import rests, sealed
from accounts.admin import GmailAccountForm
from accounts.models import CheckUp, GmailAccount, Rest
from tests.accounts.gmail_cast import ANA, ANA_PASSWORD, BEN, connect_ana, connect_by_consent
from tests.accounts.gmail_pages import CONNECT, CONSENT, ask, come_back, text
from tests.belongings import Belongings
from tests.practice_gmail import PracticeGmail

CHANGE_LIST = "admin:accounts_gmailaccount_changelist"


def account_page(account: GmailAccount) -> str:
    return reverse("admin:accounts_gmailaccount_change", args=[account.pk])


def test_it_shows_the_state_with_its_reason_and_the_one_thing_to_do(
    gmail: PracticeGmail, owner_client: Client, home: Belongings
) -> None:
    account = connect_ana(home.workspace)
    page = text(owner_client.get(account_page(account)))
    assert "Ready" in page
    assert "0 of 500" in page
    GmailAccount.objects.filter(pk=account.pk).update(
        state=GmailAccount.State.NEEDS_RECONNECTING, state_reason="Google ended the access."
    )
    for url in (account_page(account), reverse("admin:accounts_gmailaccount_changelist")):
        page = text(owner_client.get(url))
        assert "Needs reconnecting" in page
        assert "Google ended the access." in page
    assert reverse("admin:gmail_again", args=[account.pk]) in text(
        owner_client.get(account_page(account))
    )


def test_it_says_until_when_an_account_rests(
    gmail: PracticeGmail, owner_client: Client, home: Belongings
) -> None:
    account = connect_ana(home.workspace)
    account.time_zone = "Asia/Tokyo"
    account.resting_until = timezone.now() + timezone.timedelta(hours=2)
    account.resting_reason = "550 5.4.5 Daily user sending limit exceeded."
    account.save()
    page = text(owner_client.get(account_page(account)))
    assert "Resting until" in page
    assert "(Asia/Tokyo)" in page
    assert "550 5.4.5" in page


def settings_of(account: GmailAccount, **changes: Any) -> dict[str, Any]:
    names = ("display_name", "from_address", "reply_to", "time_zone", "limit", "reserve_by_hand")
    more = (
        "ramp_first",
        "ramp_growth",
        "reserve_transactional",
        "smtp_security",
        "inbound",
        "self_test",
    )
    fields = {name: getattr(account, name) for name in (*names, *more)}
    # A box that is not ticked is not in the form.
    given = {**fields, **({"ramp": True} if account.ramp else {}), **changes}
    return {name: value for name, value in given.items() if value is not False}


def test_it_saves_the_settings_of_an_account(
    gmail: PracticeGmail, owner_client: Client, home: Belongings
) -> None:
    account = connect_ana(home.workspace)
    changes = {"display_name": "Ana's shop", "limit": 0, "time_zone": "Europe/Lisbon"}
    response = owner_client.post(account_page(account), settings_of(account, **changes))
    assert response.status_code == 302
    account.refresh_from_db()
    assert (account.display_name, account.limit) == ("Ana's shop", 0)
    assert account.time_zone == "Europe/Lisbon"
    assert sealed.ACCOUNT_SECRET.open(account) == ANA_PASSWORD.replace(" ", "")


def test_it_offers_every_zone_and_shows_the_present_one(
    owner_client: Client, home: Belongings
) -> None:
    account = home.of(GmailAccount)
    GmailAccount.objects.update(time_zone="Asia/Tokyo")
    answer = owner_client.get(account_page(account))
    page = html5lib.parse(answer.content, namespaceHTMLElements=False)
    (zones,) = [each for each in page.iter("select") if each.attrib["name"] == "time_zone"]
    offered = {option.attrib["value"]: option for option in zones.iter("option")}
    assert offered.keys() == available_timezones()
    assert all(option.text == zone for zone, option in offered.items())
    assert [zone for zone, each in offered.items() if "selected" in each.attrib] == ["Asia/Tokyo"]


@pytest.mark.parametrize(
    "changes",
    [
        {"limit": 2001},
        {"limit": -1},
        {"limit": ""},
        {"time_zone": "Europe/Atlantis"},
        {"display_name": "Ana\r\nBcc: all@example.org"},
        {"display_name": "Ana\u2028Bcc: all@example.org"},
        {"display_name": "Ana\u202emoc.elgoog@pleh"},
        {"from_address": "shop"},
        {"from_address": "shop@example.com, desk@example.com"},
        {"from_address": "zoë@example.com"},
        {"from_address": "shop@[127.0.0.1]"},
        {"reply_to": "Ana <ana@example.com>"},
        {"reply_to": "a@example.com\r\nBcc: all@example.org"},
    ],
)
def test_it_refuses_settings_that_cannot_be(
    gmail: PracticeGmail, owner_client: Client, home: Belongings, changes: dict[str, Any]
) -> None:
    account = connect_ana(home.workspace)
    before = GmailAccount.objects.values().get(pk=account.pk)
    response = owner_client.post(account_page(account), settings_of(account, **changes))
    assert response.status_code == 200
    assert GmailAccount.objects.values().get(pk=account.pk) == before


@pytest.mark.parametrize(
    "name", ["Ana's shop, Tregaron", "山田 太郎", "نمی\u200cدانم", "👩\u200d👩\u200d👧 Family"]
)
def test_it_takes_a_name_in_any_script(owner_client: Client, home: Belongings, name: str) -> None:
    account = home.of(GmailAccount)
    owner_client.post(account_page(account), settings_of(account, display_name=f" {name} "))
    account.refresh_from_db()
    assert account.display_name == name


def test_it_saves_an_alias_and_where_replies_go(owner_client: Client, home: Belongings) -> None:
    account = home.of(GmailAccount)
    changes = {"from_address": "shop@münchen.de", "reply_to": " desk@example.com "}
    owner_client.post(account_page(account), settings_of(account, **changes))
    account.refresh_from_db()
    # As it stands in a header, so that it can be found again in a mail.
    assert account.from_address == "shop@xn--mnchen-3ya.de"
    assert account.reply_to == "desk@example.com"
    owner_client.post(
        account_page(account), settings_of(account, from_address=account.address.title())
    )
    account.refresh_from_db()
    assert account.from_address == ""


def test_it_forgets_what_gmail_made_of_another_alias(
    owner_client: Client, home: Belongings
) -> None:
    account = home.of(GmailAccount)
    mine = GmailAccount.objects.filter(pk=account.pk)
    mine.update(from_address="shop@example.com", keeps_from=False, practice=True)
    account.refresh_from_db()
    page = text(owner_client.get(account_page(account)))
    assert f"Gmail replaces shop@example.com by {account.address}." in page
    assert "The practice Gmail knows only the aliases" in page
    mine.update(practice=False)
    page = text(owner_client.get(account_page(account)))
    assert "The practice Gmail" not in page
    assert "Send mail as > Add another email address" in page

    owner_client.post(account_page(account), settings_of(account, limit=70))
    account.refresh_from_db()
    assert (account.limit, account.keeps_from) == (70, False)

    owner_client.post(account_page(account), settings_of(account, from_address="b@example.com"))
    account.refresh_from_db()
    assert account.keeps_from is None
    assert "Gmail replaces b@" not in text(owner_client.get(account_page(account)))


@pytest.mark.parametrize(
    ("fields", "alias", "asks", "leads_back"),
    [
        ({}, "b@example.com", True, True),
        ({}, "a@example.com", False, False),
        ({}, "", True, False),
        ({"self_test": False}, "b@example.com", True, False),
        ({"state": "disconnected"}, "b@example.com", False, False),
    ],
)
def test_it_tries_another_alias_at_once(
    owner_client: Client,
    home: Belongings,
    fields: dict[str, Any],
    alias: str,
    asks: bool,
    leads_back: bool,
) -> None:
    account = home.of(GmailAccount)
    CheckUp.objects.all().delete()
    mine = GmailAccount.objects.filter(pk=account.pk)
    mine.update(**{"from_address": "a@example.com", "self_test": True, "state": "ready"} | fields)
    account.refresh_from_db()
    response = owner_client.post(
        account_page(account), settings_of(account, from_address=alias), follow=True
    )
    assert CheckUp.objects.filter(account=account, finished_at=None).exists() == asks
    back = account_page(account) if leads_back else reverse(CHANGE_LIST)
    assert response.redirect_chain[-1][0] == back
    assert ("Daypost is trying b@example.com" in text(response)) == leads_back


def test_it_tells_of_its_rests_before_the_form(owner_client: Client, home: Belongings) -> None:
    account = home.of(GmailAccount)
    account.rests.all().delete()
    for day in range(4):
        page = text(owner_client.get(account_page(account)))
        assert ('<details class="dp-card gm-rests" open>' in page) == bool(account.rests.count())
        rests.begin(account.pk, Rest.Cause.TROUBLE, f"No {day}.", timezone.now(), timezone.now())
    page = text(owner_client.get(account_page(account)))
    assert '<details class="dp-card gm-rests">' in page
    assert page.index("gm-rests") < page.index('name="display_name"')


def test_it_forgets_also_what_was_found_while_the_alias_was_being_changed(
    owner_client: Client, home: Belongings, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = home.of(GmailAccount)
    cleaned = GmailAccountForm._post_clean

    def clean_while_the_test_mail_comes_back(form: Any) -> None:
        cleaned(form)
        GmailAccount.objects.filter(pk=account.pk).update(keeps_from=True)

    monkeypatch.setattr(GmailAccountForm, "_post_clean", clean_while_the_test_mail_comes_back)
    owner_client.post(account_page(account), settings_of(account, from_address="b@example.com"))
    account.refresh_from_db()
    assert account.keeps_from is None


def test_it_cannot_be_added_or_deleted_by_a_form(owner_client: Client, home: Belongings) -> None:
    response = owner_client.get(reverse("admin:accounts_gmailaccount_add"))
    assert response.headers["Location"] == CONNECT
    account = home.of(GmailAccount)
    url = reverse("admin:accounts_gmailaccount_delete", args=[account.pk])
    assert owner_client.post(url, {"post": "yes"}).status_code == 403
    assert "Delete" not in text(owner_client.get(account_page(account)))


def test_it_connects_again_by_consent_only_the_same_mailbox(
    gmail: PracticeGmail, owner_client: Client, home: Belongings
) -> None:
    account = connect_ana(home.workspace)
    again = reverse("admin:gmail_again", args=[account.pk])
    url = ask(owner_client, account=account.pk)
    response = come_back(owner_client, gmail.consent(url, account=BEN))
    assert response.redirect_chain[-1] == (again, 302)
    assert f"You chose {BEN}" in text(response)
    url = ask(owner_client, account=account.pk)
    assert "is connected" in text(come_back(owner_client, gmail.consent(url, account=ANA)))
    account.refresh_from_db()
    assert account.auth == GmailAccount.Auth.OAUTH


def test_it_connects_again_with_a_new_app_password(
    gmail: PracticeGmail, owner_client: Client, home: Belongings
) -> None:
    account = connect_by_consent(gmail, home.workspace)
    GmailAccount.objects.filter(pk=account.pk).update(
        state="needs_reconnecting", limit=77, display_name="Ana's shop"
    )
    again = reverse("admin:gmail_again", args=[account.pk])
    page = text(owner_client.post(again, {"password": "wrongwrongwrongx"}))
    assert "did not accept" in page
    assert "wrongwrongwrongx" not in page
    assert 'value="Ana\'s shop"' in text(owner_client.get(again))
    owner_client.post(again, {"password": ANA_PASSWORD, "display_name": "Ana's café"})
    account.refresh_from_db()
    assert (account.state, account.auth, account.limit) == ("ready", "app_password", 77)
    assert account.display_name == "Ana's café"


def test_it_asks_before_it_disconnects(
    gmail: PracticeGmail, owner_client: Client, home: Belongings
) -> None:
    account = connect_ana(home.workspace)
    url = reverse("admin:gmail_disconnect", args=[account.pk])
    assert f"Disconnect {ANA}?" in text(owner_client.get(url))
    account.refresh_from_db()
    assert account.state == GmailAccount.State.READY
    assert f"{ANA} is disconnected." in text(owner_client.post(url, follow=True))
    account.refresh_from_db()
    assert (account.state, account.sealed_secret) == (GmailAccount.State.DISCONNECTED, "")


def test_it_hides_the_accounts_of_others(
    gmail: PracticeGmail, outsider_client: Client, home: Belongings
) -> None:
    account = connect_ana(home.workspace)
    for name in ("admin:gmail_again", "admin:gmail_disconnect"):
        for method in (outsider_client.get, outsider_client.post):
            assert method(reverse(name, args=[account.pk])).status_code == 404
    assert outsider_client.get(account_page(account)).status_code == 404
    for key in (account.pk, "x", "999999"):
        assert outsider_client.post(CONSENT, {"account": key}).status_code == 404
    account.refresh_from_db()
    assert account.state == GmailAccount.State.READY
