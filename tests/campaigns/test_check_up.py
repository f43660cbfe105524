"""A check-up in the background: done once, in whole, by whichever worker is there."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.doctor import check_ups
from accounts.doctor.check import Check, Name, from_rows
from accounts.models import CheckUp, GmailAccount
from campaigns import check_up, tasks
from tests.campaigns.making import make_account, make_workspace

FOUND = [Check(Name.CLOCK, True, True, "It agrees."), Check(Name.POP, False, False, "It is off.")]
MAIL = Check(Name.SELF_TEST, True, True, "Found again.")


class Instead:
    """Of the examination, which has tests of its own."""

    def __init__(self, account: GmailAccount, now: Any) -> None:
        self.account = account

    def checks(self) -> Any:
        yield from FOUND


@pytest.fixture
def account(db: None, monkeypatch: pytest.MonkeyPatch) -> GmailAccount:
    monkeypatch.setattr(check_up, "Examination", Instead)
    monkeypatch.setattr(check_up, "self_test", lambda *_given: MAIL)
    return make_account(make_workspace())


def run(account: GmailAccount) -> None:
    check_up.run(account.pk, keep_going=lambda: True)


def names() -> list[str]:
    return [row["name"] for row in CheckUp.objects.get().checks]


def test_it_writes_down_every_line(account: GmailAccount) -> None:
    check_ups.ask(account, timezone.now())
    run(account)
    assert names() == ["pop", "self-test", "clock"]
    assert CheckUp.objects.get().finished_at is not None


def test_it_does_nothing_unasked_or_twice(account: GmailAccount) -> None:
    run(account)
    assert not CheckUp.objects.exists()
    check_ups.ask(account, timezone.now())
    run(account)
    first = CheckUp.objects.get().finished_at
    run(account)
    assert CheckUp.objects.get().finished_at == first


def test_it_hands_the_mail_what_was_found_and_who_asked(
    account: GmailAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[Any] = []

    def listen(*given: Any) -> Check:
        heard.extend(given)
        return MAIL

    monkeypatch.setattr(check_up, "self_test", listen)
    check_ups.ask(account, timezone.now())
    run(account)
    account_id, asked_at, found, _keep_going = heard
    assert (account_id, asked_at) == (account.pk, CheckUp.objects.get().asked_at)
    assert found == FOUND


def test_it_leaves_it_to_another_worker_when_this_one_is_to_stop(
    account: GmailAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_ups.ask(account, timezone.now())
    monkeypatch.setattr(check_up, "self_test", lambda *_given: None)
    check_up.run(account.pk, keep_going=lambda: False)
    assert CheckUp.objects.get().finished_at is None
    assert check_ups.due(timezone.now()) == [account.pk]
    monkeypatch.setattr(check_up, "self_test", lambda *_given: MAIL)
    run(account)
    assert names() == ["pop", "self-test", "clock"]


def test_it_gives_way_when_it_is_asked_for_anew(
    account: GmailAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = timezone.now() + timedelta(seconds=1)

    def ask_again(*given: Any) -> Check | None:
        keep_going = given[3]
        assert keep_going()
        check_ups.ask_anew(account, later)
        return MAIL if keep_going() else None

    monkeypatch.setattr(check_up, "self_test", ask_again)
    check_ups.ask(account, timezone.now())
    run(account)
    assert names() == []
    assert check_ups.due(timezone.now()) == [account.pk]
    assert CheckUp.objects.get().asked_at == later


def test_it_ends_in_red_at_an_error_that_nobody_foresaw(
    account: GmailAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Left as it was, it would be begun again after each lease, for ever."""
    monkeypatch.setattr(check_up, "self_test", lambda *_given: 1 // 0)
    check_ups.ask(account, timezone.now())
    with pytest.raises(ZeroDivisionError):
        run(account)
    assert names() == ["pop", "self-test", "clock"]
    line = from_rows(CheckUp.objects.get().checks)[1]
    assert line.is_red
    assert "broke off" in line.detail
    assert CheckUp.objects.get().finished_at is not None
    assert check_ups.due(timezone.now() + check_ups.LEASE) == []


def test_it_is_left_to_another_worker_when_its_process_is_stopped(
    account: GmailAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_given: Any) -> Check:
        raise SystemExit

    monkeypatch.setattr(check_up, "self_test", stop)
    check_ups.ask(account, timezone.now())
    with pytest.raises(SystemExit):
        run(account)
    assert check_ups.due(timezone.now()) == [account.pk]


def test_it_is_woken_for_what_was_left(
    account: GmailAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    woken: list[Any] = []
    monkeypatch.setattr(
        tasks.check_up, "apply_async", lambda given, **_options: woken.append(given)
    )
    tasks.resume_check_ups()
    check_ups.ask(account, timezone.now())
    tasks.resume_check_ups()
    assert woken == [(account.pk,)]
    tasks.check_up(account.pk)
    assert CheckUp.objects.get().finished_at is not None
