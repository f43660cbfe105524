"""Rows for tests of what happens below the screens: workspace, account, campaign, messages."""

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from django.utils import timezone

from accounts.models import GmailAccount, LedgerRow, Workspace
from campaigns.models import (
    Campaign,
    CampaignAccount,
    Contact,
    ContactList,
    ListMembership,
    Message,
    Revision,
    Template,
)
from campaigns.models.address_hash import address_hash

_number = count(1)


def make_workspace(**fields: Any) -> Workspace:
    given = {"name": f"Workspace {next(_number)}", "postal_address": "1 High Street\nTregaron"}
    return Workspace.objects.create(**given | {"time_zone": "UTC"} | fields)


def make_account(workspace: Workspace, **fields: Any) -> GmailAccount:
    address = f"sender{next(_number)}@gmail.com"
    given = {
        "address": address,
        "mailbox_key": fields.get("address", address),
        "auth": GmailAccount.Auth.APP_PASSWORD,
        # There is no server behind it: Sent is not read, also not at once when IMAP is asked for.
        "inbound": GmailAccount.Inbound.NONE,
        "sent_tried_at": timezone.now(),
        "reserve_by_hand": 0,
        "reserve_transactional": 0,
        "time_zone": "UTC",
        "practice": True,
    }
    return GmailAccount.objects.create(workspace=workspace, **given | fields)


def make_list(workspace: Workspace, size: int) -> ContactList:
    contact_list = ContactList.objects.create(workspace=workspace, name=f"List {next(_number)}")
    first = next(_number)
    addresses = [f"person{first}x{n}@example.org" for n in range(size)]
    contacts = Contact.objects.bulk_create(
        Contact(
            workspace=workspace,
            email=one,
            email_key=one,
            email_hash=address_hash(one),
            first_name=f"Person {n}",
        )
        for n, one in enumerate(addresses)
    )
    ListMembership.objects.bulk_create(
        ListMembership(contact_list=contact_list, contact=contact) for contact in contacts
    )
    return contact_list


def make_campaign(
    workspace: Workspace, accounts: list[GmailAccount], recipients: int = 3, **fields: Any
) -> Campaign:
    """A campaign that is sending, with one waiting message for each of its recipients."""
    now = timezone.now()
    contact_list = make_list(workspace, recipients)
    given = {
        "name": f"Campaign {next(_number)}",
        "pace": Campaign.Pace.ASAP,
        "state": Campaign.State.SENDING,
        "launched_at": now - timedelta(minutes=1),
        "recipients": recipients,
    }
    campaign = Campaign.objects.create(workspace=workspace, **given | fields)
    campaign.lists.add(contact_list)
    for account in accounts:
        CampaignAccount.objects.create(campaign=campaign, account=account)
    Revision.objects.create(
        campaign=campaign,
        number=1,
        subject="News for {{ first_name }}",
        html="<p>Dear {{ first_name }}</p>",
        text="Dear {{ first_name }}",
    )
    Message.objects.bulk_create(
        Message(
            workspace=workspace,
            source=LedgerRow.Source.CAMPAIGN,
            campaign=campaign,
            contact=contact,
            to_email=contact.email,
            message_id=f"<test{next(_number)}@gmail.com>",
            not_before=now - timedelta(minutes=1),
            created_at=now,
        )
        for contact in contact_list.contacts.order_by("id")
    )
    return campaign


def make_draft(workspace: Workspace, accounts: list[GmailAccount], recipients: int = 3) -> Campaign:
    """A campaign that is ready to be launched, to a list of its own."""
    template = Template.objects.create(
        workspace=workspace, name="Letter", subject="For {{ first_name }}", html="<p>Hello</p>"
    )
    draft = Campaign.objects.create(
        workspace=workspace, name="Draft", template=template, pace=Campaign.Pace.ASAP
    )
    draft.lists.add(make_list(workspace, recipients))
    for account in accounts:
        CampaignAccount.objects.create(campaign=draft, account=account)
    return draft


def make_single(account: GmailAccount, to: str = "owner@example.org") -> Message:
    """A mail of Daypost itself, such as a password reset."""
    now = timezone.now()
    return Message.objects.create(
        workspace=account.workspace,
        source=LedgerRow.Source.SYSTEM,
        account=account,
        to_email=to,
        message_id=f"<single{next(_number)}@gmail.com>",
        raw=b"Subject: Reset\r\n\r\nHere.\r\n",
        not_before=now - timedelta(minutes=1),
        created_at=now,
    )


def spend(
    account: GmailAccount,
    recipients: int,
    at: datetime | None = None,
    source: str = LedgerRow.Source.CAMPAIGN,
) -> None:
    """Use so much of the account's limit, by mail that has nothing to do with the test."""
    LedgerRow.objects.create(
        account=account,
        source=source,
        recipients=recipients,
        state=LedgerRow.State.ACCEPTED,
        reserved_at=at or timezone.now(),
        at=at or datetime.now(UTC),
    )
