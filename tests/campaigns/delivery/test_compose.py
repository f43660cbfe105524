"""The headers of a campaign's message: who it is from, and where its answers go."""

from email import message_from_bytes
from email.message import Message as Mail
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import GmailAccount
from campaigns import tokens
from campaigns.delivery import leaving
from campaigns.delivery.compose import Composer
from campaigns.delivery.sender import send_due
from campaigns.models import Campaign, Message
from campaigns.tokens import Purpose
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


def message_of(mail: Mail) -> int:
    return Message.objects.get(message_id=mail["Message-ID"]).pk


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
    assert mail["List-Unsubscribe"].startswith("<mailto:ana+")
    assert "@gmail.com?subject=unsubscribe%20" in mail["List-Unsubscribe"]


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


def test_it_offers_the_mailbox_alone_without_a_public_address(settings: Any) -> None:
    settings.PUBLIC_URL = ""
    mail = composed()
    assert (
        mail["List-Unsubscribe"] == f"<{leaving.opt_out_link('ana@gmail.com', message_of(mail))}>"
    )
    assert mail["List-Unsubscribe-Post"] is None


def test_it_offers_one_click_first_with_a_public_address(settings: Any) -> None:
    settings.PUBLIC_URL = "https://post.example.org"
    mail = composed()
    offered = "".join(mail["List-Unsubscribe"].splitlines())
    token = tokens.make(Purpose.LEAVE, message_of(mail))
    by_mail = leaving.opt_out_link("ana@gmail.com", message_of(mail))
    assert offered == f"<https://post.example.org/u/{token}>, <{by_mail}>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
