"""What opting out leaves behind, and what taking it back ends."""

from datetime import UTC, datetime
from threading import Barrier, Thread

import pytest
from django.db import connection

from campaigns.models import ConsentRecord, Contact, Event, Message, Suppression
from campaigns.opting_out import How, opt_out, take_back, why_not_written_to
from tests.campaigns.making import make_account, make_campaign, make_list, make_workspace

NOW = datetime(2027, 3, 3, 22, 30, tzinfo=UTC)


def sent_message(**workspace_fields: str) -> Message:
    account = make_account(make_workspace(**workspace_fields))
    campaign = make_campaign(account.workspace, [account], 1, name="Spring news")
    Message.objects.filter(campaign=campaign).update(state=Message.State.SENT, account=account)
    return Message.objects.select_related("contact", "workspace", "campaign").get(campaign=campaign)


def events(message: Message) -> list[str]:
    return list(message.events.order_by("id").values_list("kind", flat=True))


def consents(contact: Contact | None) -> list[str]:
    records = ConsentRecord.objects.filter(contact=contact).order_by("id")
    return list(records.values_list("kind", flat=True))


@pytest.mark.django_db
def test_it_suppresses_the_address_and_says_why_in_the_zone_of_the_workspace() -> None:
    message = sent_message(time_zone="Asia/Tokyo")
    assert opt_out(message, NOW, How.PAGE)
    suppression = Suppression.objects.get(workspace=message.workspace)
    assert suppression.reason == Suppression.Reason.OPTED_OUT
    assert suppression.email_key == message.to_email
    assert suppression.note == (
        "Opted out of “Spring news” on its unsubscribe page on 4 March 2027."
    )
    assert events(message) == [Event.Kind.OPTED_OUT]
    assert consents(message.contact) == [ConsentRecord.Kind.WITHDRAWN]


@pytest.mark.django_db
def test_it_changes_nothing_when_asked_again() -> None:
    message = sent_message()
    assert opt_out(message, NOW, How.PAGE)
    assert not opt_out(message, NOW, How.ONE_CLICK)
    assert Suppression.objects.count() == Event.objects.count() == 1
    assert consents(message.contact) == [ConsentRecord.Kind.WITHDRAWN]


@pytest.mark.django_db
def test_it_stays_within_the_workspace_of_the_message() -> None:
    message, other = sent_message(), sent_message()
    Message.objects.filter(pk=other.pk).update(to_email=message.to_email)
    other.refresh_from_db()
    opt_out(message, NOW, How.PAGE)
    assert why_not_written_to(other) is None
    assert not take_back(other, NOW)
    assert why_not_written_to(message) is not None


@pytest.mark.django_db
def test_it_holds_without_the_contact_and_for_one_that_came_back() -> None:
    message = sent_message()
    Contact.objects.all().delete()
    again = Contact.objects.create(workspace=message.workspace, email=message.to_email.upper())
    message = Message.objects.get(pk=message.pk)
    assert opt_out(message, NOW, How.MAIL)
    assert Suppression.objects.get().email_hash == again.email_hash
    assert consents(again) == [ConsentRecord.Kind.WITHDRAWN]


@pytest.mark.django_db
def test_it_holds_for_the_new_address_of_the_same_person_too() -> None:
    message = sent_message()
    assert message.contact is not None
    message.contact.email = "new@example.org"
    message.contact.save()
    opt_out(message, NOW, How.PAGE)
    assert set(Suppression.objects.values_list("email_key", flat=True)) == {
        message.to_email,
        "new@example.org",
    }
    assert take_back(message, NOW)
    assert not Suppression.objects.exists()


@pytest.mark.django_db
def test_it_takes_back_what_was_asked_for_once() -> None:
    message = sent_message()
    opt_out(message, NOW, How.PAGE)
    assert take_back(message, NOW)
    assert not take_back(message, NOW)
    assert why_not_written_to(message) is None
    assert events(message) == [Event.Kind.OPTED_OUT, Event.Kind.OPTED_IN]
    assert consents(message.contact) == [
        ConsentRecord.Kind.WITHDRAWN,
        ConsentRecord.Kind.GIVEN,
    ]
    assert opt_out(message, NOW, How.PAGE)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "reason", [Suppression.Reason.BOUNCED, Suppression.Reason.BY_HAND, Suppression.Reason.IMPORTED]
)
def test_it_leaves_a_suppression_with_another_reason_and_notes_it_there(reason: str) -> None:
    message = sent_message()
    kept = Suppression.objects.create(
        workspace=message.workspace, email_key=message.to_email, reason=reason, note="Why."
    )
    assert opt_out(message, NOW, How.MAIL)
    assert not opt_out(message, NOW, How.MAIL)
    assert not take_back(message, NOW)
    kept.refresh_from_db()
    assert kept.reason == reason
    assert kept.note == "Why.\nOpted out of “Spring news” by mail on 3 March 2027."
    assert events(message) == [Event.Kind.OPTED_OUT]


@pytest.mark.django_db(transaction=True)
def test_it_is_one_opt_out_however_many_ask_at_the_same_moment() -> None:
    """Two messages to one person, each opted out of twice: each says so once."""
    first = sent_message()
    account = make_account(first.workspace)
    campaign = make_campaign(first.workspace, [account], 0)
    second = Message.objects.create(
        workspace=first.workspace,
        source="campaign",
        campaign=campaign,
        contact=first.contact,
        to_email=first.to_email,
        message_id="<second@gmail.com>",
        not_before=NOW,
        created_at=NOW,
    )
    start = Barrier(4)
    changed: list[bool] = []

    def ask(message: Message) -> None:
        start.wait()
        changed.append(opt_out(message, NOW, How.ONE_CLICK))
        connection.close()

    threads = [Thread(target=ask, args=[message]) for message in (first, second) * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(changed) == [False, False, True, True]
    assert Suppression.objects.count() == 1
    assert events(first) == events(second) == [Event.Kind.OPTED_OUT]


@pytest.mark.django_db
def test_it_keeps_to_the_address_alone() -> None:
    message = sent_message()
    make_list(message.workspace, 2)
    opt_out(message, NOW, How.PAGE)
    assert Suppression.objects.count() == 1


@pytest.mark.django_db
def test_it_asks_nothing_of_somebody_who_was_erased() -> None:
    message = sent_message()
    message.to_email, message.contact = "", None
    message.save()
    assert not opt_out(message, NOW, How.PAGE)
    assert not Suppression.objects.exists() and events(message) == []


@pytest.mark.django_db
def test_an_old_mail_undoes_nothing_that_was_asked_for_by_another() -> None:
    """It may have been passed on to anybody."""
    old = sent_message()
    newer = Message.objects.get(pk=old.pk)
    newer.pk, newer.message_id, newer.campaign = None, "<newer@gmail.com>", None
    newer.save()
    opt_out(newer, NOW, How.MAIL)
    assert not take_back(old, NOW)
    assert Suppression.objects.count() == 1
    assert take_back(newer, NOW)
    assert not Suppression.objects.exists()
