"""The rows of a crowd: many connected accounts, each with a campaign that waits to leave."""

from datetime import timedelta

from django.utils import timezone

from accounts import sealed
from accounts.models import GmailAccount, LedgerRow, Workspace
from campaigns.models import Campaign, CampaignAccount, Contact, Message, Revision
from campaigns.models.address_hash import address_hash
from campaigns.rendering.text import plain_text
from campaigns.starters import STARTERS


def make_crowd(accounts: int, waiting: int) -> None:
    """`accounts` workspaces, each with an account, and a campaign of `waiting` messages."""
    now = timezone.now() - timedelta(minutes=1)
    workspaces = Workspace.objects.bulk_create(
        Workspace(name=f"Club {n}", postal_address="1 High Street\nTregaron", time_zone="UTC")
        for n in range(accounts)
    )
    connected = _make_accounts(workspaces)
    campaigns = Campaign.objects.bulk_create(
        Campaign(
            workspace=workspace,
            name="News",
            pace=Campaign.Pace.ASAP,
            state=Campaign.State.SENDING,
            launched_at=now,
            recipients=waiting,
        )
        for workspace in workspaces
    )
    CampaignAccount.objects.bulk_create(
        CampaignAccount(campaign=campaign, account=account)
        for campaign, account in zip(campaigns, connected, strict=True)
    )
    letter = STARTERS[0]
    text = plain_text(letter.html)
    Revision.objects.bulk_create(
        Revision(campaign=campaign, number=1, subject=letter.subject, html=letter.html, text=text)
        for campaign in campaigns
    )
    contacts = Contact.objects.bulk_create(
        (
            Contact(
                workspace=workspace,
                email=f"person{n}@club{workspace.pk}.example",
                email_key=f"person{n}@club{workspace.pk}.example",
                email_hash=address_hash(f"person{n}@club{workspace.pk}.example"),
                first_name=f"Person {n}",
            )
            for workspace in workspaces
            for n in range(waiting)
        ),
        batch_size=5000,
    )
    campaign_of = {campaign.workspace_id: campaign for campaign in campaigns}
    Message.objects.bulk_create(
        (
            Message(
                workspace_id=contact.workspace_id,
                source=LedgerRow.Source.CAMPAIGN,
                campaign=campaign_of[contact.workspace_id],
                contact=contact,
                to_email=contact.email,
                message_id=f"<benchmark{contact.pk}@gmail.com>",
                not_before=now,
                created_at=now,
            )
            for contact in contacts
        ),
        batch_size=5000,
    )


def _make_accounts(workspaces: list[Workspace]) -> list[GmailAccount]:
    accounts = GmailAccount.objects.bulk_create(
        GmailAccount(
            workspace=workspace,
            address=f"club{workspace.pk}@gmail.com",
            mailbox_key=f"club{workspace.pk}@gmail.com",
            auth=GmailAccount.Auth.APP_PASSWORD,
            inbound=GmailAccount.Inbound.NONE,
            reserve_by_hand=0,
            time_zone="UTC",
        )
        for workspace in workspaces
    )
    for account in accounts:
        account.sealed_secret = sealed.ACCOUNT_SECRET.seal(account, "abcd efgh ijkl mnop")
    GmailAccount.objects.bulk_update(accounts, ["sealed_secret"], batch_size=500)
    return accounts
