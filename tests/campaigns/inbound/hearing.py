"""Campaigns to people who answer, mail that comes to them, and what was heard of it."""

from email.message import EmailMessage
from itertools import count

from django.utils import timezone

from accounts.models import GmailAccount
from campaigns.delivery.sender import send_due
from campaigns.inbound import fetch
from campaigns.inbound.apply import Heard
from campaigns.models import Campaign, Message
from tests.campaigns.making import make_campaign
from tests.practice.mail_clients import imap_client
from tests.practice_gmail import PracticeGmail

_number = count()


def send_to(account: GmailAccount, *people: str, **fields: object) -> Campaign:
    """A campaign to these addresses that has left."""
    campaign = make_campaign(account.workspace, [account], recipients=len(people), **fields)
    for message, address in zip(campaign.messages.order_by("id"), people, strict=True):
        Message.objects.filter(pk=message.pk).update(to_email=address)
        message.contact.email = address
        message.contact.save()
    send_due(account.pk)
    campaign.refresh_from_db()
    return campaign


def hear(account: GmailAccount) -> Heard:
    heard = fetch.read(account.pk, timezone.now())
    account.refresh_from_db()
    assert heard is not None, account.inbound_trouble
    return heard


def message_to(address: str) -> Message:
    return Message.objects.select_related("campaign").get(to_email=address)


def kinds(message: Message) -> list[str]:
    return list(message.events.order_by("id").values_list("kind", flat=True))


def letter(sender: str, to: str, text: str = "Hello", **headers: str) -> EmailMessage:
    mail = EmailMessage()
    mail["From"] = sender
    mail["To"] = to
    mail["Message-ID"] = f"<letter{next(_number)}@{sender.rpartition('@')[2]}>"
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content(text)
    return mail


def put(
    gmail: PracticeGmail, account: GmailAccount, mail: EmailMessage | bytes, folder: str = "INBOX"
) -> None:
    """Into the mailbox, as it came."""
    raw = mail if isinstance(mail, bytes) else mail.as_bytes()
    with imap_client(gmail, account.address) as client:
        client.append(folder, raw)
