"""Somebody who got a message of a campaign, and asks for its pages as a stranger does."""

from html.parser import HTMLParser
from typing import Any

from django.http import HttpResponse
from django.test import Client

from campaigns import tokens
from campaigns.models import Message
from campaigns.tokens import Purpose
from tests.campaigns.making import make_account, make_campaign, make_workspace

UNKNOWN = "a" * tokens.LENGTH


def sent_message(**account_fields: Any) -> Message:
    """One that was sent from siop@gmail.com, named Siop Tregaron, to somebody of one list."""
    account = make_account(
        make_workspace(), **{"address": "siop@gmail.com", "display_name": "Siop"} | account_fields
    )
    campaign = make_campaign(account.workspace, [account], 1, name="Spring news")
    Message.objects.filter(campaign=campaign).update(state=Message.State.SENT, account=account)
    related = Message.objects.select_related("contact", "workspace", "campaign", "account")
    return related.get(campaign=campaign)


def stranger() -> Client:
    """Sends no cookie, and would be refused by the check against forged forms."""
    return Client(enforce_csrf_checks=True)


def leave_path(message: Message) -> str:
    return f"/u/{tokens.make(Purpose.LEAVE, message.pk)}"


def preferences_path(message: Message) -> str:
    return f"/p/{tokens.make(Purpose.LEAVE, message.pk)}"


def view_path(message: Message) -> str:
    return f"/v/{tokens.make(Purpose.VIEW, message.pk)}"


class Page(HTMLParser):
    """The forms and links of an answer, and what it says."""

    def __init__(self, response: HttpResponse) -> None:
        super().__init__()
        self.actions: list[str] = []
        self.links: list[str] = []
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self._words: list[str] = []
        self.feed(response.content.decode())

    @property
    def text(self) -> str:
        return " ".join(" ".join(self._words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append(tag)
        self.attributes |= set(given)
        if tag == "form":
            self.actions.append(given["action"] or "")
        if tag == "a":
            self.links.append(given["href"] or "")

    def handle_data(self, data: str) -> None:
        if self.tags[-1:] != ["style"]:
            self._words.append(data)
