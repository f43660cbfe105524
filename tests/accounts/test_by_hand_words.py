"""What the pages say of mail written by hand: how much counts, and what is kept free for more."""

from datetime import timedelta

from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import GmailAccount, LedgerRow
from campaigns.delivery.claim import Claim, take_account
from tests.accounts.gmail_pages import text
from tests.belongings import Belongings
from tests.campaigns.claiming import claim_next
from tests.campaigns.making import make_account, make_single, spend

FRESH = "10 kept free for what you wrote in Gmail since Daypost last looked."
UNREAD = (
    "50 kept free for mail you write yourself, which is not counted: "
    "By POP nothing shows what was sent. Read this account by IMAP instead."
)


def make_read(home: Belongings) -> GmailAccount:
    home.everything()  # so that the dashboard is past its first steps
    GmailAccount.objects.update(reserve_by_hand=0)
    now = timezone.now()
    return make_account(
        home.workspace,
        address="siop@gmail.com",
        inbound=GmailAccount.Inbound.IMAP,
        reserve_by_hand=50,
        sent_read_at=now - timedelta(minutes=4),
        sent_tried_at=now - timedelta(minutes=4),
    )


def pages(client: Client, account: GmailAccount) -> tuple[str, str]:
    change = reverse("admin:accounts_gmailaccount_change", args=[account.pk])
    found = text(client.get(change)), text(client.get("/"))
    return found[0].replace("\xa0", " "), found[1].replace("\xa0", " ")


def test_they_say_how_many_and_when_they_were_read(owner_client: Client, home: Belongings) -> None:
    account = make_read(home)
    spend(account, 38, source=LedgerRow.Source.BY_HAND)
    page, dashboard = pages(owner_client, account)
    assert "38 of 500" in page
    assert "(38 written by hand)" in page
    assert "read from Sent 4 minutes ago" in page
    assert FRESH in page
    assert FRESH in dashboard
    assert "written by hand" in dashboard


def test_they_say_what_is_kept_free_instead_and_why(owner_client: Client, home: Belongings) -> None:
    account = make_read(home)
    GmailAccount.objects.filter(pk=account.pk).update(inbound=GmailAccount.Inbound.POP)
    for page in pages(owner_client, account):
        assert UNREAD in page
        assert FRESH not in page


def test_what_is_kept_free_for_it_is_not_for_single_mails_either(home: Belongings) -> None:
    account = make_read(home)
    GmailAccount.objects.filter(pk=account.pk).update(limit=20)
    make_single(account)
    now = timezone.now()
    assert take_account(account.pk, "me", now)
    spend(account, 9)
    assert isinstance(claim_next(account.pk, "me", now), Claim)
    make_single(account, to="another@example.org")
    assert not isinstance(claim_next(account.pk, "me", now), Claim)
