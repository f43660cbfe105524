"""Who must not be written to stays so, whatever becomes of the contact."""

from datetime import UTC, datetime

import pytest
from django.utils import timezone

from campaigns import launch
from campaigns.contacts import importer, intake
from campaigns.contacts.checking import check
from campaigns.contacts.suppressing import suppress
from campaigns.contacts.uploads import path_of
from campaigns.delivery import suppression_words
from campaigns.delivery.schedule import send_account
from campaigns.models import Contact, ContactImport, Message, Suppression
from tests.campaigns.making import make_account, make_campaign, make_draft, make_workspace

pytestmark = pytest.mark.django_db

TABLE = b"Email,First name\nAna@Example.org,Ana\nrhys@example.org,Rhys\n"
DAY = datetime(2026, 3, 3, 23, 30, tzinfo=UTC)


def imported(workspace, contact_list) -> ContactImport:
    job = intake.receive(workspace, "members.csv", [TABLE])
    with path_of(job.stored_as).open("rb") as file:
        assert check(file, importer.dialect_of(job), workspace).tally.suppressed == 1
    assert intake.start(job, contact_list, "Sign-up form")
    importer.run(job.pk)
    job.refresh_from_db()
    return job


def test_it_survives_that_the_contact_is_deleted_and_imported_again():
    workspace = make_workspace()
    account = make_account(workspace)
    draft = make_draft(workspace, [account], recipients=0)
    (contact_list,) = draft.lists.all()
    suppress(workspace, ["ana@example.org"])
    first = imported(workspace, contact_list)
    assert (first.imported, first.suppressed) == (2, 1)

    Contact.objects.filter(email_key="ana@example.org").delete()
    again = imported(workspace, contact_list)
    assert (again.imported, again.unchanged, again.suppressed) == (1, 1, 1)

    assert launch.launch(draft.pk, timezone.now()) == 1
    assert [one.to_email for one in Message.objects.all()] == ["rhys@example.org"]


def test_it_survives_also_as_a_hash_alone():
    """What is left of somebody who was erased."""
    workspace = make_workspace()
    draft = make_draft(workspace, [make_account(workspace)], recipients=0)
    suppress(workspace, ["ana@example.org"])
    Suppression.objects.update(email_key="", note="")
    assert imported(workspace, draft.lists.get()).suppressed == 1
    assert launch.launch(draft.pk, timezone.now()) == 1
    assert suppress(workspace, ["ana@example.org"]) == 0


def test_who_is_skipped_for_it_is_told_why():
    workspace = make_workspace()
    account = make_account(workspace)
    make_campaign(workspace, [account], recipients=1)
    message = Message.objects.get()
    suppress(workspace, [message.to_email], "asked by phone")
    Suppression.objects.update(created_at=DAY)
    tally = send_account(account.pk)
    message.refresh_from_db()
    assert (tally.skipped, message.state) == (1, Message.State.SKIPPED)
    assert message.reply == (
        "This address must not be written to: added by hand on 3 March: asked by phone."
    )


@pytest.mark.parametrize(
    ("reason", "note", "words"),
    [
        ("bounced", "address not found", "bounced on 4 March: address not found"),
        ("bounced", "", "bounced on 4 March"),
        ("by_hand", "", "added by hand on 4 March"),
        ("imported", "cleaned.csv", "brought from elsewhere on 4 March: cleaned.csv"),
        ("opted_out", "Opted out by mail on 5 May.", "Opted out by mail on 5 May."),
        ("opted_out", "", "opted out on 4 March"),
    ],
)
def test_it_says_why_with_the_day_of_the_workspace(reason, note, words):
    workspace = make_workspace(time_zone="Asia/Tokyo")
    suppression = Suppression(workspace=workspace, reason=reason, note=note, created_at=DAY)
    assert suppression_words.why(suppression, DAY) == words
    later = DAY.replace(year=2027)
    assert suppression_words.why(suppression, later) == words.replace("March", "March 2026")
