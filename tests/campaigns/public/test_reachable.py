"""Whether the instance reaches itself under its public address, over a real network."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from socket import create_server
from threading import Thread
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer

from campaigns import reachable
from campaigns.models import PublicAddress
from campaigns.reachable import is_reachable, known, look, look_when_due
from tests.campaigns.public.recipients import stranger

NOW = datetime(2027, 3, 3, 12, tzinfo=UTC)
pytestmark = pytest.mark.django_db


@contextmanager
def answering(status: int, body: bytes = b"", location: str = "") -> Iterator[str]:
    """Another server than Daypost; gives its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            if location:
                self.send_header("Location", location)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.django_db(transaction=True)
def test_it_reaches_itself(live_server: LiveServer, settings: Any) -> None:
    settings.PUBLIC_URL = live_server.url
    look(NOW)
    found = PublicAddress.objects.get()
    assert (found.url, found.tried_at, found.reached_at) == (live_server.url, NOW, NOW)
    assert found.why_not == "" and is_reachable(NOW)


def test_it_is_not_taken_in_by_an_answer_to_something_else(settings: Any) -> None:
    with answering(200, reachable.answer("0" * 32).encode()) as url:
        settings.PUBLIC_URL = url
        look(NOW)
    assert not is_reachable(NOW)
    assert "Something else answers" in PublicAddress.objects.get().why_not


@pytest.mark.parametrize(
    ("status", "location", "why"),
    [
        (200, "", "Something else answers at 127.0.0.1 (status 200)"),
        (404, "", "Something else answers at 127.0.0.1 (status 404)"),
        (400, "", "Add it to ALLOWED_HOSTS"),
        (301, "https://www.example.org/reachable/x", "leads on to https://www.example.org."),
    ],
)
def test_it_says_what_is_in_the_way(settings: Any, status: int, location: str, why: str) -> None:
    with answering(status, b"Hello", location) as url:
        settings.PUBLIC_URL = url
        look(NOW)
    assert why in PublicAddress.objects.get().why_not
    assert not is_reachable(NOW)


def test_it_says_that_nobody_answers(settings: Any) -> None:
    with create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    settings.PUBLIC_URL = f"http://127.0.0.1:{port}"
    look(NOW)
    assert "Nobody answers at 127.0.0.1" in PublicAddress.objects.get().why_not


def test_it_says_that_the_certificate_is_wrong(settings: Any) -> None:
    with answering(200) as url:
        settings.PUBLIC_URL = url.replace("http:", "https:")
        look(NOW)
    assert "certificate of 127.0.0.1" in PublicAddress.objects.get().why_not


def test_it_says_that_there_is_no_such_name(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.PUBLIC_URL = "http://nobody.localhost.invalid"
    # Not through a proxy, which would have to look the name up.
    monkeypatch.setattr(reachable, "is_loopback", lambda host: True)
    look(NOW)
    assert "The name nobody.localhost.invalid is not known" in PublicAddress.objects.get().why_not


def test_it_looks_at_nothing_without_an_address(settings: Any) -> None:
    settings.PUBLIC_URL = ""
    look(NOW)
    look_when_due(NOW)
    assert not PublicAddress.objects.exists()
    assert known() is None and not is_reachable(NOW)


def test_it_looks_every_hour_and_more_often_while_it_is_not_reached(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.PUBLIC_URL = "http://127.0.0.1:9"
    found = ["It is not."]
    looks = []

    def why_not(url: str) -> str:
        looks.append(url)
        return found[0]

    monkeypatch.setattr(reachable, "_why_not", why_not)
    for minutes in range(5):
        look_when_due(NOW + timedelta(minutes=minutes))
    assert len(looks) == 3
    found[0] = ""
    for minutes in range(6, 130, 2):
        look_when_due(NOW + timedelta(minutes=minutes))
    assert len(looks) == 6


def test_it_holds_for_a_day_and_for_this_address_alone(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.PUBLIC_URL = "http://127.0.0.1:9"
    monkeypatch.setattr(reachable, "_why_not", lambda url: "")
    look(NOW)
    assert is_reachable(NOW + timedelta(hours=23))
    assert not is_reachable(NOW + timedelta(hours=25))
    settings.PUBLIC_URL = "http://127.0.0.1:10"
    assert not is_reachable(NOW)


def test_it_answers_a_nonce_and_nothing_else() -> None:
    """By a key of its own: nobody can have a key of tokens worked out for them."""
    nonce = "0123456789abcdef" * 2
    assert stranger().get(f"/reachable/{nonce}").content.decode() == reachable.answer(nonce)
    for other in ("leave", "x" * 32, nonce + "0"):
        assert stranger().get(f"/reachable/{other}").status_code == 404


@pytest.mark.parametrize(
    ("why_not", "shown"),
    [("", "Reached"), ("Nobody answers.", "Nobody answers."), (None, "Not looked at yet")],
)
def test_it_shows_what_was_found(
    owner_client: Client, settings: Any, why_not: str | None, shown: str
) -> None:
    settings.PUBLIC_URL = "https://post.example.org"
    if why_not is not None:
        PublicAddress.objects.create(
            url=settings.PUBLIC_URL,
            tried_at=timezone.now(),
            reached_at=timezone.now(),
            why_not=why_not,
        )
    page = owner_client.get("/settings/public-address/").content.decode()
    assert shown in page and "https://post.example.org" in page


def test_it_says_that_it_is_not_needed(owner_client: Client, settings: Any) -> None:
    settings.PUBLIC_URL = ""
    page = owner_client.get("/settings/public-address/").content.decode()
    assert "None is set" in page and "PUBLIC_URL=" in page


def test_it_looks_again_when_asked_to(owner_client: Client, settings: Any) -> None:
    with answering(404) as url:
        settings.PUBLIC_URL = url
        response = owner_client.post("/settings/public-address/", follow=True)
    assert "Something else answers" in response.content.decode()
