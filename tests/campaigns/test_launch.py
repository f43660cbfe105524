from concurrent.futures import ThreadPoolExecutor
from datetime import time

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import GmailAccount
from campaigns import checklist, launch
from campaigns.launch import NotADraft, NotReady
from campaigns.models import (
    Campaign,
    CampaignAccount,
    Contact,
    ContactField,
    Message,
    Suppression,
    Template,
)
from campaigns.rendering.mime import is_valid_message_id
from tests.campaigns.making import make_account, make_list, make_workspace

pytestmark = pytest.mark.django_db


@pytest.fixture
def draft() -> Campaign:
    workspace = make_workspace()
    template = Template.objects.create(
        workspace=workspace, name="Letter", subject="For {{ first_name }}", html="<p>Hello</p>"
    )
    campaign = Campaign.objects.create(workspace=workspace, name="News", template=template)
    campaign.lists.add(make_list(workspace, 3))
    CampaignAccount.objects.create(campaign=campaign, account=make_account(workspace))
    return campaign


def start(campaign: Campaign) -> int:
    return launch.launch(campaign.pk, timezone.now())


def missing(campaign: Campaign) -> dict[str, str]:
    with pytest.raises(NotReady) as refusal:
        start(campaign)
    assert not Message.objects.exists()
    assert not campaign.revisions.exists()
    assert Campaign.objects.get(pk=campaign.pk).state == "draft"
    return {check.name: check.sentence for check in refusal.value.checks}


def test_it_writes_one_message_for_every_recipient(draft: Campaign) -> None:
    assert start(draft) == 3
    draft.refresh_from_db()
    assert (draft.state, draft.recipients) == ("sending", 3)
    messages = list(draft.messages.order_by("id"))
    assert [one.to_email for one in messages] == list(
        Contact.objects.order_by("id").values_list("email", flat=True)
    )
    assert all(one.state == "waiting" and one.account is None for one in messages)
    assert len({one.message_id for one in messages}) == 3
    assert all(is_valid_message_id(one.message_id) for one in messages)
    assert all(one.message_id.endswith("@gmail.com>") for one in messages)


def test_it_writes_once_to_somebody_on_two_lists(draft: Campaign) -> None:
    second = make_list(draft.workspace, 0)
    second.contacts.add(*Contact.objects.all())
    draft.lists.add(second)
    assert start(draft) == 3


def test_it_leaves_the_suppressed_out(draft: Campaign) -> None:
    first = Contact.objects.order_by("id").first()
    assert first is not None
    Suppression.objects.create(workspace=draft.workspace, email_key=first.email_key)
    assert start(draft) == 2
    assert not draft.messages.filter(contact=first).exists()


def test_it_freezes_the_content_as_revision_1(draft: Campaign) -> None:
    start(draft)
    Template.objects.update(subject="Changed", html="<p>Changed</p>")
    revision = draft.revisions.get()
    assert (revision.number, revision.subject) == (1, "For {{ first_name }}")
    assert "<p>Hello</p>" in revision.html
    assert revision.text.startswith("Hello\n")


def test_it_freezes_the_audience(draft: Campaign) -> None:
    start(draft)
    late = Contact.objects.create(workspace=draft.workspace, email="late@example.org")
    draft.lists.get().contacts.add(late)
    assert draft.messages.count() == 3


def test_it_puts_the_postal_address_and_the_way_to_leave_at_the_foot(draft: Campaign) -> None:
    start(draft)
    revision = draft.revisions.get()
    assert "postal_address" in revision.html
    assert "unsubscribe" in revision.html
    assert "unsubscribe" in revision.text


def test_it_adds_no_second_foot(draft: Campaign) -> None:
    Template.objects.update(html="<p>Hello</p><p>{{ postal_address }}</p>")
    start(draft)
    assert draft.revisions.get().html.count("postal_address") == 1


def test_it_launches_only_once(draft: Campaign) -> None:
    start(draft)
    with pytest.raises(NotADraft):
        start(draft)
    assert draft.messages.count() == 3


@pytest.mark.django_db(transaction=True)
def test_it_launches_only_once_from_two_threads(draft: Campaign) -> None:
    def try_to_launch(_: int) -> int:
        try:
            return start(draft)
        except NotADraft:
            return 0
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(try_to_launch, range(2))) == [0, 3]
    assert draft.messages.count() == 3


def test_it_needs_a_postal_address(draft: Campaign) -> None:
    draft.workspace.postal_address = " "
    draft.workspace.save()
    assert "Settings" in missing(draft)["postal_address"]


def test_it_needs_somebody_to_write_to(draft: Campaign) -> None:
    draft.lists.clear()
    assert "Nobody would get this" in missing(draft)["audience"]


def test_it_needs_an_account_that_can_send(draft: Campaign) -> None:
    GmailAccount.objects.update(limit=0)
    assert "Raise the limit" in missing(draft)["account"]
    GmailAccount.objects.update(limit=500, state="needs_reconnecting")
    assert "Connect it again" in missing(draft)["account"]
    CampaignAccount.objects.all().delete()
    assert "Choose a Gmail account" in missing(draft)["account"]


def test_it_needs_an_alias_that_gmail_keeps(draft: Campaign) -> None:
    GmailAccount.objects.update(from_address="shop@example.com", keeps_from=False)
    assert "in place of shop@example.com" in missing(draft)["account"]
    GmailAccount.objects.update(from_address="")
    assert start(draft) == 3


def test_it_needs_hours_and_days(draft: Campaign) -> None:
    Campaign.objects.update(hours_from=time(17), hours_to=time(9))
    assert "end later" in missing(draft)["hours"]
    Campaign.objects.update(hours_from=None, hours_to=None, days="")
    assert "weekday" in missing(draft)["hours"]


def test_it_needs_a_template_that_parses_and_fields_that_exist(draft: Campaign) -> None:
    Template.objects.update(html="<p>{% if first_name %}Hello</p>")
    assert "if" in missing(draft)["template"]
    Template.objects.update(html="<p>{{ frist_name }}</p>")
    assert "first_name" in missing(draft)["template"]
    ContactField.objects.create(workspace=draft.workspace, name="frist_name", label="Frist")
    assert start(draft) == 3


def test_it_knows_no_fields_of_another_workspace(draft: Campaign) -> None:
    ContactField.objects.create(workspace=make_workspace(), name="secret", label="Secret")
    Template.objects.update(html="<p>{{ secret }}</p>")
    assert "secret" in missing(draft)["template"]


def test_it_warns_of_fields_that_are_empty_for_somebody(draft: Campaign) -> None:
    Contact.objects.filter(email__contains="x0@").update(first_name="")
    checks = checklist.lines(draft, timezone.now())
    warnings = [check.sentence for check in checks if check.warning]
    assert warnings == ["“first_name” is empty for 1 person. Give it a fallback in the template."]
    Template.objects.update(subject='For {{ first_name | default: "you" }}')
    draft.template.refresh_from_db()  # type: ignore[union-attr]
    assert not any(check.warning for check in checklist.lines(draft, timezone.now()))
