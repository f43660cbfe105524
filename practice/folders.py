"""Which message lies in which folder, under which UID and with which flags.

One SQLite file for all accounts, an index over the message files of ``practice.mailbox``. As with
Gmail a folder is a label: a message exists once and may lie in several folders, and its flags are
the same in all of them. UIDs rise, are never given twice and outlive a restart.
"""

import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

# Large as Google's own numbers are, so that nobody keeps them in 32 bits.
FIRST_GMAIL_ID = 1_800_000_000_000_000_000
CHUNK = 200

SCHEMA = """
CREATE TABLE IF NOT EXISTS folder (
    id INTEGER PRIMARY KEY,
    account TEXT NOT NULL,
    role TEXT NOT NULL,
    uid_validity INTEGER NOT NULL,
    uid_next INTEGER NOT NULL DEFAULT 1,
    UNIQUE (account, role)
);
CREATE TABLE IF NOT EXISTS message (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    account TEXT NOT NULL,
    file TEXT NOT NULL,
    message_id TEXT NOT NULL,
    thread INTEGER,
    received INTEGER NOT NULL,
    size INTEGER NOT NULL,
    flags TEXT NOT NULL,
    fetched_by_pop INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS message_by_message_id ON message (account, message_id);
CREATE INDEX IF NOT EXISTS message_by_file ON message (file);
CREATE TABLE IF NOT EXISTS place (
    folder INTEGER NOT NULL,
    uid INTEGER NOT NULL,
    message INTEGER NOT NULL,
    deleted INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (folder, uid)
) WITHOUT ROWID;
CREATE UNIQUE INDEX IF NOT EXISTS place_of_message ON place (message, folder);
"""
COLUMNS = (
    "m.id, p.uid, m.account, m.file, m.message_id, coalesce(m.thread, m.id), m.received, m.size, "
    "m.flags, p.deleted"
)


@dataclass(frozen=True)
class Role:
    """One of Gmail's own folders: its special use (RFC 6154), its name, its label."""

    key: str
    attribute: str
    name: str
    label: str


INBOX = Role("inbox", "", "INBOX", "\\Inbox")
ALL = Role("all", "\\All", "[Gmail]/All Mail", "")
SENT = Role("sent", "\\Sent", "[Gmail]/Sent Mail", "\\Sent")
DRAFTS = Role("drafts", "\\Drafts", "[Gmail]/Drafts", "\\Draft")
JUNK = Role("junk", "\\Junk", "[Gmail]/Spam", "\\Spam")
TRASH = Role("trash", "\\Trash", "[Gmail]/Trash", "\\Trash")
FLAGGED = Role("flagged", "\\Flagged", "[Gmail]/Starred", "\\Starred")
IMPORTANT = Role("important", "\\Important", "[Gmail]/Important", "\\Important")
ROLES = {role.key: role for role in (INBOX, ALL, DRAFTS, IMPORTANT, SENT, JUNK, FLAGGED, TRASH)}
OUTSIDE_ALL = (JUNK, TRASH)


@dataclass(frozen=True)
class Folder:
    id: int
    account: str
    role: Role
    uid_validity: int
    uid_next: int


@dataclass(frozen=True)
class Filed:
    """A message as it lies in one folder. ``file`` is its id in ``practice.mailbox``."""

    id: int
    uid: int
    account: str
    file: str
    message_id: str
    thread: int
    received: datetime
    size: int
    flags: tuple[str, ...]

    @property
    def gmail_id(self) -> int:
        return FIRST_GMAIL_ID + self.id

    @property
    def gmail_thread(self) -> int:
        return FIRST_GMAIL_ID + self.thread


@dataclass(frozen=True)
class Condition:
    """A part of a WHERE clause over ``place p`` and ``message m``, with its values."""

    sql: str
    values: tuple[object, ...] = ()


EVERYTHING = Condition("1")


