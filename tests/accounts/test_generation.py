"""An older copy of the database is noticed, by the number that stands beside it."""

import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from accounts import generation, halts
from accounts.halts import Cause
from accounts.models import Generation, Halt
from campaigns.delivery.handing_over import commit_handing_over
from campaigns.models import Message
from tests.campaigns.delivery.test_claim import account_in_hand, claim_one
from tests.campaigns.making import make_account, make_campaign, make_workspace, spend


@pytest.fixture(autouse=True)
def data_dir(settings: Any, tmp_path: Path) -> Path:
    settings.DATA_DIR = tmp_path
    return tmp_path


def hand_over(times: int = 1) -> None:
    """As a message does that is given its end."""
    for _ in range(times):
        with transaction.atomic():
            number = generation.next_number()
        generation.remember(number)


def go_back_to(number: int) -> None:
    """The database as it was then."""
    Generation.objects.update(number=number, copied_at=None)


@pytest.mark.django_db
def test_it_grows_with_every_message_that_is_given_its_end() -> None:
    account = account_in_hand()
    make_campaign(account.workspace, [account], recipients=3)
    numbers = [commit_handing_over(claim_one(account), b"", timezone.now()) for _ in range(3)]
    assert numbers == [1, 2, 3]


@pytest.mark.django_db
def test_it_halts_every_account_when_the_database_is_behind() -> None:
    accounts = [make_account(make_workspace()) for _ in range(2)]
    now = timezone.now()
    spend(accounts[0], 1, now - timedelta(hours=3))
    hand_over(5)
    assert not generation.look(now)
    go_back_to(3)
    assert generation.look(now)
    halted = [halts.of_cause(account, Cause.RESTORED) for account in accounts]
    assert all(halt and "Messages have left" in halt.reason for halt in halted)
    # Nothing that left is older than this.
    assert generation.copied_at() == now - timedelta(hours=3)


@pytest.mark.django_db
def test_it_notices_the_same_copy_again_but_not_once_it_was_let_go() -> None:
    account = make_account(make_workspace())
    hand_over(5)
    go_back_to(3)
    assert generation.look(timezone.now())
    assert not generation.look(timezone.now())
    halts.end([account], Cause.RESTORED, timezone.now())
    assert not generation.look(timezone.now())
    hand_over()
    assert not generation.look(timezone.now())
    # Copied back once more, without what was let go; also when nothing was sent in between.
    go_back_to(3)
    assert generation.look(timezone.now())
    halts.end([account], Cause.RESTORED, timezone.now())
    go_back_to(3)
    assert generation.look(timezone.now())


@pytest.mark.django_db
def test_it_sees_one_message_that_was_claimed_when_the_copy_was_made() -> None:
    """Its ledger row is in the copy: only the number knows that it left after."""
    account = account_in_hand()
    make_campaign(account.workspace, [account], recipients=1)
    claim = claim_one(account)
    number = commit_handing_over(claim, b"", timezone.now())
    assert number
    generation.remember(number)
    Message.objects.update(state=Message.State.CLAIMED, handed_over_at=None)
    go_back_to(0)
    assert generation.look(timezone.now())


@pytest.mark.django_db
@pytest.mark.parametrize("written", [None, b"", b"torn"])
def test_it_lets_a_database_be_whose_file_is_lost(data_dir: Path, written: bytes | None) -> None:
    make_account(make_workspace())
    hand_over(5)
    (data_dir / "generation").unlink()
    if written is not None:
        (data_dir / "generation").write_bytes(written)
    assert not generation.look(timezone.now())
    hand_over()
    assert (data_dir / "generation").read_text().strip().lstrip("0") == "6"


@pytest.mark.django_db
def test_it_lets_a_new_database_go_on_above_the_old_file(data_dir: Path) -> None:
    generation.remember(5)
    assert generation.look(timezone.now())
    assert not Halt.objects.exists()
    hand_over()
    assert int((data_dir / "generation").read_text()) == 6


@pytest.mark.django_db
def test_it_halts_after_a_restore_whatever_the_numbers_say() -> None:
    account = make_account(make_workspace())
    hand_over(5)
    moment = timezone.now() - timedelta(days=1)
    generation.restored(moment, timezone.now())
    assert halts.of_cause(account, Cause.RESTORED)
    assert generation.copied_at() == moment
    assert not generation.look(timezone.now())


@pytest.mark.django_db
def test_it_believes_nothing_that_was_found_out_before_a_further_restore() -> None:
    """A backup may be made while an account that is clear still waits for another."""
    account = make_account(make_workspace())
    first, again = timezone.now() - timedelta(days=2), timezone.now()
    generation.restored(first, first)
    Halt.objects.update(is_clear=True, looked_at=first, found="Sent shows that 3 had left.")
    generation.restored(first + timedelta(hours=1), again)
    halt = halts.of_cause(account, Cause.RESTORED)
    assert halt is not None
    assert (halt.is_clear, halt.looked_at, halt.found, halt.began_at) == (False, None, "", again)


@pytest.mark.django_db
def test_it_takes_no_moment_from_a_backup_that_was_made_in_the_future() -> None:
    account, now = make_account(make_workspace()), timezone.now()
    spend(account, 1, now - timedelta(hours=3))
    generation.restored(now + timedelta(days=1), now)
    assert generation.copied_at() == now - timedelta(hours=3)


@pytest.mark.django_db
def test_it_keeps_the_earlier_moment_while_nothing_is_settled() -> None:
    account = make_account(make_workspace())
    first, now = timezone.now() - timedelta(days=3), timezone.now()
    generation.restored(first, now)
    generation.restored(now - timedelta(days=1), now)
    assert generation.copied_at() == first
    halts.end([account], Cause.RESTORED, now)
    generation.restored(now - timedelta(days=1), now)
    assert generation.copied_at() == now - timedelta(days=1)


def test_it_never_goes_down_however_many_write_at_once(data_dir: Path) -> None:
    def write(first: int) -> None:
        for number in range(first, 400, 4):
            generation.remember(number)

    threads = [threading.Thread(target=write, args=(first,)) for first in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    generation.remember(7)
    assert int((data_dir / "generation").read_text()) == 399
    assert (data_dir / "generation").stat().st_mode & 0o777 == 0o600
