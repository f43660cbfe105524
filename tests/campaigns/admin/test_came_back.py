"""What came back, where a person looks: the campaign, the message, the account, the list of all."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import GmailAccount
from campaigns.models import Campaign, Contact, Event, InboundMail, Message
from tests.belongings import Belongings

HOSTILE = "<script>alert(1)</script> & <img src=x onerror=alert(2)>"


@pytest.fixture
def mail(home: Belongings) -> InboundMail:
    """An answer whose every word is a stranger's."""
    InboundMail.objects.update(
        sender=f"{HOSTILE}@x.example", subject=HOSTILE, text=HOSTILE, recipient="", said=""
    )
    return home.of(InboundMail)


def page(client: Client, name: str, *args: int, **query: str) -> str:
    answer = client.get(reverse(f"admin:{name}", args=args), query)
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_campaign_shows_what_came_back_and_links_to_the_messages(
    owner_client: Client, home: Belongings
) -> None:
    campaign, message = home.of(Campaign), home.of(Message)
    Event.objects.create(message=message, kind=Event.Kind.REPLIED, at=timezone.now())
    Event.objects.create(message=message, kind=Event.Kind.REPLIED, at=timezone.now())
    shown = page(owner_client, "campaigns_campaign_page", campaign.pk)
    link = f"?campaign__id__exact={campaign.pk}&amp;came_back=replied"
    assert f'{link}">1</a>' in shown
    assert message.inbound_mail.get().sender in shown

    query = {"campaign__id__exact": str(campaign.pk), "came_back": "replied"}
    assert message.to_email in page(owner_client, "campaigns_message_changelist", **query)
    query["came_back"] = "opted_out"
    assert message.to_email not in page(owner_client, "campaigns_message_changelist", **query)


@pytest.mark.parametrize(
    "name", ["campaigns_campaign_page", "campaigns_message_change", "campaigns_contact_change"]
)
def test_what_a_stranger_wrote_is_shown_as_text_alone(
    owner_client: Client, home: Belongings, mail: InboundMail, name: str
) -> None:
    model = {"campaign": Campaign, "message": Message, "contact": Contact}[name.split("_")[1]]
    shown = page(owner_client, name, home.of(model).pk)
    assert "&lt;script&gt;alert(1)" in shown
    assert "<script>alert" not in shown
    assert "<img src=x" not in shown


def test_the_list_of_all_shows_it_as_text_and_finds_what_has_no_place(
    owner_client: Client, mail: InboundMail
) -> None:
    shown = page(owner_client, "campaigns_inboundmail_changelist")
    assert "&lt;script&gt;" in shown
    assert "<script>alert" not in shown
    assert "onerror" not in page(owner_client, "campaigns_inboundmail_changelist", place="unplaced")
    InboundMail.objects.update(
        message=None, kind="report", verdict="hard", recipient="lost@example.org", trusted=False
    )
    for place in ("unplaced", "unproven"):
        shown = page(owner_client, "campaigns_inboundmail_changelist", place=place)
        assert "lost@example.org" in shown
        assert "not proven" in shown
        assert "about no message that is known (1)" in shown


def test_a_report_that_is_not_proven_says_that_it_changed_nothing(
    owner_client: Client, home: Belongings
) -> None:
    InboundMail.objects.update(kind="report", verdict="hard", trusted=False)
    shown = page(owner_client, "campaigns_message_change", home.of(Message).pk)
    assert "so it changed nothing" in shown


def test_an_account_tells_when_it_was_heard_and_why_not(
    owner_client: Client, home: Belongings
) -> None:
    account, now = home.of(GmailAccount), timezone.now()
    rows = GmailAccount.objects.filter(pk=account.pk)
    rows.update(inbound_tried_at=now, inbound_read_at=now - timedelta(minutes=3))
    name = "accounts_gmailaccount_change"
    assert "read 3\xa0minutes ago" in page(owner_client, name, account.pk)
    rows.update(inbound_trouble="The door was shut.", connected_at=now - timedelta(days=1))
    assert "The door was shut." in page(owner_client, name, account.pk)
    assert "is not heard" not in page(owner_client, "index")
    rows.update(inbound_read_at=now - timedelta(hours=2))
    assert "is not heard" in page(owner_client, "index")
