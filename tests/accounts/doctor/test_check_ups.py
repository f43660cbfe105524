"""Who does a check-up: asked for, held by one, taken over from a worker that died."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from accounts.doctor import check_ups
from accounts.doctor.check import Check, Name
from accounts.models import CheckUp, GmailAccount
from tests.campaigns.making import make_account, make_workspace

NOW = timezone.now()
LATER = NOW + timedelta(seconds=1)
CLOCK = Check(Name.CLOCK, True, True, "It agrees.")
POP = Check(Name.POP, False, False, "It is off.", "Switch it on.")


@pytest.fixture
def account(db: None) -> GmailAccount:
    return make_account(make_workspace())


def test_it_is_done_by_one_worker(account: GmailAccount) -> None:
    check_ups.ask(account, NOW)
    assert check_ups.due(NOW) == [account.pk]
    assert check_ups.take(account.pk, NOW)
    assert check_ups.take(account.pk, NOW) is None
    assert check_ups.due(NOW) == []


def test_it_is_not_done_unasked(account: GmailAccount) -> None:
    assert check_ups.take(account.pk, NOW) is None
    assert check_ups.due(NOW) == []


def test_it_keeps_its_lines_in_order(account: GmailAccount) -> None:
    held = check_ups.ask_and_take(account, NOW)
    check_ups.note(held, [CLOCK, POP])
    assert [row["name"] for row in CheckUp.objects.get().checks] == ["pop", "clock"]
    check_ups.finish(held, NOW)
    check_up = CheckUp.objects.get()
    assert (check_up.finished_at, check_up.held_until) == (NOW, None)
    assert check_ups.due(NOW + timedelta(days=1)) == []


def test_it_goes_to_another_worker_when_the_first_one_died(account: GmailAccount) -> None:
    check_ups.ask(account, NOW)
    dead = check_ups.take(account.pk, NOW)
    assert dead
    check_ups.note(dead, [CLOCK])
    later = NOW + check_ups.LEASE
    assert check_ups.due(later) == [account.pk]
    assert check_ups.take(account.pk, later)
    assert CheckUp.objects.get().checks == []
    with pytest.raises(check_ups.NotAsked):
        check_ups.note(dead, [CLOCK])
    with pytest.raises(check_ups.NotAsked):
        check_ups.finish(dead, later)


def test_it_goes_at_once_to_another_worker_when_it_is_let_go(account: GmailAccount) -> None:
    check_ups.ask(account, NOW)
    held = check_ups.take(account.pk, NOW)
    assert held
    check_ups.let_go(held)
    assert check_ups.due(NOW) == [account.pk]


def test_it_is_done_once_for_all_who_ask_meanwhile(account: GmailAccount) -> None:
    check_ups.ask(account, NOW)
    check_ups.ask(account, LATER)
    assert CheckUp.objects.get().asked_at == NOW
    held = check_ups.take(account.pk, LATER)
    assert held
    check_ups.note(held, [CLOCK])
    check_ups.ask(account, LATER)
    assert check_ups.is_ours(held)
    assert [row["name"] for row in CheckUp.objects.get().checks] == ["clock"]
    check_ups.finish(held, LATER)
    check_ups.ask(account, LATER)
    check_up = CheckUp.objects.get()
    assert (check_up.asked_at, check_up.finished_at, check_up.checks) == (LATER, None, [])


def test_it_begins_anew_after_a_change_once_it_is_let_go(account: GmailAccount) -> None:
    check_ups.ask(account, NOW)
    held = check_ups.take(account.pk, NOW)
    assert held
    check_ups.note(held, [CLOCK])
    check_ups.ask_anew(account, LATER)
    assert CheckUp.objects.get().checks == []
    assert not check_ups.is_ours(held)
    with pytest.raises(check_ups.NotAsked):
        check_ups.note(held, [CLOCK, POP])
    assert check_ups.take(account.pk, LATER) is None
    check_ups.let_go(held)
    anew = check_ups.take(account.pk, LATER)
    assert anew is not None and anew.asked_at == LATER


def test_it_is_taken_over_by_whoever_does_it_at_once(account: GmailAccount) -> None:
    check_ups.ask(account, NOW)
    held = check_ups.take(account.pk, NOW)
    assert held
    taken = check_ups.ask_and_take(account, LATER)
    assert not check_ups.is_ours(held)
    check_ups.let_go(held)
    assert check_ups.is_ours(taken)


@pytest.mark.django_db(transaction=True)
def test_it_keeps_two_places_for_however_many_look_at_once() -> None:
    workspace = make_workspace()
    accounts = [make_account(workspace) for _ in range(8)]
    for account in accounts:
        check_ups.ask(account, NOW)
    together = threading.Barrier(len(accounts))

    def take(account: GmailAccount) -> check_ups.Held | None:
        try:
            together.wait(10)
            return check_ups.take(account.pk, NOW)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(accounts)) as pool:
        taken = [held for held in pool.map(take, accounts) if held]
    assert len(taken) == check_ups.MOST_AT_ONCE


def test_it_leaves_workers_for_sending(account: GmailAccount) -> None:
    others = [make_account(account.workspace) for _ in range(check_ups.MOST_AT_ONCE)]
    for other in others:
        check_ups.ask_and_take(other, NOW)
    check_ups.ask(account, NOW)
    assert check_ups.take(account.pk, NOW) is None
    assert check_ups.due(NOW) == [account.pk]
    CheckUp.objects.filter(account=others[0]).update(finished_at=NOW)
    assert check_ups.take(account.pk, NOW)


def test_it_wakes_a_worker_once_the_question_is_committed(
    account: GmailAccount,
    django_capture_on_commit_callbacks: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    woken: list[Any] = []
    monkeypatch.setattr(
        check_ups.current_app, "send_task", lambda *given, **_options: woken.append(given)
    )
    with django_capture_on_commit_callbacks(execute=True):
        check_ups.ask(account, NOW)
        assert woken == []
    assert woken == [("campaigns.tasks.check_up", (account.pk,))]
