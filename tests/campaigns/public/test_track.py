"""Counted links and pictures: where they lead, and who is counted."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from threading import Barrier, Thread
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.http import HttpResponse
from django.utils import timezone

from campaigns import tokens, tracking
from campaigns.delivery.compose import Composer
from campaigns.launch import launch
from campaigns.models import (
    Campaign,
    Contact,
    Event,
    Message,
    PublicAddress,
    Revision,
    TrackedLink,
)
from campaigns.tokens import Purpose
from tests.campaigns.making import make_account, make_draft, make_workspace
from tests.campaigns.public.recipients import UNKNOWN, Page, sent_message, stranger
from tests.campaigns.test_machines import CHROME

PUBLIC = "https://post.example.org"
READ, BUY = "https://example.org/read?a=1&b=2", "https://example.org/buy"
HTML = (
    '<p><a href="https://example.org/read?a=1&amp;b=2">Read</a> '
    '<a href="https://example.org/buy">Buy</a> '
    '<a href="{{ unsubscribe_url }}">Leave</a> <a href="{{ view_url }}">Look</a></p>'
)
LATER = datetime(2027, 3, 3, 12, tzinfo=UTC)

pytestmark = pytest.mark.django_db


@pytest.fixture
def message(settings: Any) -> Message:
    """Sent an hour ago, by a campaign that counts opens and clicks."""
    settings.PUBLIC_URL = PUBLIC
    sent_message()
    Campaign.objects.update(track_opens=True, track_clicks=True)
    Revision.objects.update(html=HTML)
    tracking.freeze_links(Revision.objects.get())
    Message.objects.update(handed_over_at=LATER - timedelta(hours=1))
    PublicAddress.objects.create(url=PUBLIC, tried_at=timezone.now(), why_not="")
    return Message.objects.select_related("contact", "workspace", "account").get()


@pytest.fixture
def clock() -> Iterator[Any]:
    with time_machine.travel(LATER, tick=False) as traveller:
        yield traveller


def click_path(message: Message, number: int) -> str:
    return f"/c/{tokens.make(Purpose.CLICK, message.pk)}/{number}"


def open_path(message: Message) -> str:
    return f"/o/{tokens.make(Purpose.OPEN, message.pk)}.gif"


def fetch(path: str, agent: str = CHROME, method: str = "get") -> HttpResponse:
    return getattr(stranger(), method)(path, headers={"User-Agent": agent})


def events() -> list[tuple[str, str | None, bool]]:
    found = Event.objects.order_by("id").values_list("kind", "link__url", "by_machine")
    return list(found)


# --- The mail -----------------------------------------------------------------------------------


def html_of(message: Message) -> str:
    assert message.account is not None
    mail = message_from_bytes(Composer(message.account).compose(message, timezone.now()))
    (part,) = [part for part in mail.walk() if part.get_content_type() == "text/html"]
    return part.get_payload(decode=True).decode()  # type: ignore[union-attr]


def test_it_writes_the_mail_with_counted_links_and_a_picture(message: Message) -> None:
    html = html_of(message)
    assert f'href="{PUBLIC}{click_path(message, 1)}"' in html
    assert f'href="{PUBLIC}{click_path(message, 2)}"' in html
    assert f'src="{PUBLIC}{open_path(message)}"' in html
    assert "example.org/read" not in html and message.to_email not in html
    # Never counted: those by which somebody leaves, and those to see the mail.
    assert f'href="{PUBLIC}/u/' in html and f'href="{PUBLIC}/v/' in html


def test_it_counts_nothing_unless_it_is_asked_to(message: Message) -> None:
    Campaign.objects.update(track_opens=False, track_clicks=False)
    html = html_of(message)
    assert "/c/" not in html and "/o/" not in html and BUY in html


def test_it_counts_what_it_is_asked_to(message: Message) -> None:
    Campaign.objects.update(track_clicks=False)
    TrackedLink.objects.all().delete()
    html = html_of(message)
    assert "/o/" in html and "/c/" not in html


def test_it_leaves_links_alone_while_nobody_would_reach_them(message: Message) -> None:
    PublicAddress.objects.update(why_not="Nobody answers.")
    html = html_of(message)
    assert "/c/" not in html and "/o/" not in html and BUY in html


def test_it_shows_the_mail_in_the_browser_with_its_own_links(message: Message) -> None:
    page = Page(fetch(f"/v/{tokens.make(Purpose.VIEW, message.pk)}"))
    assert page.links[:2] == [READ, BUY]
    assert "img" not in page.tags


@pytest.mark.parametrize("asked", [True, False])
def test_it_freezes_the_links_at_launch_where_clicks_are_counted(asked: bool) -> None:
    account = make_account(make_workspace())
    draft = make_draft(account.workspace, [account])
    assert draft.template is not None
    draft.template.html = HTML
    draft.template.save()
    Campaign.objects.update(track_clicks=asked)
    launch(draft.pk, timezone.now())
    urls = list(TrackedLink.objects.order_by("number").values_list("number", "url"))
    assert urls == ([(1, READ), (2, BUY)] if asked else [])


# --- Where they lead ----------------------------------------------------------------------------


def test_it_leads_to_the_address_that_stands_in_the_revision(message: Message) -> None:
    response = fetch(click_path(message, 1))
    assert (response.status_code, response.headers["Location"]) == (302, READ)
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert not response.cookies


def test_it_leads_nowhere_else(message: Message) -> None:
    other = sent_message(address="other@gmail.com")
    revision = Revision.objects.create(
        campaign=message.campaign, number=2, subject="", html="", text=""
    )
    TrackedLink.objects.create(revision=revision, number=3, url="https://example.org/later")
    assert message.campaign is not None
    for path in (
        click_path(message, 3),  # of another revision
        click_path(message, 99),
        click_path(message, 10**30),
        click_path(other, 1),  # of another campaign, which has no such link
        f"/c/{UNKNOWN}/1",
        f"/c/{tokens.make(Purpose.LEAVE, message.pk)}/1",
        f"/c/{tokens.make(Purpose.OPEN, message.pk)}/1",
        f"/c/{tokens.make(Purpose.CLICK, message.pk)}",
        f"{click_path(message, 1)}/https://evil.example",
        f"/o/{tokens.make(Purpose.CLICK, message.pk)}.gif",
        f"/o/{UNKNOWN}.gif",
    ):
        response = fetch(path)
        assert response.status_code == 404, path
        assert "Location" not in response.headers
    response = fetch(f"{click_path(message, 1)}?to=https://evil.example")
    assert response.headers["Location"] == READ


def test_it_answers_with_a_picture_of_one_pixel(message: Message) -> None:
    response = fetch(open_path(message))
    assert response.headers["Content-Type"] == "image/gif"
    assert response.headers["Cache-Control"] == "no-store"
    assert response.content[:6] == b"GIF89a" and response.content[6:10] == b"\x01\x00\x01\x00"


# --- Who is counted -----------------------------------------------------------------------------


def test_it_counts_a_click_and_an_open(message: Message, clock: Any) -> None:
    fetch(open_path(message))
    clock.shift(20)
    fetch(click_path(message, 2))
    assert events() == [("opened", None, False), ("clicked", BUY, False)]
    assert list(Event.objects.values_list("at", flat=True))[0] == LATER


def test_it_counts_the_same_look_once(message: Message, clock: Any) -> None:
    for _time in range(3):
        fetch(click_path(message, 1))
        clock.shift(3)
    clock.shift(60)
    fetch(click_path(message, 1))
    assert events() == [("clicked", READ, False)] * 2


@pytest.mark.parametrize("method", ["head", "post", "options"])
def test_it_counts_nothing_but_get(message: Message, method: str) -> None:
    for path in (click_path(message, 1), open_path(message)):
        fetch(path, method=method)
    assert events() == []


def test_it_counts_no_opens_where_only_clicks_are_asked_for(message: Message) -> None:
    Campaign.objects.update(track_opens=False)
    assert fetch(open_path(message)).status_code == 200
    assert events() == []


def test_it_counts_nobody_whose_contact_was_deleted(message: Message) -> None:
    Contact.objects.all().delete()
    assert fetch(click_path(message, 1)).status_code == 302
    fetch(open_path(message))
    assert events() == []


def test_it_counts_no_program_by_its_name(message: Message, clock: Any) -> None:
    fetch(click_path(message, 1), agent="Barracuda Sentinel (EE)")
    fetch(open_path(message), agent="Mozilla/5.0")
    assert [by_machine for _kind, _url, by_machine in events()] == [True, True]


def test_it_counts_nobody_on_arrival(message: Message, clock: Any) -> None:
    Message.objects.update(handed_over_at=LATER - timedelta(seconds=4))
    fetch(click_path(message, 1))
    fetch(open_path(message))
    assert [by_machine for _kind, _url, by_machine in events()] == [True, True]


def test_it_takes_back_what_a_program_did_before_it_was_known(message: Message, clock: Any) -> None:
    fetch(open_path(message))
    clock.shift(0.5)
    fetch(click_path(message, 1))
    assert events() == [("opened", None, False), ("clicked", READ, False)]
    clock.shift(0.5)
    fetch(click_path(message, 2))
    assert events() == [("opened", None, True), ("clicked", READ, True), ("clicked", BUY, True)]


def test_it_counts_the_person_who_comes_after_the_program(message: Message, clock: Any) -> None:
    for number in (1, 2):
        fetch(click_path(message, number))
    clock.shift(5)
    fetch(click_path(message, 1))
    assert events() == [
        ("clicked", READ, True),
        ("clicked", BUY, True),
        ("clicked", READ, False),
    ]


def test_it_does_not_fill_the_tables_by_whoever_asks_without_end(
    message: Message, clock: Any
) -> None:
    for _time in range(105):
        clock.shift(60)
        tracking.note(message, None, {"User-Agent": CHROME}, timezone.now())
    assert Event.objects.count() == 100


@pytest.mark.django_db(transaction=True)
def test_it_knows_a_program_that_fetches_all_at_the_same_moment(message: Message) -> None:
    links = list(TrackedLink.objects.all())
    start = Barrier(len(links))

    def fetch_at_once(link: TrackedLink) -> None:
        start.wait()
        tracking.note(message, link, {"User-Agent": CHROME}, LATER)
        connection.close()

    threads = [Thread(target=fetch_at_once, args=[link]) for link in links]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [by_machine for _kind, _url, by_machine in events()] == [True, True]
