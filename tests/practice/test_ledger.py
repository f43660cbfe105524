"""The ledger by itself: its window against plain counting, its file against a full disk."""

import errno
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from practice.ledger import Accepted, Journal, Ledger

START = datetime(2026, 11, 23, tzinfo=UTC)
DAY = timedelta(hours=24)
SECONDS = st.integers(min_value=0, max_value=4 * 86_400)


def accepted(at: datetime, recipients: int = 1, account: str = "ana@gmail.com") -> Accepted:
    return Accepted(at, account, recipients, "<a@b>", "ben@example.org", at.isoformat())


@given(
    taken=st.lists(st.tuples(SECONDS, st.integers(min_value=1, max_value=100)), max_size=30),
    now=SECONDS,
)
def test_it_counts_what_is_younger_than_24_hours(
    tmp_path_factory: pytest.TempPathFactory, taken: list[tuple[int, int]], now: int
) -> None:
    ledger = Ledger(tmp_path_factory.mktemp("ledger") / "ledger.jsonl")
    for seconds, recipients in taken:
        ledger.record(accepted(START + timedelta(seconds=seconds), recipients))
    moment = START + timedelta(seconds=now)
    expected = sum(
        recipients
        for seconds, recipients in taken
        if moment - (START + timedelta(seconds=seconds)) < DAY
    )
    assert ledger.used("ana@gmail.com", moment) == expected
    assert ledger.used("ben@gmail.com", moment) == 0


def test_it_reads_back_what_it_wrote(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    row = accepted(START + timedelta(microseconds=1), 3)
    Ledger(path).record(row)
    again = Ledger(path)
    assert list(again.messages.values()) == [row]
    assert again.used("ana@gmail.com", START + DAY) == 3
    assert again.used("ana@gmail.com", START + DAY + timedelta(microseconds=1)) == 0


def test_it_keeps_nothing_of_a_row_that_did_not_fit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "ledger.jsonl"
    ledger = Ledger(path)
    ledger.record(accepted(START))
    whole = path.read_bytes()
    real_write = os.write

    def half(file: int, data: bytes) -> int:
        return real_write(file, data[: len(data) // 2])

    def full(file: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    for broken in (half, full):
        monkeypatch.setattr(os, "write", broken)
        with pytest.raises(OSError):
            ledger.record(accepted(START + timedelta(seconds=1)))
        monkeypatch.setattr(os, "write", real_write)
        assert path.read_bytes() == whole
        assert ledger.used("ana@gmail.com", START) == 1


def test_it_syncs_each_row_before_it_returns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "ledger.jsonl"
    journal = Journal(path)
    synced: list[bytes] = []
    real_fsync = os.fsync

    def fsync(file: int) -> None:
        real_fsync(file)
        synced.append(path.read_bytes())

    monkeypatch.setattr(os, "fsync", fsync)
    journal.append({"at": START, "to": "ben@example.org"})
    assert synced == [path.read_bytes()]
    assert synced[0].endswith(b'"to": "ben@example.org"}\n')