class Folders:
    """The index. ``connection`` is one that other tables of the same file may share."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        connection.executescript(SCHEMA)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; one within another is part of the outer one."""
        if self.connection.in_transaction:
            yield
            return
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")

    def folder(self, account: str, role: Role) -> Folder:
        """The folder as it stands now; it comes into being when first asked for."""
        self.connection.execute(
            "INSERT OR IGNORE INTO folder (account, role, uid_validity) VALUES (?, ?, ?)",
            (account, role.key, int(time.time())),
        )
        row = self.connection.execute(
            "SELECT id, uid_validity, uid_next FROM folder WHERE account = ? AND role = ?",
            (account, role.key),
        ).fetchone()
        return Folder(row[0], account, role, row[1], row[2])

    def add(
        self,
        account: str,
        *,
        file: str,
        message_id: str,
        answers: Sequence[str],
        received: datetime,
        size: int,
        flags: Iterable[str] = (),
    ) -> int:
        """Take in a message that lies nowhere yet; ``answers`` are the Message-IDs it refers to."""
        return int(
            self.connection.execute(
                "INSERT INTO message (account, file, message_id, thread, received, size, flags) "
                "VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id",
                (
                    account,
                    file,
                    message_id,
                    self._thread_of(account, answers),
                    int(received.timestamp()),
                    size,
                    " ".join(flags),
                ),
            ).fetchone()[0]
        )

    def message_with(self, account: str, message_id: str) -> tuple[int, str] | None:
        """Number and file of the message that an account has under a Message-ID."""
        found = self.connection.execute(
            "SELECT id, file FROM message WHERE account = ? AND message_id = ?",
            (account, message_id),
        ).fetchone()
        return (int(found[0]), str(found[1])) if found else None

    def knows_file(self, file: str) -> bool:
        row = self.connection.execute("SELECT 1 FROM message WHERE file = ?", (file,)).fetchone()
        return row is not None

    def put(self, message: int, account: str, *roles: Role) -> None:
        """Label a message, each time under the folder's next UID; twice is once."""
        for role in roles:
            folder = self.folder(account, role)
            added = self.connection.execute(
                "INSERT OR IGNORE INTO place (folder, uid, message) VALUES (?, ?, ?)",
                (folder.id, folder.uid_next, message),
            )
            if added.rowcount:
                self.connection.execute(
                    "UPDATE folder SET uid_next = uid_next + 1 WHERE id = ?", (folder.id,)
                )

    def take(self, message: int, account: str, *roles: Role) -> None:
        """Take labels off a message."""
        for role in roles:
            self.connection.execute(
                "DELETE FROM place WHERE message = ? AND folder = ?",
                (message, self.folder(account, role).id),
            )

    def trash(self, message: int, account: str) -> None:
        self.take(message, account, *ROLES.values())
        self.put(message, account, TRASH)

    def forget(self, message: int) -> None:
        """Delete a message for good; its file stays where the ledger may still point at it."""
        self.connection.execute("DELETE FROM place WHERE message = ?", (message,))
        self.connection.execute("DELETE FROM message WHERE id = ?", (message,))

    def labels(self, message: int) -> list[Role]:
        rows = self.connection.execute(
            "SELECT f.role FROM place p JOIN folder f ON f.id = p.folder WHERE p.message = ?",
            (message,),
        )
        return [ROLES[role] for (role,) in rows]

    def uids(self, folder: Folder, *, after: int = 0) -> list[int]:
        """The UIDs of a folder in rising order."""
        rows = self.connection.execute(
            "SELECT uid FROM place WHERE folder = ? AND uid > ? ORDER BY uid", (folder.id, after)
        )
        return [uid for (uid,) in rows]

    def find(self, folder: Folder, condition: Condition) -> list[int]:
        """The UIDs of the messages that fit, in rising order."""
        return [row[0] for row in self._select("p.uid", folder, condition, "ORDER BY p.uid")]

    def count(self, folder: Folder, condition: Condition = EVERYTHING) -> int:
        return int(self._select("count(*)", folder, condition)[0][0])

    def read(self, folder: Folder, uids: Sequence[int]) -> Iterator[Filed]:
        """The messages with these UIDs, a few at a time; one that is gone is left out."""
        for start in range(0, len(uids), CHUNK):
            chunk = tuple(uids[start : start + CHUNK])
            among = Condition(f"p.uid IN ({', '.join('?' * len(chunk))})", chunk)
            rows = self._select(COLUMNS, folder, among, "ORDER BY p.uid")
            yield from (_filed(row) for row in rows)

    def newest(self, folder: Folder, *, at_most: int, skip: int = 0) -> list[Filed]:
        tail = f"ORDER BY p.uid DESC LIMIT {at_most} OFFSET {skip}"
        return [_filed(row) for row in self._select(COLUMNS, folder, EVERYTHING, tail)]

    def set_flags(self, folder: Folder, filed: Filed, flags: Iterable[str]) -> None:
        """Give a message exactly these flags; \\Deleted is the only one that stays in a folder."""
        wanted = set(flags)
        kept = " ".join(sorted(wanted - {"\\Deleted"}))
        with self.transaction():
            self.connection.execute("UPDATE message SET flags = ? WHERE id = ?", (kept, filed.id))
            self.connection.execute(
                "UPDATE place SET deleted = ? WHERE folder = ? AND message = ?",
                ("\\Deleted" in wanted, folder.id, filed.id),
            )
            change = self.put if "\\Flagged" in wanted else self.take
            change(filed.id, filed.account, FLAGGED)

    def mark_unread(self, message: int) -> None:
        self.connection.execute(
            "UPDATE message SET flags = trim(replace(' ' || flags || ' ', ' \\Seen ', ' ')) "
            "WHERE id = ?",
            (message,),
        )

    def expunge(self, folder: Folder, uids: Sequence[int]) -> None:
        """What Gmail does by default: the label goes, the message stays in All Mail.

        From Spam and Trash a message goes for good; All Mail lets none go.
        """
        if folder.role is ALL:
            return
        with self.transaction():
            for filed in self.read(folder, uids):
                if folder.role in OUTSIDE_ALL:
                    self.forget(filed.id)
                else:
                    self.take(filed.id, filed.account, folder.role)

    def note_fetched_by_pop(self, messages: Iterable[int]) -> None:
        self.connection.executemany(
            "UPDATE message SET fetched_by_pop = 1 WHERE id = ?", [(each,) for each in messages]
        )

    def _select(
        self, columns: str, folder: Folder, condition: Condition, tail: str = ""
    ) -> list[Any]:
        # Only values come from outside, and those are bound; the words are all written here.
        return self.connection.execute(
            f"SELECT {columns} FROM place p JOIN message m ON m.id = p.message "  # noqa: S608
            f"WHERE p.folder = ? AND ({condition.sql}) {tail}",
            (folder.id, *condition.values),
        ).fetchall()

    def _thread_of(self, account: str, answers: Sequence[str]) -> int | None:
        """The thread of the newest message that is referred to; None begins a thread."""
        for message_id in reversed(answers):
            row = self.connection.execute(
                "SELECT coalesce(thread, id) FROM message WHERE account = ? AND message_id = ?",
                (account, message_id),
            ).fetchone()
            if row:
                return int(row[0])
        return None


def open_index(path: Path) -> sqlite3.Connection:
    """The file behind the folders, mode 0600. A crash of the process loses nothing of it."""
    path.touch(mode=0o600)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    return connection


def _filed(row: tuple[int, int, str, str, str, int, int, int, str, int]) -> Filed:
    id, uid, account, file, message_id, thread, received, size, flags, deleted = row
    return Filed(
        id=id,
        uid=uid,
        account=account,
        file=file,
        message_id=message_id,
        thread=thread,
        received=datetime.fromtimestamp(received, UTC),
        size=size,
        flags=(*flags.split(), *(("\\Deleted",) if deleted else ())),
    )
