"""Whoever sleeps within a transaction keeps others waiting for a while, and not for ever."""

import threading

import pytest
from django.db import Error, connection, transaction

from accounts import sleepers
from accounts.models import GmailAccount
from tests.campaigns.making import make_account, make_workspace

pytestmark = pytest.mark.django_db(transaction=True)


def test_it_takes_a_sleepers_locks_away(monkeypatch: pytest.MonkeyPatch) -> None:
    if connection.vendor == "sqlite":
        return  # it cannot take a lock away
    monkeypatch.setattr(sleepers, "LONGEST_SECONDS", 0.2)
    account = make_account(make_workspace())
    holds, may_wake = threading.Event(), threading.Event()
    ended: list[Exception] = []

    def sleep() -> None:
        try:
            with transaction.atomic():
                GmailAccount.objects.filter(pk=account.pk).update(limit=1)
                holds.set()
                may_wake.wait(60)
        except Error as error:
            ended.append(error)
        finally:
            connection.close()

    sleeper = threading.Thread(target=sleep)
    sleeper.start()
    assert holds.wait(60)
    GmailAccount.objects.filter(pk=account.pk).update(limit=2)
    may_wake.set()
    sleeper.join(60)
    account.refresh_from_db()
    assert account.limit == 2
    assert ended


def test_it_waits_longer_than_any_transaction_of_ours_rests() -> None:
    if connection.vendor == "sqlite":
        return  # it cannot take a lock away
    with connection.cursor() as cursor:
        cursor.execute("SHOW idle_in_transaction_session_timeout")
        assert cursor.fetchone() == ("1min",)
