from datetime import UTC, datetime, timedelta

import pytest

from accounts import halts, quota
from accounts.doctor import limit
from accounts.models import GmailAccount
from tests.campaigns.making import make_account, make_workspace, spend

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


@pytest.fixture
def account(db: None) -> GmailAccount:
    return make_account(make_workspace(), limit=10)


def test_it_counts_what_was_used(account: GmailAccount) -> None:
    spend(account, 4, NOW - timedelta(hours=1))
    spend(account, 5, NOW - timedelta(hours=25))
    check = limit.check(account, NOW)
    assert (check.ok, check.needed, check.remedy) == (True, False, "")
    assert "4 of 10" in check.detail


def test_it_says_when_a_full_limit_goes_on(account: GmailAccount) -> None:
    spend(account, 10, NOW - timedelta(hours=4))
    check = limit.check(account, NOW)
    assert not check.ok
    assert not check.is_red
    at = NOW + timedelta(hours=20) + quota.MARGIN
    assert f"Thu 26 Nov, {at:%H:%M} (UTC)" in check.remedy


def test_it_says_until_when_and_why_it_rests(account: GmailAccount) -> None:
    account.resting_until = NOW + timedelta(minutes=30)
    account.resting_reason = "421 4.7.0 Try again later"
    check = limit.check(account, NOW)
    assert not check.ok
    assert "It rests: Gmail has a passing trouble of its own." in check.detail
    assert "421" not in check.detail
    assert f"{NOW + timedelta(minutes=30):%H:%M} (UTC)" in check.remedy


def test_it_says_why_nothing_leaves_while_the_account_is_halted(account: GmailAccount) -> None:
    halts.begin([account], halts.Cause.RESTORED, "The database is an older copy.", NOW)
    check = limit.check(account, NOW)
    assert not check.ok
    assert "0 of 10 messages used in the last 24 hours. The database is an older" in check.detail
    assert "account's page" in check.remedy


def test_it_knows_a_limit_that_lets_nothing_leave(account: GmailAccount) -> None:
    account.limit = 0
    check = limit.check(account, NOW)
    assert not check.ok
    assert "Raise the limit" in check.remedy


def test_it_says_why_less_than_what_is_set_is_in_force(account: GmailAccount) -> None:
    account.learned_limit, account.learned_at = 4, NOW - timedelta(hours=2)
    spend(account, 4, NOW - timedelta(hours=1))
    check = limit.check(account, NOW)
    assert "4 of 4 messages used" in check.detail
    assert "Gmail refused more than 4 on Wednesday 25 November." in check.detail
    # It grows before anything ages.
    assert "Thu 26 Nov, 10:00 (UTC)" in check.remedy
