"""Renewal of access tokens, with real threads and the practice Gmail's token endpoint."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from accounts import sealed, tokens
from accounts.models import GmailAccount
from gmail.errors import ClientRefused, GrantRevoked, Unreachable
from tests.accounts.gmail_cast import ANA, connect_by_consent, new_workspace
from tests.practice_gmail import PracticeGmail

pytestmark = pytest.mark.django_db(transaction=True)


class CountingProxy:
    """Stands before the token endpoint, counts what comes by, and holds it until `go_on`."""

    def __init__(self, target: str) -> None:
        self.requests = 0
        self.go_on = threading.Event()
        self.go_on.set()
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                proxy.requests += 1
                proxy.go_on.wait(10)
                body = self.rfile.read(int(self.headers["Content-Length"]))
                kind = {"Content-Type": self.headers["Content-Type"]}
                answer = requests.post(target, data=body, headers=kind, timeout=10)
                self.send_response(answer.status_code)
                self.end_headers()
                self.wfile.write(answer.content)

            def log_message(self, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/token"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def account(gmail: PracticeGmail) -> GmailAccount:
    return connect_by_consent(gmail, new_workspace())


@pytest.fixture
def token_endpoint(gmail: PracticeGmail, settings: Settings) -> Iterator[CountingProxy]:
    proxy = CountingProxy(gmail.env["GOOGLE_TOKEN_URI"])
    settings.GOOGLE = {**settings.GOOGLE, "token_uri": proxy.url}
    yield proxy
    proxy.stop()


def expire(account: GmailAccount, minutes: float = 0) -> None:
    GmailAccount.objects.filter(pk=account.pk).update(
        access_token_expires_at=timezone.now() + timedelta(minutes=minutes)
    )


def test_it_keeps_a_token_that_is_good_for_long(
    account: GmailAccount, token_endpoint: CountingProxy
) -> None:
    first = tokens.access_token(account, timezone.now())
    assert tokens.access_token(account, timezone.now()) == first
    assert token_endpoint.requests == 0


def test_it_renews_a_token_five_minutes_before_it_ends(
    account: GmailAccount, token_endpoint: CountingProxy
) -> None:
    first = tokens.access_token(account, timezone.now())
    expire(account, minutes=5.5)
    assert tokens.access_token(account, timezone.now()) == first
    expire(account, minutes=4.5)
    second = tokens.access_token(account, timezone.now())
    assert second != first
    assert tokens.access_token(account, timezone.now()) == second
    assert token_endpoint.requests == 1
    account.refresh_from_db()
    assert account.token_lease_until is None
    assert second not in account.sealed_access_token
    assert sealed.ACCESS_TOKEN.open(account) == second


THREADS = 20


@pytest.mark.parametrize(
    ("good_for", "lease"),
    [(0, None), (4.5, None), (0, timedelta(seconds=1))],
    ids=["over", "about to end", "left by a refresher that died"],
)
def test_it_renews_once_for_twenty_threads(
    account: GmailAccount,
    token_endpoint: CountingProxy,
    monkeypatch: pytest.MonkeyPatch,
    good_for: float,
    lease: timedelta | None,
) -> None:
    """Google answers only when every thread has found that the token must be renewed."""
    before = sealed.ACCESS_TOKEN.open(account)
    expire(account, minutes=good_for)
    if lease:
        until = timezone.now() + lease
        GmailAccount.objects.filter(pk=account.pk).update(token_lease_until=until)
    token_endpoint.go_on.clear()
    _when_all_have_tried(THREADS, token_endpoint.go_on.set, monkeypatch)

    found = _ask_together(account, THREADS)

    assert len(set(found)) == 1
    assert before not in found
    assert token_endpoint.requests == 1
    account.refresh_from_db()
    assert account.token_lease_until is None


def _when_all_have_tried(
    threads: int, act: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Call `act` once so many threads have tried to take the lease."""
    tried = set()
    original = tokens._take_lease

    def take_lease(row: GmailAccount, now: datetime) -> bool:
        taken = original(row, now)
        tried.add(threading.get_ident())
        if len(tried) == threads:
            act()
        return taken

    monkeypatch.setattr(tokens, "_take_lease", take_lease)


