"""What a workspace of the cast holds: one row of every model, made when it is first asked for.

All its texts carry the workspace's word, so that a page can be searched for what it should not
show.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.db.models import Model
from django.utils import timezone

from accounts.models import (
    CheckUp,
    ClockCheck,
    Generation,
    GmailAccount,
    Halt,
    LedgerRow,
    MailByHand,
    Membership,
    OAuthClient,
    ReadFolder,
    Rest,
    SeenMail,
    User,
    Workspace,
)
from campaigns.models import (
    Campaign,
    CampaignAccount,
    ConsentRecord,
    Contact,
    ContactField,
    ContactImport,
    ContactList,
    Event,
    HistoryEntry,
    InboundMail,
    KeyMark,
    ListMembership,
    Message,
    PublicAddress,
    Revision,
    Suppression,
    Template,
    TrackedLink,
)

OUR_APPS = ("accounts", "campaigns")


# Of the whole instance: they belong to nobody's workspace, and no page lists them.
OF_THE_INSTANCE = (Generation, KeyMark, PublicAddress)


def our_models() -> list[type[Model]]:
    """Those whose rows belong to a workspace."""
    models = [model for app in OUR_APPS for model in apps.get_app_config(app).get_models()]
    return [model for model in models if model not in OF_THE_INSTANCE]


@dataclass
class Belongings:
    """A workspace and one row of every model in it, made when first asked for."""

    word: str
    workspace: Workspace
    owner: User
    rows: dict[type[Model], Any] = field(default_factory=dict)

    def of(self, model: type[Model]) -> Any:
        if model not in self.rows:
            if model not in MAKERS:
                pytest.fail(f"tests/belongings.py cannot make a {model.__name__}: give it a maker.")
            self.rows[model] = MAKERS[model](self)
        return self.rows[model]

    def everything(self) -> dict[type[Model], Any]:
        return {model: self.of(model) for model in our_models()}


MAKERS: dict[type[Model], Callable[[Belongings], Model]] = {}
Maker = Callable[[Belongings], Model]


def makes(model: type[Model]) -> Callable[[Maker], Maker]:
    def register(maker: Maker) -> Maker:
        MAKERS[model] = maker
        return maker

    return register


@makes(User)
def _user(has: Belongings) -> User:
    return has.owner


@makes(Workspace)
def _workspace(has: Belongings) -> Workspace:
    return has.workspace


@makes(Membership)
def _membership(has: Belongings) -> Membership:
    return Membership.objects.get(user=has.owner, workspace=has.workspace)


@makes(GmailAccount)
def _gmail_account(has: Belongings) -> GmailAccount:
    address = f"{has.word}@gmail.com"
    return GmailAccount.objects.create(
        workspace=has.workspace,
        address=address,
        mailbox_key=address,
        display_name=has.word,
        auth=GmailAccount.Auth.APP_PASSWORD,
        state_reason=has.word,
    )


@makes(LedgerRow)
def _ledger_row(has: Belongings) -> LedgerRow:
    return LedgerRow.objects.create(
        account=has.of(GmailAccount),
        source=LedgerRow.Source.CAMPAIGN,
        state=LedgerRow.State.ACCEPTED,
        reserved_at=timezone.now(),
        at=timezone.now(),
    )


@makes(ReadFolder)
def _read_folder(has: Belongings) -> ReadFolder:
    return ReadFolder.objects.create(
        account=has.of(GmailAccount), name=f"[Gmail]/{has.word}", uid_validity=1, read_to=1
    )


@makes(MailByHand)
def _mail_by_hand(has: Belongings) -> MailByHand:
    return MailByHand.objects.create(folder=has.of(ReadFolder), uid=1, ledger_row=has.of(LedgerRow))


@makes(Rest)
def _rest(has: Belongings) -> Rest:
    return Rest.objects.create(
        account=has.of(GmailAccount),
        cause=Rest.Cause.TROUBLE,
        reason=has.word,
        began_at=timezone.now(),
        until=timezone.now(),
    )


@makes(Halt)
def _halt(has: Belongings) -> Halt:
    return Halt.objects.create(
        account=has.of(GmailAccount),
        cause=Halt.Cause.CLOCK,
        reason=has.word,
        began_at=timezone.now(),
        ended_at=timezone.now(),
    )


@makes(ClockCheck)
def _clock_check(has: Belongings) -> ClockCheck:
    return ClockCheck.objects.create(
        account=has.of(GmailAccount), machine=f"{has.word} boot", host=has.word
    )


@makes(CheckUp)
def _check_up(has: Belongings) -> CheckUp:
    found = {"name": "imap", "ok": False, "needed": True, "detail": has.word, "remedy": has.word}
    return CheckUp.objects.create(
        account=has.of(GmailAccount),
        asked_at=timezone.now(),
        finished_at=timezone.now(),
        checks=[found],
    )


@makes(OAuthClient)
def _oauth_client(has: Belongings) -> OAuthClient:
    return OAuthClient.objects.create(
        workspace=has.workspace, client_id=f"{has.word}.apps.googleusercontent.com"
    )


@makes(Template)
def _template(has: Belongings) -> Template:
    return Template.objects.create(
        workspace=has.workspace,
        name=f"{has.word} template",
        subject=f"{has.word} for {{{{ first_name }}}}",
        html=f"<p>Hi {{{{ first_name }}}}, {has.word}.</p>",
    )


@makes(ContactField)
def _contact_field(has: Belongings) -> ContactField:
    return ContactField.objects.create(
        workspace=has.workspace, name=f"{has.word}_no", label=f"{has.word} no."
    )


@makes(Contact)
def _contact(has: Belongings) -> Contact:
    return Contact.objects.create(
        workspace=has.workspace,
        email=f"{has.word}@example.com",
        first_name=has.word,
        last_name=has.word,
        fields={f"{has.word}_no": has.word},
        consent=has.word,
    )


@makes(ContactList)
def _contact_list(has: Belongings) -> ContactList:
    return ContactList.objects.create(workspace=has.workspace, name=f"{has.word} list")


@makes(ListMembership)
def _list_membership(has: Belongings) -> ListMembership:
    return ListMembership.objects.create(contact_list=has.of(ContactList), contact=has.of(Contact))


@makes(ContactImport)
def _contact_import(has: Belongings) -> ContactImport:
    table = f"Email,First name\n{has.word}@example.com,{has.word}\n{has.word},{has.word}\n"
    stored = Path(settings.UPLOADS_DIR) / f"{has.word}.csv"
    problems = stored.with_name(f"{has.word}-problems.csv")
    for file in (stored, problems):
        file.write_text(table)
    return ContactImport.objects.create(
        workspace=has.workspace,
        created_by=has.owner,
        contact_list=has.of(ContactList),
        consent=has.word,
        file_name=f"{has.word}.csv",
        stored_as=stored.name,
        problems_as=problems.name,
        encoding="utf-8",
        delimiter=",",
        columns={"Email": "email", "First name": "first_name"},
        state=ContactImport.State.FINISHED,
        bytes_total=len(table),
        bytes_read=len(table),
        imported=1,
        invalid=1,
        problems=[{"line": 3, "reason": "bad_syntax", "value": has.word}],
        started_at=timezone.now(),
        finished_at=timezone.now(),
    )


@makes(Suppression)
def _suppression(has: Belongings) -> Suppression:
    return Suppression.objects.create(
        workspace=has.workspace, email_key=f"not-{has.word}@example.com", note=has.word
    )


@makes(Campaign)
def _campaign(has: Belongings) -> Campaign:
    campaign = Campaign.objects.create(
        workspace=has.workspace,
        created_by=has.owner,
        name=f"{has.word} campaign",
        template=has.of(Template),
        state=Campaign.State.SENDING,
        recipients=1,
        launched_at=timezone.now(),
    )
    campaign.lists.add(has.of(ContactList))
    return campaign


@makes(CampaignAccount)
def _campaign_account(has: Belongings) -> CampaignAccount:
    return CampaignAccount.objects.create(campaign=has.of(Campaign), account=has.of(GmailAccount))


@makes(Revision)
def _revision(has: Belongings) -> Revision:
    return Revision.objects.create(
        campaign=has.of(Campaign), number=1, subject=has.word, html=has.word, text=has.word
    )


@makes(Message)
def _message(has: Belongings) -> Message:
    return Message.objects.create(
        workspace=has.workspace,
        source=LedgerRow.Source.CAMPAIGN,
        campaign=has.of(Campaign),
        contact=has.of(Contact),
        account=has.of(GmailAccount),
        ledger_row=has.of(LedgerRow),
        to_email=f"{has.word}@example.com",
        message_id=f"<{has.word}@gmail.com>",
        state=Message.State.SENT,
        reply=f"250 2.0.0 OK {has.word}",
        not_before=timezone.now(),
        created_at=timezone.now(),
        sent_at=timezone.now(),
    )


@makes(Event)
def _event(has: Belongings) -> Event:
    return Event.objects.create(
        message=has.of(Message), kind=Event.Kind.BOUNCED, detail=has.word, at=timezone.now()
    )


@makes(HistoryEntry)
def _history_entry(has: Belongings) -> HistoryEntry:
    return HistoryEntry.objects.create(
        message=has.of(Message),
        kind=HistoryEntry.Kind.TRIED_AGAIN,
        at=timezone.now(),
        by=has.owner,
        detail=has.word,
    )


@makes(SeenMail)
def _seen_mail(has: Belongings) -> SeenMail:
    return SeenMail.objects.create(account=has.of(GmailAccount), uidl=has.word)


@makes(ConsentRecord)
def _consent_record(has: Belongings) -> ConsentRecord:
    return ConsentRecord.objects.create(
        contact=has.of(Contact),
        kind=ConsentRecord.Kind.GIVEN,
        source=has.word,
        wording=has.word,
        at=timezone.now(),
        by=has.owner,
    )


@makes(InboundMail)
def _inbound_mail(has: Belongings) -> InboundMail:
    return InboundMail.objects.create(
        account=has.of(GmailAccount),
        key=has.word,
        kind=InboundMail.Kind.REPLY,
        message=has.of(Message),
        at=timezone.now(),
        sender=f"{has.word}@example.com",
        subject=has.word,
        text=has.word,
        recipient=f"{has.word}@example.com",
        said=has.word,
    )


@makes(TrackedLink)
def _tracked_link(has: Belongings) -> TrackedLink:
    return TrackedLink.objects.create(
        revision=has.of(Revision), number=1, url=f"https://{has.word}.example/"
    )
