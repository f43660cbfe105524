"""What a launch adds to a template, and the links that a message may use."""

from typing import Any

import pytest
from django.utils import timezone

from campaigns import checklist, content
from campaigns.admin import template_fields, template_remarks
from campaigns.delivery import leaving
from campaigns.delivery.merge_links import merge_links
from campaigns.launch import launch
from campaigns.models import Message, PublicAddress, Revision
from campaigns.rendering import text
from tests.campaigns.making import make_account, make_draft, make_workspace

LEAVE = '<a href="{{ unsubscribe_url }}">leave</a>'
ADDRESS = "{{ postal_address }}"
PUBLIC = "https://post.example.org"


def test_it_adds_what_is_missing_and_no_more() -> None:
    for has, adds in (
        ("", {"postal_address", "unsubscribe_url"}),
        (LEAVE, {"postal_address"}),
        (ADDRESS, {"unsubscribe_url"}),
        (LEAVE + ADDRESS, set()),
    ):
        html = f"<p>Hello {has}</p>"
        added = content.with_footer(html).removeprefix(html)
        assert {name for name in ("postal_address", "unsubscribe_url") if name in added} == adds


def test_it_adds_it_within_a_whole_document() -> None:
    html = content.with_footer("<html><body>\n<p>Hello</p>\n</body>\n</html>\n")
    assert html.endswith("</div>\n</body>\n</html>\n")


def test_it_adds_the_link_to_the_plain_text_too() -> None:
    plain = text.plain_text(content.with_footer("<p>Hello</p>"))
    assert "Unsubscribe ({{ unsubscribe_url }})" in plain


@pytest.mark.django_db
def test_it_leads_to_a_mail_without_a_public_address(settings: Any) -> None:
    settings.PUBLIC_URL = ""
    account = make_account(make_workspace(), address="ana@gmail.com")
    links = merge_links(17, account)
    assert links["unsubscribe_url"] == leaving.opt_out_link("ana@gmail.com", 17)
    assert links["preferences_url"] == links["view_url"] == ""


@pytest.mark.django_db
def test_it_warns_of_links_that_need_a_public_address(settings: Any) -> None:
    settings.PUBLIC_URL = ""
    account = make_account(make_workspace())
    draft = make_draft(account.workspace, [account])
    assert draft.template is not None
    draft.template.html = '<a href="{{ view_url }}">look</a>' + LEAVE
    lines = checklist.lines(draft, timezone.now())
    remarks = template_remarks.on_message(draft.template.html, account.workspace)
    assert ["view_url" in line.sentence for line in lines if line.warning] == [True]
    assert ["view_url" in remark.sentence for remark in remarks] == [True]

    settings.PUBLIC_URL = PUBLIC
    assert not [line for line in checklist.lines(draft, timezone.now()) if line.warning]
    assert template_remarks.on_message(draft.template.html, account.workspace) == []


@pytest.mark.django_db
def test_it_offers_only_links_that_lead_somewhere(settings: Any) -> None:
    workspace = make_workspace()
    settings.PUBLIC_URL = ""
    offered = " ".join(offer.code for offer in template_fields.offers(workspace))
    assert "unsubscribe_url" in offered and "view_url" not in offered
    settings.PUBLIC_URL = PUBLIC
    offered = " ".join(offer.code for offer in template_fields.offers(workspace))
    assert "preferences_url" in offered and "view_url" in offered


@pytest.mark.django_db
def test_it_freezes_the_link_at_launch() -> None:
    account = make_account(make_workspace())
    draft = make_draft(account.workspace, [account])
    launch(draft.pk, timezone.now())
    revision = Revision.objects.get(campaign=draft)
    assert "unsubscribe_url" in revision.html and "unsubscribe_url" in revision.text
    assert Message.objects.filter(campaign=draft).count() == 3


@pytest.mark.django_db
def test_it_warns_before_links_that_nobody_reaches_are_sent(settings: Any) -> None:
    settings.PUBLIC_URL = PUBLIC
    account = make_account(make_workspace())
    draft = make_draft(account.workspace, [account])
    now = timezone.now()
    found = PublicAddress.objects.create(url=PUBLIC, tried_at=now, why_not="No such name.")
    (warning,) = [line for line in checklist.lines(draft, now) if line.name == "public_address"]
    assert warning.ok and warning.warning and warning.sentence.endswith("No such name.")

    found.why_not = ""
    found.save()
    assert not [line for line in checklist.lines(draft, now) if line.name == "public_address"]
