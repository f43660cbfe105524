"""The headers of a campaign's message: who it is from, and where its answers go."""

from email import message_from_bytes
from email.message import Message as Mail
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import GmailAccount
from campaigns.delivery.compose import Composer
from campaigns.delivery.sender import send_due
from campaigns.models import Campaign, Message
from gmail.replies import Reply
from gmail.smtp import SmtpSession
from tests.campaigns.making import make_account, make_campaign, make_workspace
from tests.practice_gmail import PracticeGmail

pytestmark = pytest.mark.django_db


def composed(**account_fields: Any) -> Mail:
    account = make_account(make_workspace(), **{"address": "ana@gmail.com", **account_fields})
    campaign = make_campaign(account.workspace, [account], recipients=1)
    message = Message.objects.select_related("contact", "workspace").get(campaign=campaign)
    return message_from_bytes(Composer(account).compose(message, timezone.now()))


def test_it_is_from_the_account_where_nothing_else_is_said() -> None:
    mail = composed()
    assert mail["From"] == "ana@gmail.com"
    assert mail["Reply-To"] is None


def test_it_is_from_the_alias_and_unsubscribes_at_the_account() -> None:
    mail = composed(
        display_name="Ana's shop", from_address="shop@example.com", reply_to="desk@example.com"
    )
    assert mail["From"] == "Ana's shop <shop@example.com>"
    assert mail["Reply-To"] == "desk@example.com"
    assert mail["List-Unsubscribe"] == "<mailto:ana@gmail.com?subject=unsubscribe>"


def test_it_keeps_the_account_in_the_envelope(
    gmail: PracticeGmail,
    account: GmailAccount,
    campaign: Campaign,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Or Gmail would tell somebody else what came back."""
    GmailAccount.objects.update(from_address="shop@example.com")
    begin, senders = SmtpSession.begin, []

    def listen(self: SmtpSession, sender: str, recipient: str) -> Reply:
        senders.append(sender)
        return begin(self, sender, recipient)

    monkeypatch.setattr(SmtpSession, "begin", listen)
    assert send_due(account.pk).sent == len(senders) == 3
    assert set(senders) == {account.address}


@pytest.mark.parametrize(
    ("address", "link"),
    [
        ("ana+shop@gmail.com", "<mailto:ana+shop@gmail.com?subject=unsubscribe>"),
        ("a&b?c%d@example.com", "<mailto:a%26b%3Fc%25d@example.com?subject=unsubscribe>"),
        ("ana@münchen.de", "<mailto:ana@xn--mnchen-3ya.de?subject=unsubscribe>"),
    ],
)
def test_it_writes_the_address_into_the_link_as_a_link_wants_it(address: str, link: str) -> None:
    assert composed(address=address)["List-Unsubscribe"] == link
