"""An account's rests: what its state says, and what its history and its page tell of them."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import quota, rests, standing
from accounts.models import GmailAccount, Rest
from tests.accounts.gmail_cast import ANA_PASSWORD, connect_ana
from tests.accounts.gmail_pages import text
from tests.belongings import Belongings
from tests.campaigns.making import make_account, make_workspace, spend
from tests.gmail import gmail_says
from tests.practice_gmail import PracticeGmail

NOW = datetime(2031, 3, 3, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
BUSY = "421 4.3.0 Temporary System Problem. Try again later."
LIMIT = "550 5.4.5 Daily user sending limit exceeded."
LOGINS = "454 4.7.0 Too many login attempts, please try again later."


@pytest.fixture
def account(db: None) -> GmailAccount:
    return make_account(make_workspace())


def history(account: GmailAccount) -> list[tuple[str, int, datetime | None, datetime | None]]:
    """Cause, times, until and end of every rest, the oldest first."""
    return list(
        account.rests.order_by("began_at", "id").values_list("cause", "times", "until", "ended_at")
    )


def test_it_makes_one_rest_of_trouble_that_comes_again_and_longer(account: GmailAccount) -> None:
    standing.back_off(account.pk, BUSY, NOW)
    standing.back_off(account.pk, LOGINS, NOW + MINUTE)
    standing.back_off(account.pk, BUSY, NOW + 3 * MINUTE)
    account.refresh_from_db()
    assert (account.failures_in_a_row, account.resting_until) == (3, NOW + 7 * MINUTE)
    assert history(account) == [("trouble", 3, NOW + 7 * MINUTE, None)]
    assert account.rests.get().reason == account.resting_reason == BUSY


def test_it_begins_anew_after_it_was_well_again(account: GmailAccount) -> None:
    standing.back_off(account.pk, BUSY, NOW)
    standing.well_again(account.pk, NOW + 2 * MINUTE)
    standing.back_off(account.pk, BUSY, NOW + 5 * MINUTE)
    ran_out = ("trouble", 1, NOW + MINUTE, None)
    assert history(account) == [ran_out, ("trouble", 1, NOW + 6 * MINUTE, None)]


def test_it_ends_a_rest_that_still_lasts_when_it_is_well_again(account: GmailAccount) -> None:
    standing.back_off(account.pk, BUSY, NOW)
    standing.well_again(account.pk, NOW + MINUTE / 2)
    assert history(account) == [("trouble", 1, NOW + MINUTE, NOW + MINUTE / 2)]


def test_it_waits_an_hour_at_most(account: GmailAccount) -> None:
    GmailAccount.objects.update(failures_in_a_row=40)
    standing.back_off(account.pk, BUSY, NOW)
    account.refresh_from_db()
    assert account.resting_until == NOW + timedelta(hours=1)


def test_it_never_makes_a_rest_shorter(account: GmailAccount) -> None:
    standing.rest_for_limit(account.pk, LIMIT, NOW)
    account.refresh_from_db()
    until = account.resting_until
    standing.back_off(account.pk, BUSY, NOW + MINUTE)
    account.refresh_from_db()
    assert (account.resting_until, account.resting_reason) == (until, LIMIT)
    assert account.failures_in_a_row == 0
    assert [rest[0] for rest in history(account)] == ["limit"]


def test_it_ends_a_rest_that_lasts_when_gmails_limit_comes_upon_it(account: GmailAccount) -> None:
    standing.back_off(account.pk, BUSY, NOW)
    standing.rest_for_limit(account.pk, LIMIT, NOW + MINUTE / 2)
    first, second = history(account)
    assert first == ("trouble", 1, NOW + MINUTE, NOW + MINUTE / 2)
    assert second[0] == "limit"
    # The line works: Gmail has answered. Being well again does not end Gmail's limit.
    standing.well_again(account.pk, NOW + MINUTE)
    account.refresh_from_db()
    assert account.resting_until == second[2]


# --- Gmail's limit ----------------------------------------------------------------------------


def test_it_rests_until_less_counts_than_gmail_refused_at(account: GmailAccount) -> None:
    spend(account, 30, NOW - timedelta(hours=20))
    spend(account, 10, NOW - timedelta(hours=5))
    standing.rest_for_limit(account.pk, LIMIT, NOW)
    account.refresh_from_db()
    assert (account.learned_limit, account.learned_at) == (40, NOW)
    assert account.resting_until == NOW + timedelta(hours=4) + quota.MARGIN


def test_it_rests_a_day_and_learns_nothing_while_it_does_not_know_what_was_used(
    account: GmailAccount,
) -> None:
    GmailAccount.objects.update(learned_limit=70, learned_at=NOW - timedelta(days=3))
    standing.rest_for_limit(account.pk, LIMIT, NOW)
    account.refresh_from_db()
    assert account.resting_until == NOW + timedelta(hours=24)
    assert (account.learned_limit, account.learned_at) == (70, NOW - timedelta(days=3))


def test_it_rests_twice_as_long_when_gmail_refuses_again_after_a_rest(
    account: GmailAccount,
) -> None:
    at = NOW
    for hour in range(24):
        spend(account, 1, NOW - timedelta(hours=24 - hour))
    lasted = []
    for _ in range(7):
        standing.rest_for_limit(account.pk, LIMIT, at)
        account.refresh_from_db()
        assert account.resting_until is not None
        lasted.append((account.resting_until - at).total_seconds())
        at = account.resting_until
    assert lasted == [
        quota.MARGIN.total_seconds(),
        *(3600 * hours for hours in (1, 2, 4, 8, 16, 24)),
    ]
    # What is accepted shows that the block is over.
    spend(account, 30, at + MINUTE)
    standing.rest_for_limit(account.pk, LIMIT, at + timedelta(hours=20))
    account.refresh_from_db()
    assert account.resting_until == at + MINUTE + timedelta(hours=24) + quota.MARGIN


def test_it_does_not_double_a_rest_when_two_workers_hear_of_one_refusal(
    account: GmailAccount,
) -> None:
    spend(account, 30, NOW - timedelta(hours=20))
    standing.rest_for_limit(account.pk, LIMIT, NOW)
    standing.rest_for_limit(account.pk, LIMIT, NOW + MINUTE)
    account.refresh_from_db()
    assert account.resting_until == NOW + timedelta(hours=4) + quota.MARGIN


def test_it_writes_down_when_it_needs_its_person_and_when_that_was_over(
    account: GmailAccount,
) -> None:
    standing.back_off(account.pk, BUSY, NOW)
    standing.needs_reconnecting(account.pk, "Connect again.", NOW + MINUTE / 2)
    standing.needs_reconnecting(account.pk, "Connect again.", NOW + MINUTE)
    lasting = ("reconnect", 1, None, None)
    assert history(account) == [("trouble", 1, NOW + MINUTE, None), lasting]
    standing.connected(account.pk, NOW + 10 * MINUTE)
    assert history(account)[-1] == ("reconnect", 1, None, NOW + 10 * MINUTE)
    account.refresh_from_db()
    assert (account.resting_until, account.failures_in_a_row) == (None, 0)


@pytest.mark.parametrize("hear", [standing.back_off, standing.rest_for_limit])
def test_it_still_needs_its_person_when_a_worker_hears_of_another_trouble(
    account: GmailAccount, hear: Callable[[int, str, datetime], object]
) -> None:
    standing.needs_reconnecting(account.pk, "Connect again.", NOW)
    hear(account.pk, BUSY, NOW + MINUTE)
    assert history(account)[0] == ("reconnect", 1, None, None)


def test_it_does_not_end_gmails_limit_when_it_needs_its_person(account: GmailAccount) -> None:
    standing.rest_for_limit(account.pk, LIMIT, NOW)
    standing.needs_reconnecting(account.pk, "Connect again.", NOW + MINUTE)
    standing.connected(account.pk, NOW + 2 * MINUTE)
    account.refresh_from_db()
    assert history(account)[0] == ("limit", 1, account.resting_until, None)
    assert standing.is_resting(account, NOW + 2 * MINUTE)


def test_it_makes_trouble_longer_across_a_time_that_needed_its_person(
    account: GmailAccount,
) -> None:
    standing.back_off(account.pk, BUSY, NOW)
    standing.needs_reconnecting(account.pk, "Connect again.", NOW + MINUTE)
    standing.back_off(account.pk, BUSY, NOW + 2 * MINUTE)
    assert history(account)[0] == ("trouble", 2, NOW + 4 * MINUTE, None)


def test_it_writes_nothing_for_a_secret_that_is_no_longer_the_accounts(
    account: GmailAccount,
) -> None:
    standing.needs_reconnecting(account.pk, "Connect again.", NOW, "an older secret")
    account.refresh_from_db()
    assert account.state == GmailAccount.State.READY
    assert history(account) == []


def test_it_keeps_the_last_hundred_of_each_account(account: GmailAccount) -> None:
    other = make_account(account.workspace)
    standing.back_off(other.pk, BUSY, NOW - timedelta(days=9))
    for number in range(rests.KEPT + 5):
        standing.needs_reconnecting(account.pk, str(number), NOW + number * MINUTE)
        GmailAccount.objects.update(state=GmailAccount.State.READY)
    kept = account.rests.order_by("began_at").values_list("reason", flat=True)
    assert list(kept) == [str(number) for number in range(5, rests.KEPT + 5)]
    assert other.rests.count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("trouble", [standing.back_off, standing.rest_for_limit])
def test_it_makes_one_rest_of_what_two_workers_hear_at_once(trouble) -> None:  # type: ignore[no-untyped-def]
    account = make_account(make_workspace())
    spend(account, 40, NOW - timedelta(hours=20))
    together = Barrier(4)

    def hear() -> None:
        try:
            together.wait(10)
            trouble(account.pk, BUSY, NOW)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as workers:
        for done in [workers.submit(hear) for _ in range(4)]:
            done.result(timeout=30)
    account.refresh_from_db()
    assert account.failures_in_a_row <= 1
    [(_, _, until, ended_at)] = history(account)
    assert (until, ended_at) == (account.resting_until, None)


# --- The page ---------------------------------------------------------------------------------


def account_page(client: Client, account: GmailAccount) -> str:
    return text(client.get(reverse("admin:accounts_gmailaccount_change", args=[account.pk])))


@pytest.mark.parametrize(
    ("said", "why", "to_do"),
    [
        (gmail_says.LIMIT, "its limit for 24 hours is reached", "goes on by itself"),
        (gmail_says.UNUSUAL_RATE, "too fast", "spread your campaigns"),
        (gmail_says.TOO_MANY_LOGINS, "too many log-ins", "look for mail less often"),
        (gmail_says.SYSTEM_PROBLEM, "a passing trouble of its own", "nothing for you to do"),
        (gmail_says.STARTTLS_FIRST, "does not know", "look for a notice"),
    ],
)
def test_it_says_why_it_rests_in_plain_words_and_gmails_in_small(
    owner_client: Client, home: Belongings, said: str, why: str, to_do: str
) -> None:
    account = home.of(GmailAccount)
    GmailAccount.objects.update(state_reason="")
    reply = str(gmail_says.read(said))
    standing.back_off(account.pk, reply, timezone.now())
    page = account_page(owner_client, account)
    for words in (why, to_do):
        assert page.count(words) == 2, f"{words}: above, and in the history"
    assert f"Gmail said: {reply[:20]}" in page
    listed = text(owner_client.get(reverse("admin:accounts_gmailaccount_changelist")))
    assert why in listed


def test_it_shows_the_last_ten_rests_with_when_and_how_long(
    owner_client: Client, home: Belongings
) -> None:
    account = home.of(GmailAccount)
    account.rests.all().delete()
    account.time_zone = "Asia/Tokyo"
    account.save()
    for number in range(12):
        began = datetime(2020, 5, 6, 20, number, tzinfo=UTC)
        until = began + timedelta(hours=4, minutes=number)
        Rest.objects.create(
            account=account, cause="limit", reason=LIMIT, began_at=began, until=until, times=3
        )
    standing.needs_reconnecting(account.pk, "Google ended the access.", timezone.now())
    page = account_page(owner_client, account)
    assert page.count("its limit for 24 hours is reached") == 9
    assert "Thu 7 May, 05:11" in page
    assert "4 hours, 11 minutes" in page.replace("\xa0", " ")
    assert "(3 tries)" in page
    assert "still lasts" in page
    assert "Times in Asia/Tokyo" in page


def test_it_shows_no_history_where_there_is_none(owner_client: Client, home: Belongings) -> None:
    account = home.of(GmailAccount)
    account.rests.all().delete()
    assert "When it did not send" not in account_page(owner_client, account)


def test_it_ends_the_rest_when_its_person_connects_it_again(
    gmail: PracticeGmail, home: Belongings
) -> None:
    account = connect_ana(home.workspace)
    standing.needs_reconnecting(account.pk, "The password was changed.", timezone.now())
    assert connect_ana(home.workspace).pk == account.pk, ANA_PASSWORD
    assert account.rests.get().ended_at is not None