def _ask_together(account: GmailAccount, threads: int) -> list[str]:
    together = threading.Barrier(threads)

    def ask() -> str:
        try:
            together.wait(10)
            return tokens.access_token(account, timezone.now())
        finally:
            connection.close()

    with ThreadPoolExecutor(threads) as pool:
        futures = [pool.submit(ask) for _ in range(threads)]
        return [future.result(timeout=60) for future in futures]


def test_it_takes_over_from_a_refresher_that_died(
    account: GmailAccount, token_endpoint: CountingProxy
) -> None:
    expire(account)
    now = timezone.now()
    GmailAccount.objects.filter(pk=account.pk).update(token_lease_until=now + timedelta(seconds=1))
    tokens.access_token(account, now)
    assert token_endpoint.requests == 1


def test_it_does_not_wait_for_ever(
    account: GmailAccount, token_endpoint: CountingProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    expire(account)
    now = timezone.now()
    GmailAccount.objects.filter(pk=account.pk).update(token_lease_until=now + tokens.LEASE)
    monkeypatch.setattr(tokens, "PATIENCE_SECONDS", 0.3)
    with pytest.raises(Unreachable):
        tokens.access_token(account, now)
    assert token_endpoint.requests == 0


def test_it_needs_reconnecting_when_the_grant_is_revoked_and_loses_nothing(
    account: GmailAccount, gmail: PracticeGmail
) -> None:
    before = GmailAccount.objects.values().get(pk=account.pk)
    expire(account)
    gmail.control(revoke=ANA)
    with pytest.raises(GrantRevoked):
        tokens.access_token(account, timezone.now())
    after = GmailAccount.objects.values().get(pk=account.pk)
    assert after["state"] == GmailAccount.State.NEEDS_RECONNECTING
    assert "Connect the account again" in after["state_reason"]
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"state", "state_reason", "access_token_expires_at"}


def test_it_does_not_ask_google_again_once_it_needs_reconnecting(
    account: GmailAccount, gmail: PracticeGmail, token_endpoint: CountingProxy
) -> None:
    expire(account)
    gmail.control(revoke=ANA)
    for _ in range(3):
        with pytest.raises(GrantRevoked):
            tokens.access_token(account, timezone.now())
    assert token_endpoint.requests == 1


def test_it_leaves_an_account_alone_that_was_connected_again_meanwhile(
    account: GmailAccount, gmail: PracticeGmail
) -> None:
    """The old secret's refusal says nothing about the new one."""
    expire(account)
    gmail.control(revoke=ANA)
    stale = GmailAccount.objects.select_related("workspace").get(pk=account.pk)
    stale.token_lease_until = timezone.now() + tokens.LEASE
    connect_by_consent(gmail, account.workspace)
    with pytest.raises(GrantRevoked):
        tokens._renew(stale, timezone.now())
    account.refresh_from_db()
    assert account.state == GmailAccount.State.READY
    assert tokens.access_token(account, timezone.now())


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"token_uri": "http://127.0.0.1:1/token"}, Unreachable),
        ({"client_secret": "GOCSPX-changed"}, ClientRefused),
    ],
)
def test_it_stays_connected_through_what_may_pass(
    account: GmailAccount,
    settings: Settings,
    change: dict[str, str],
    error: type[Exception],
) -> None:
    expire(account)
    good = settings.GOOGLE
    settings.GOOGLE = {**good, **change}
    with pytest.raises(error):
        tokens.access_token(account, timezone.now())
    account.refresh_from_db()
    assert account.state == GmailAccount.State.READY
    assert account.token_lease_until is None
    settings.GOOGLE = good
    assert tokens.access_token(account, timezone.now())


@pytest.mark.django_db(transaction=True)
def test_it_does_not_renew_what_was_renewed_since_it_looked(
    account: GmailAccount, token_endpoint: CountingProxy
) -> None:
    expire(account)
    late = GmailAccount.objects.get(pk=account.pk)
    tokens.access_token(account, timezone.now())
    assert not tokens._take_lease(late, timezone.now())
    assert token_endpoint.requests == 1
