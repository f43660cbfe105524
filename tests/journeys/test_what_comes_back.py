"""A campaign to people of every kind, what they send back, and the next campaign."""

import re
from collections import Counter
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client

from campaigns.models import Event, Message, Suppression
from tests.journeys import daypost
from tests.journeys.conftest import ANA
from tests.journeys.daypost import utc
from tests.journeys.virtual_clock import VirtualClock
from tests.practice.mail_clients import imap_client
from tests.practice_gmail import PracticeGmail

PUBLIC = "https://mail.example.org"
MONDAY = utc("2027-03-01T10:00:00")

# The kind of person -> what is heard of each, and why they get nothing more.
BY_MAIL = {
    "nobody": (["bounced"], "bounced"),
    "old": (["bounced"], "bounced"),
    "gone": (["bounced"], "bounced"),
    "full": (["soft_bounced"], None),
    "blocked": (["blocked"], None),
    "slow": (["delayed"], None),
    "reply": (["replied"], None),
    "auto": (["auto_replied"], None),
    "stop": (["opted_out"], "opted_out"),
    "quiet": ([], None),
}
ON_PAGES = {
    "oneclick": (["opted_out"], "opted_out"),
    # A program that opens every link in every mail.
    "scanner": ([], None),
}


@pytest.mark.parametrize(
    ("inbound", "public_url", "of_each"),
    [("imap", PUBLIC, 25), ("imap", "", 4), ("pop", "", 4)],
    ids=["imap, public", "imap, no public address", "pop, no public address"],
)
def test_everybody_ends_where_they_belong_and_nobody_is_written_to_against_their_will(
    gmail: PracticeGmail, shop: Path, settings: Any, inbound: str, public_url: str, of_each: int
) -> None:
    settings.PUBLIC_URL = public_url
    settings.ALLOWED_HOSTS = ["mail.example.org"]
    gmail.control(sent_delay=0, answer_delay=0)
    daypost.connect(shop, ANA, gmail.app_password(ANA), "--inbound", inbound)
    kinds = BY_MAIL | ON_PAGES
    people = _import(shop, list(kinds), of_each)
    with VirtualClock(gmail, MONDAY) as clock:
        asap = ("--pace", "asap")
        first = daypost.launch(shop, "everybody", ANA, options=asap)
        # Launched before anybody has opted out.
        tuesday = (MONDAY + timedelta(days=1)).isoformat()
        second = daypost.launch(shop, "everybody", ANA, options=(*asap, "--start", tuesday))
        daypost.send_until_done(clock, first)
        heard = daypost.run("read_inbox", "--once")
        assert heard["accounts"] == 1
        assert daypost.run("read_inbox", "--once")["messages"] == 0
        _act_on_pages(gmail, public_url)
        if not public_url:
            kinds |= {"oneclick": ([], None), "scanner": ([], None)}

        assert _heard_of(first) == {to: kinds[to.partition("-")[0]][0] for to in people}
        assert _suppressed() == {
            to: why for to in people if (why := kinds[to.partition("-")[0]][1])
        }
        assert {one.state for one in Message.objects.filter(campaign=first)} == {"sent"}

        clock.wait_until(MONDAY + timedelta(days=1))
        daypost.send_until_done(clock, second)
    left = Counter(row["to"] for row in gmail.ledger())
    assert left == {to: 1 if kinds[to.partition("-")[0]][1] else 2 for to in people}
    states = dict(Message.objects.filter(campaign=second).values_list("to_email", "state"))
    assert states == {to: "skipped" if kinds[to.partition("-")[0]][1] else "sent" for to in people}


def _import(folder: Path, kinds: list[str], of_each: int) -> list[str]:
    people = [f"{kind}-{number}@example.org" for kind in kinds for number in range(of_each)]
    file = folder / "everybody.csv"
    file.write_text("\n".join(["Email,First name", *(f"{to},Ana" for to in people)]) + "\n")
    daypost.run("import_contacts", file, "--list", "everybody", "--consent", "Asked")
    return people


def _heard_of(campaign: int) -> dict[str, list[str]]:
    heard: dict[str, list[str]] = {
        to: []
        for to in Message.objects.filter(campaign=campaign).values_list("to_email", flat=True)
    }
    events = Event.objects.filter(message__campaign=campaign).order_by("id")
    for to, kind in events.values_list("message__to_email", "kind"):
        heard[to].append(kind)
    return heard


def _suppressed() -> dict[str, str]:
    return dict(Suppression.objects.values_list("email_key", "reason"))


# --- With a browser, or a program ------------------------------------------------------------


def _act_on_pages(gmail: PracticeGmail, public_url: str) -> None:
    for to, mail in _sent(gmail).items():
        links = _links(mail)
        if not public_url:
            assert not any("example.org/u/" in link for link in links)
            assert "List-Unsubscribe-Post" not in mail
        elif to.startswith("oneclick"):
            _click_once(mail)
        elif to.startswith("scanner"):
            ours = [link for link in links if link.startswith(public_url)]
            assert ours
            for link in ours:
                for method in ("get", "head"):
                    answer = getattr(_browser(), method)(_path(link))
                    assert answer.status_code == 200, link


def _click_once(mail: EmailMessage) -> None:
    """RFC 8058: a POST without cookies, to which nothing but success is an answer."""
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    link = re.findall(r"<(https:[^>]+)>", mail["List-Unsubscribe"])[0]
    form = "application/x-www-form-urlencoded"
    for _ in range(2):
        answer = _browser().post(_path(link), "List-Unsubscribe=One-Click", content_type=form)
        assert answer.status_code == 200
        assert not answer.cookies


def _browser() -> Client:
    return Client(enforce_csrf_checks=True, headers={"host": "mail.example.org"})


def _path(link: str) -> str:
    return urlsplit(link).path


def _links(mail: EmailMessage) -> list[str]:
    html = mail.get_body(("html",))
    assert html is not None
    in_header = re.findall(r"<([^>]+)>", mail["List-Unsubscribe"])
    return [*re.findall(r'href="([^"]+)"', html.get_content()), *in_header]


def _sent(gmail: PracticeGmail) -> dict[str, EmailMessage]:
    """What left, by whom it went to."""
    sent: dict[str, EmailMessage] = {}
    with imap_client(gmail, ANA) as client:
        client.select_folder("[Gmail]/Sent Mail", readonly=True)
        for one in client.fetch(client.search(), ["BODY.PEEK[]"]).values():
            mail = message_from_bytes(one[b"BODY[]"], _class=EmailMessage, policy=policy.default)
            sent[mail["To"].addresses[0].addr_spec] = mail
    return sent
