"""Mail as it is filed in a folder, some hundred at a time: when it came, what its header says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from gmail.imap import ImapSession
from gmail.sent_header import FIELDS, SentHeader

BATCH = 200


@dataclass(frozen=True)
class Filed:
    """`received` is when the server took it, by its own clock."""

    uid: int
    received: datetime
    header: SentHeader


def in_batches(session: ImapSession, uids: Sequence[int]) -> Iterator[tuple[int, list[Filed]]]:
    """Of the folder that is open: up to which of `uids` it was read, and what is there of these."""
    for start in range(0, len(uids), BATCH):
        some = uids[start : start + BATCH]
        dated = session.dated(some, FIELDS)
        mails = [
            Filed(uid, one.received, SentHeader.read(one.header)) for uid, one in dated.items()
        ]
        yield some[-1], mails
