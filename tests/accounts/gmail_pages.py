"""How a logged-in person uses the pages on which a Gmail account is connected."""

from html import unescape
from typing import Any
from urllib.parse import urlsplit

from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from tests.accounts.gmail_cast import ANA, ANA_PASSWORD

CONNECT = reverse("admin:gmail_connect")
CONSENT = reverse("admin:gmail_consent")
CLIENT = reverse("admin:gmail_client")
ANSWER = reverse("admin:gmail_answer")
CLIENT_ID = "123456789012-abcdefgh.apps.googleusercontent.com"
CLIENT_SECRET = "GOCSPX-abcdefghijklmnopqrstuv"


def text(response: Any) -> str:
    return unescape(response.content.decode())


def connect(browser: Client, **fields: str) -> HttpResponse:
    return browser.post(CONNECT, {f"google-{name}": value for name, value in fields.items()})


def fill(**changes: str) -> dict[str, str]:
    return {"address": ANA, "password": ANA_PASSWORD, "smtp_security": "ssl", **changes}


def ask(browser: Client, host: str = "localhost", **fields: Any) -> str:
    """The address of Google's page that the browser is sent to."""
    response = browser.post(CONSENT, fields, headers={"host": host})
    assert response.status_code == 302, response.content
    return response.headers["Location"]


def come_back(browser: Client, location: str, **more: Any) -> HttpResponse:
    """Follow Google's redirect to the callback, and on to the page that it leads to."""
    parts = urlsplit(location)
    return browser.get(f"{parts.path}?{parts.query}", follow=True, **more)
