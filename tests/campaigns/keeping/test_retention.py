"""What is old goes, and what still counts stays."""

import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import run_checks
from django.core.management import call_command
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from accounts import ledger, quota
from accounts.models import GmailAccount, Halt, LedgerRow, Rest
from campaigns.contacts import uploads
from campaigns.keeping import retention
from campaigns.keeping.retention import tidy
from campaigns.models import ContactImport, Message
from tests.campaigns.making import (
    make_account,
    make_campaign,
    make_single,
    make_workspace,
    spend,
)

M = Message.State
L = LedgerRow.State

NOW = timezone.now()
ROWS = st.lists(
    st.tuples(
        st.sampled_from(L.values),
        st.integers(0, 200),
        st.sampled_from([None, *M.values]),
    ),
    min_size=1,
    max_size=12,
)


def write(account: GmailAccount, state: str, at: datetime, message_state: str | None) -> LedgerRow:
    row = LedgerRow.objects.create(
        account=account,
        source=LedgerRow.Source.SYSTEM,
        state=state,
        reserved_at=at,
        at=None if state in (L.RESERVED, L.VOID) else at,
    )
    if message_state is not None:
        single = make_single(account)
        Message.objects.filter(pk=single.pk).update(state=message_state, ledger_row=row)
    return row


class TestLedger(TestCase):
    @hypothesis_settings(
        max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
    @given(ROWS, st.integers(2, 150), st.integers(1, 4))
    def test_it_never_lets_go_what_still_counts(
        self, drawn: list[tuple[str, int, str | None]], days: int, batch: int
    ) -> None:
        account = make_account(make_workspace())
        spend(make_account(account.workspace), 1, NOW)
        rows = [write(account, s, NOW - timedelta(days=d), m) for s, d, m in drawn]
        before = quota.used(ledger.totals(account, NOW), NOW)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(retention, "A_BATCH", batch)
            patch.setattr("django.conf.settings.KEEP_LEDGER_DAYS", days, raising=False)
            tidy(NOW)
        left = set(LedgerRow.objects.filter(account=account).values_list("pk", flat=True))
        assert quota.used(ledger.totals(account, NOW), NOW) == before
        assert rows[-1].pk in left
        for row, (state, age, message) in zip(rows[:-1], drawn[:-1], strict=True):
            open_ = message is not None and message not in retention.FATE_KNOWN
            stays = state == L.RESERVED or age <= days or open_
            assert (row.pk in left) == stays
        assert Message.objects.filter(account=account).count() == sum(
            message is not None for _, _, message in drawn
        )


@pytest.mark.django_db
def test_it_keeps_bytes_until_the_fate_of_their_message_is_known() -> None:
    account = make_account(make_workspace())
    for state in M.values:
        Message.objects.filter(pk=make_single(account, to=state).pk).update(state=state)
    old = make_single(account, to="refused long ago")
    Message.objects.filter(pk=old.pk).update(
        state=M.REFUSED, created_at=timezone.now() - timedelta(days=31)
    )
    assert tidy(timezone.now()).bytes_of_messages == 4
    kept = set(Message.objects.filter(raw__isnull=False).values_list("to_email", flat=True))
    assert kept == {M.WAITING, M.CLAIMED, M.HANDING_OVER, M.IN_DOUBT, M.REFUSED}


@pytest.fixture
def upload_dir(settings: Any, tmp_path: Path) -> Path:
    settings.UPLOADS_DIR = tmp_path
    return tmp_path


def make_import(state: str, finished_at: datetime | None) -> ContactImport:
    problems = uploads.store([b"Email\n"])
    return ContactImport.objects.create(
        workspace=make_workspace(),
        file_name="a.csv",
        stored_as=uploads.store([b"Email\n"]),
        problems_as=problems,
        state=state,
        finished_at=finished_at,
    )


@pytest.mark.django_db
def test_it_removes_the_files_of_imports_that_are_over(upload_dir: Path) -> None:
    S = ContactImport.State
    now = timezone.now()
    old, recent = now - timedelta(days=31), now - timedelta(days=29)
    over = [make_import(state, old) for state in (S.FINISHED, S.FAILED, S.CANCELLED)]
    stays = [make_import(S.FINISHED, recent), make_import(S.RUNNING, None)]
    orphan, new_orphan = uploads.store([b"x"]), uploads.store([b"x"])
    os.utime(uploads.path_of(orphan), (old.timestamp(), old.timestamp()))
    for job in stays:
        for name in (job.stored_as, job.problems_as):
            os.utime(uploads.path_of(name), (0, 0))
    assert tidy(now).import_files == 7
    left = {file.name for file in upload_dir.iterdir()}
    assert left == {name for job in stays for name in (job.stored_as, job.problems_as)} | {
        new_orphan
    }
    assert not ContactImport.objects.filter(pk__in=[job.pk for job in over]).exclude(
        stored_as="", problems_as=""
    )
    assert tidy(now).import_files == 0


@pytest.mark.django_db
def test_it_forgets_old_rests_and_halts_that_are_over() -> None:
    account = make_account(make_workspace())
    now = timezone.now()
    old = now - timedelta(days=400)
    for ended_at in (old, None, now):
        Halt.objects.create(
            account=account, cause="clock", reason="", began_at=old, ended_at=ended_at
        )
    for ended_at, until in ((old, None), (None, old), (None, None), (None, now), (now, old)):
        Rest.objects.create(
            account=account, cause="limit", reason="", began_at=old, until=until, ended_at=ended_at
        )
    gone = tidy(now)
    assert (gone.halts, gone.rests) == (1, 2)


@pytest.mark.django_db
def test_it_deletes_no_message_with_its_ledger_row() -> None:
    account = make_account(make_workspace())
    campaign = make_campaign(account.workspace, [account], recipients=1)
    row = write(account, L.ACCEPTED, NOW - timedelta(days=100), None)
    write(account, L.ACCEPTED, NOW, None)
    campaign.messages.update(state=M.SENT, ledger_row=row)
    call_command("tidy", "--json")
    assert campaign.messages.get().ledger_row is None


@pytest.mark.parametrize(
    ("name", "days"), [("KEEP_LEDGER_DAYS", 1), ("KEEP_FILES_DAYS", 0), ("KEEP_HISTORY_DAYS", -1)]
)
def test_it_is_told_when_too_little_would_be_kept(settings: Any, name: str, days: int) -> None:
    setattr(settings, name, days)
    assert [problem.id for problem in run_checks()] == ["campaigns.E001"]
    assert name in run_checks()[0].msg


@pytest.mark.django_db
def test_a_clock_that_is_far_ahead_empties_no_window() -> None:
    account = make_account(make_workspace())
    for hours in range(1, 4):
        write(account, L.ACCEPTED, NOW - timedelta(hours=hours), M.SENT)
    assert tidy(NOW + timedelta(days=400)).ledger_rows == 0
    assert quota.used(ledger.totals(account, NOW), NOW) == 3


@pytest.mark.django_db
def test_what_leaves_anew_keeps_its_new_use(monkeypatch: pytest.MonkeyPatch) -> None:
    account = make_account(make_workspace())
    write(account, L.ACCEPTED, NOW, None)
    old = write(account, L.VOID, NOW - timedelta(days=200), M.REFUSED)
    new = write(account, L.RESERVED, NOW, None)
    message = Message.objects.get(ledger_row=old)
    rows_of = retention._ledger

    def tried_again_meanwhile(cutoff: datetime) -> Any:
        rows = list(rows_of(cutoff))
        Message.objects.filter(pk=message.pk).update(state=M.CLAIMED, ledger_row=new)
        return LedgerRow.objects.filter(pk__in=[row.pk for row in rows])

    monkeypatch.setattr(retention, "_ledger", tried_again_meanwhile)
    assert tidy(NOW).ledger_rows == 1
    message.refresh_from_db()
    assert message.ledger_row == new
