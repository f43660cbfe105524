"""Erasing somebody: after it no column and no file says who they were."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.utils import timezone

from accounts.models import GmailAccount, LedgerRow, Rest, User, Workspace
from campaigns import decisions
from campaigns.contacts import bringing, erasing, importer, intake, uploads
from campaigns.contacts.suppressing import suppress
from campaigns.delivery import limit_notice
from campaigns.delivery.claim import Claim, claim_next, take_account
from campaigns.delivery.limit_notice import Notice
from campaigns.models import (
    Campaign,
    Contact,
    ContactImport,
    ContactList,
    Event,
    HistoryEntry,
    InboundMail,
    Message,
    Suppression,
)
from campaigns.models.address_hash import address_hash
from tests.campaigns.making import make_account, make_campaign, make_single, make_workspace

pytestmark = pytest.mark.django_db

M = Message.State
ADDRESS = "Iolo.Morgan@Example.org"
SAID = f"550 5.1.1 <{ADDRESS}>: no such user"


@pytest.fixture(autouse=True)
def uploads_dir(settings, tmp_path: Path) -> None:
    settings.UPLOADS_DIR = tmp_path


@pytest.fixture
def account() -> GmailAccount:
    return make_account(make_workspace())


@pytest.fixture
def person(account: GmailAccount) -> Contact:
    return known_everywhere(account)


def known_everywhere(account: GmailAccount) -> Contact:
    """Somebody of whom every table and file has something."""
    workspace, now = account.workspace, timezone.now()
    contact = imported(workspace)
    for state in (M.WAITING, M.SENT, M.REFUSED, M.SKIPPED, M.IN_DOUBT):
        message = written_to(contact, account, state)
        mail = InboundMail.objects.create(
            account=account, key=f"k{message.pk}", kind="reply", message=message, at=now,
            sender=ADDRESS, subject=f"Re: {ADDRESS}", text=f"I am {ADDRESS}",
        )  # fmt: skip
        Event.objects.create(message=message, kind="replied", detail=ADDRESS, at=now, mail=mail)
        HistoryEntry.objects.create(message=message, kind="held", at=now, detail=SAID)
    for recipient in (ADDRESS, ADDRESS.lower()):
        InboundMail.objects.create(
            account=account, key="report", kind="report", at=now, recipient=recipient, said=SAID
        )
    make_single(account, ADDRESS)
    suppress(workspace, [ADDRESS.lower()], f"{ADDRESS} asked by phone")
    elsewhere_in_words(contact, account)
    files(workspace)
    return contact


def imported(workspace: Workspace) -> Contact:
    table = f"Email,First name,Friend\n{ADDRESS},Iolo,sian@example.org\nx {ADDRESS},Iolo,\n"
    job = intake.receive(workspace, f"{ADDRESS}.csv", [table.encode()])
    intake.start(job, intake.list_named(workspace, "Choir"), f"letter of {ADDRESS}")
    importer.run(job.pk)
    return Contact.objects.get(workspace=workspace)


def written_to(contact: Contact, account: GmailAccount, state: str) -> Message:
    campaign = make_campaign(account.workspace, [account], recipients=1)
    message = campaign.messages.get()
    unknown = contact.email_key != ADDRESS.lower()
    Message.objects.filter(pk=message.pk).update(
        contact=None if unknown else contact, to_email=ADDRESS, state=state, account=account,
        reply=SAID, raw=f"To: {ADDRESS}".encode(), handed_over_at=timezone.now(),
    )  # fmt: skip
    return message


def elsewhere_in_words(contact: Contact, account: GmailAccount) -> None:
    """Where nobody would look for it."""
    now = timezone.now()
    other = Contact.objects.create(
        workspace=account.workspace, email="sian@example.org",
        fields={"friend": ADDRESS, "town": "Bala"}, consent=f"says <{ADDRESS.upper()}>.",
    )  # fmt: skip
    Contact.objects.create(workspace=account.workspace, email=f"x{ADDRESS}")
    Campaign.objects.filter(pk=Campaign.objects.latest("pk").pk).update(
        state_reason=f"Gmail refused the message to {ADDRESS}.", state="paused"
    )
    Rest.objects.create(account=account, cause="trouble", reason=SAID, began_at=now, until=now)
    user = User.objects.create_user("owner@example.org")
    LogEntry.objects.create(
        user=user, content_type=ContentType.objects.get_for_model(Contact), object_id=contact.pk,
        object_repr=str(contact), action_flag=CHANGE, change_message="",
    )  # fmt: skip
    assert other.pk


def files(workspace: Workspace) -> None:
    table = f"Email\n{ADDRESS}\n".encode()
    intake.receive(workspace, "again.csv", [table])
    bringing.store(workspace, [table.decode().encode("utf-16")])
    failed = intake.receive(workspace, "failed.csv", [table])
    ContactImport.objects.filter(pk=failed.pk).update(state="failed", error=f"at {ADDRESS}")


# --- What is left ----------------------------------------------------------------------------


def texts_of_the_database() -> dict[str, str]:
    """Every column of every row of every table, as one text."""
    found = {}
    for model in apps.get_models(include_auto_created=True):
        for row in model._default_manager.values():
            for name, value in row.items():
                if isinstance(value, bytes | memoryview):
                    value = bytes(value).decode("latin-1")
                if isinstance(value, dict | list):
                    value = json.dumps(value, ensure_ascii=False)
                found[f"{model.__name__}.{name} of {row.get('id')}"] = str(value).lower()
    return found


def where(text: str) -> list[str]:
    text = text.lower()
    places = [place for place, value in texts_of_the_database().items() if text in value]
    for file in Path(settings.UPLOADS_DIR).iterdir():
        read = file.read_bytes()
        for encoding in ("utf-8", "utf-16-le"):
            if text.encode(encoding) in read.lower():
                places.append(file.name)
    return sorted(places)


def test_it_leaves_no_word_of_the_address(account: GmailAccount, person: Contact) -> None:
    before = where(ADDRESS)
    columns = {place.partition(" ")[0] for place in before}
    # So that what follows says something.
    assert columns >= {
        "Contact.email", "Contact.email_key", "Contact.fields", "Contact.consent",
        "ConsentRecord.source", "ConsentRecord.wording", "Message.to_email", "Message.reply",
        "Message.raw", "Event.detail", "HistoryEntry.detail", "InboundMail.sender",
        "InboundMail.subject", "InboundMail.text", "InboundMail.recipient", "InboundMail.said",
        "Suppression.email_key", "Suppression.note", "Campaign.state_reason", "Rest.reason",
        "LogEntry.object_repr", "ContactImport.file_name", "ContactImport.problems",
        "ContactImport.consent", "ContactImport.error",
    }  # fmt: skip
    assert len([place for place in before if place.endswith(".csv")]) == 4

    erasing.erase(person, timezone.now(), never_again=True)

    left = [place for place in where(ADDRESS) if place not in of_somebody_else()]
    assert left == []
    assert where("Iolo") == of_somebody_else()


def of_somebody_else() -> list[str]:
    """Whose address ends as theirs does."""
    pk = Contact.objects.get(email=f"x{ADDRESS}").pk
    return [f"Contact.email of {pk}", f"Contact.email_key of {pk}"]


def test_it_leaves_others_as_they_are(account: GmailAccount, person: Contact) -> None:
    there = make_account(make_workspace())
    Contact.objects.create(workspace=there.workspace, email=ADDRESS, consent=f"says {ADDRESS}")
    make_campaign(there.workspace, [there], recipients=2)
    theirs = Message.objects.filter(workspace=there.workspace).order_by("pk")
    Message.objects.filter(pk=theirs[0].pk).update(to_email=ADDRESS)
    before = [list(theirs.values()), list(there.workspace.contacts.order_by("pk").values())]
    erasing.erase(person, timezone.now(), never_again=True)
    assert before == [list(theirs.values()), list(there.workspace.contacts.order_by("pk").values())]
    friend = Contact.objects.get(workspace=account.workspace, email="sian@example.org")
    assert friend.fields == {"friend": "(erased)", "town": "Bala"}
    assert friend.consent == "says <(erased)>."
    assert ContactList.objects.filter(workspace=account.workspace, name="Choir").exists()


def test_its_messages_stay_as_bare_rows(account: GmailAccount, person: Contact) -> None:
    def counted() -> dict[str, int]:
        found = Message.objects.filter(workspace=account.workspace)
        return {state: found.filter(state=state).count() for state in M.values}

    before, events = counted(), Event.objects.count()
    (of_waiting,) = Campaign.objects.filter(messages__state=M.WAITING)
    ids = set(Message.objects.values_list("message_id", flat=True))
    erasing.erase(person, timezone.now(), never_again=True)
    after = counted()
    # One of a campaign, and a single mail.
    assert (after[M.WAITING], after[M.CANCELLED]) == (before[M.WAITING] - 2, 2)
    del before["waiting"], before["cancelled"], after["waiting"], after["cancelled"]
    assert after == before
    assert Event.objects.count() == events
    assert set(Message.objects.values_list("message_id", flat=True)) == ids
    # The only one that waited of its campaign: that is over.
    of_waiting.refresh_from_db()
    assert of_waiting.state == Campaign.State.FINISHED
    assert InboundMail.objects.filter(key="report").count() == 1


def test_the_suppression_stays_as_its_hash(account: GmailAccount, person: Contact) -> None:
    erasing.erase(person, timezone.now(), never_again=False)
    left = Suppression.objects.get(workspace=account.workspace)
    assert (left.email_key, left.note, left.reason) == ("", "", "by_hand")
    assert left.email_hash == address_hash(ADDRESS)


@pytest.mark.parametrize("never_again", [True, False])
def test_whoever_was_written_to_is_only_forgotten_if_asked_for(
    account: GmailAccount, never_again: bool
) -> None:
    contact = Contact.objects.create(workspace=account.workspace, email=ADDRESS)
    erasing.erase(contact, timezone.now(), never_again=never_again)
    left = Suppression.objects.filter(email_hash=address_hash(ADDRESS))
    assert list(left.values_list("email_key", "reason")) == [("", "opted_out")] * never_again


# --- What is under way -----------------------------------------------------------------------


def test_it_waits_for_a_message_that_is_leaving(account: GmailAccount) -> None:
    make_campaign(account.workspace, [account], recipients=1)
    contact = Contact.objects.get()
    now = timezone.now()
    take_account(account.pk, "me", now)
    (claim,) = claim_next(account.pk, "me", now, 5)  # type: ignore[misc]
    assert isinstance(claim, Claim)
    for state in (M.CLAIMED, M.HANDING_OVER):
        Message.objects.update(state=state)
        with pytest.raises(erasing.NotNow, match="just leaving. Try again in a minute"):
            erasing.erase(contact, now, never_again=True)
        assert where(contact.email)
        assert not Suppression.objects.exists()


def test_what_is_in_doubt_is_settled_and_never_sent_again(account: GmailAccount) -> None:
    contact = Contact.objects.create(workspace=account.workspace, email=ADDRESS)
    message = written_to(contact, account, M.IN_DOUBT)
    row = LedgerRow.objects.create(
        account=account, source="campaign", state="unknown", reserved_at=timezone.now(),
        at=timezone.now() - timedelta(hours=1),
    )  # fmt: skip
    Message.objects.filter(pk=message.pk).update(ledger_row=row, doubt_since=timezone.now())
    erasing.erase(contact, timezone.now(), never_again=False)
    message.refresh_from_db()
    assert (message.state, message.raw, message.ledger_row) == (M.IN_DOUBT, None, row)
    with pytest.raises(decisions.NotPossible, match="kept no more"):
        decisions.send_again(message, None, timezone.now())
    decisions.it_arrived(message, None, timezone.now())
    message.refresh_from_db()
    assert (message.state, message.to_email) == (M.SENT, "")


def test_what_was_refused_is_not_tried_again(account: GmailAccount) -> None:
    contact = Contact.objects.create(workspace=account.workspace, email=ADDRESS)
    message = written_to(contact, account, M.REFUSED)
    erasing.erase(contact, timezone.now(), never_again=False)
    message.refresh_from_db()
    with pytest.raises(decisions.NotPossible):
        decisions.try_again(message, None, timezone.now())


def test_a_limit_notice_writes_to_nobody_who_was_erased(account: GmailAccount) -> None:
    contact = Contact.objects.create(workspace=account.workspace, email=ADDRESS)
    message = written_to(contact, account, M.SENT)
    erasing.erase(contact, timezone.now(), never_again=False)
    notice = Notice(timezone.now(), frozenset([message.message_id]))
    came_to = limit_notice.apply(account.pk, notice, timezone.now())
    assert (came_to.put_back, came_to.held) == (0, 0)
    message.refresh_from_db()
    assert message.state == M.SENT


def test_a_domain_is_found_as_people_write_it(account: GmailAccount) -> None:
    contact = Contact.objects.create(
        workspace=account.workspace, email="iolo@xn--mller-kva.example"
    )
    table = "E-Mail\nIolo@Müller.example\n".encode("cp1252")
    job = intake.receive(account.workspace, "more.csv", [table])
    erasing.erase(contact, timezone.now(), never_again=True)
    assert not uploads.path_of(job.stored_as).exists()


@pytest.mark.parametrize("state", ["waiting", "running"])
def test_an_import_that_goes_on_is_in_the_way(account: GmailAccount, state: str) -> None:
    contact = Contact.objects.create(workspace=account.workspace, email=ADDRESS)
    job = intake.receive(account.workspace, "more.csv", [f"Email\n{ADDRESS}\n".encode()])
    ContactImport.objects.filter(pk=job.pk).update(state=state)
    with pytest.raises(erasing.NotNow, match="The import of “more.csv” holds this address"):
        erasing.erase(contact, timezone.now(), never_again=True)
    assert uploads.path_of(job.stored_as).exists()
    importer.cancel(job)
    erasing.erase(contact, timezone.now(), never_again=True)


def test_an_import_that_was_not_begun_cannot_bring_them_back(account: GmailAccount) -> None:
    contact = Contact.objects.create(workspace=account.workspace, email=ADDRESS)
    job = intake.receive(account.workspace, "more.csv", [f"Email\n{ADDRESS}\n".encode()])
    other = intake.receive(account.workspace, "else.csv", [f"Email\nx{ADDRESS}\n".encode()])
    erasing.erase(contact, timezone.now(), never_again=True)
    assert not intake.start(job, intake.list_named(account.workspace, "L"), "Form")
    assert not uploads.path_of(job.stored_as).exists()
    assert uploads.path_of(other.stored_as).exists()
    assert intake.start(other, intake.list_named(account.workspace, "L"), "Form")


@pytest.mark.django_db(transaction=True)
def test_the_file_of_the_database_holds_it_no_more(account: GmailAccount) -> None:
    """Of SQLite's; PostgreSQL vacuums by itself, some time later."""
    contact = Contact.objects.create(workspace=account.workspace, email=ADDRESS)
    written_to(contact, account, M.SENT)
    erasing.erase(contact, timezone.now(), never_again=True)
    file = Path(str(connection.settings_dict["NAME"]))
    assert connection.vendor == "postgresql" or file.stat().st_size
    for one in (file, Path(f"{file}-wal")):
        assert not one.exists() or ADDRESS.lower().encode() not in one.read_bytes().lower()
