"""Mail on its way: the copy for Sent, mail to accounts of ours, and what comes back.

Everything is written down when a message is accepted and carried out when its time has come by the
practice clock, so neither a restart nor a shifted clock loses any of it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import Message

from twisted.logger import Logger

from practice.accounts import Account, Accounts
from practice.answers import Answer, answer_of
from practice.clock import Clock
from practice.folders import ALL, INBOX, OUTSIDE_ALL, SENT, TRASH, Folder, Folders
from practice.ledger import Accepted
from practice.mailbox import Mailbox, header_of, message_ids, new_id
from practice.settings import Settings

SCHEMA = """
CREATE TABLE IF NOT EXISTS coming (
    id INTEGER PRIMARY KEY,
    due REAL NOT NULL,
    kind TEXT NOT NULL,
    accepted TEXT NOT NULL,
    account TEXT NOT NULL,
    address TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS coming_by_due ON coming (due);
CREATE TABLE IF NOT EXISTS expected (accepted TEXT PRIMARY KEY) WITHOUT ROWID;
"""

log = Logger()

# Who is told that mail has come: they get the address of the account.
Listener = Callable[[str], None]


@dataclass(frozen=True)
class Coming:
    """One thing that will happen: ``due`` in seconds since 1970 by the practice clock.

    ``kind`` is "sent", "inbox" or "answer"; ``account`` is whose mailbox it changes or who sent
    the message that is answered, ``address`` the recipient as it was written.
    """

    due: float
    kind: str
    accepted: str
    account: str
    address: str


class Post:
    """Carries mail between the accounts. Call ``deliver`` before anybody looks."""

    def __init__(
        self,
        folders: Folders,
        mailbox: Mailbox,
        accounts: Accounts,
        settings: Settings,
        clock: Clock,
    ) -> None:
        self._folders = folders
        self._mailbox = mailbox
        self._accounts = accounts
        self._settings = settings
        self._clock = clock
        self._connection = folders.connection
        self._connection.executescript(SCHEMA)
        self._next_due = self._earliest()
        self.listeners: set[Listener] = set()

    def expect(self, accepted: Accepted) -> None:
        """Write down what an accepted message will lead to; once, however often it is called."""
        with self._folders.transaction():
            new = self._connection.execute(
                "INSERT OR IGNORE INTO expected VALUES (?)", (accepted.id,)
            ).rowcount
            if new:
                self._expect_all(accepted)
        self._next_due = self._earliest()

    def knows(self, accepted: str) -> bool:
        row = self._connection.execute(
            "SELECT 1 FROM expected WHERE accepted = ?", (accepted,)
        ).fetchone()
        return row is not None

    def deliver(self) -> None:
        """Carry out everything that is due by now."""
        now = self._clock.now().timestamp()
        if self._next_due is None or now < self._next_due:
            return
        rows = self._connection.execute(
            "SELECT due, kind, accepted, account, address FROM coming WHERE due <= ? "
            "ORDER BY due, id",
            (now,),
        ).fetchall()
        touched = set()
        with self._folders.transaction():
            for coming in (Coming(*row) for row in rows):
                touched.add(self._try(coming))
            self._connection.execute("DELETE FROM coming WHERE due <= ?", (now,))
        self._next_due = self._earliest()
        for listener in list(self.listeners):
            for account in touched - {""}:
                listener(account)

    def append(self, folder: Folder, content: bytes, flags: list[str]) -> None:
        """Take in what a client puts into a folder; under a known Message-ID it is only labelled.

        Raises OSError when it cannot be written.
        """
        header = header_of(content)
        message_id = message_ids(header, "Message-ID")[0]
        account = folder.account
        known = self._folders.message_with(account, message_id) if message_id else None
        with self._folders.transaction():
            if known is None:
                id = new_id("ap")
                self._mailbox.keep(id, content)
                message = self._add(account, id, content, header, self._clock.now(), flags)
            else:
                message = known[0]
            everywhere = () if folder.role in OUTSIDE_ALL else (ALL,)
            self._folders.put(message, account, folder.role, *everywhere)

    def _expect_all(self, accepted: Accepted) -> None:
        at = accepted.at.timestamp()
        sent = at + self._settings.sent_delay
        answer = at + self._settings.answer_delay
        self._expect(Coming(sent, "sent", accepted.id, accepted.account, ""))
        for address in accepted.to.split(", "):
            if owner := self._owner_of(address):
                self._expect(Coming(answer, "inbox", accepted.id, owner.email, address))
            else:
                self._expect(Coming(answer, "answer", accepted.id, accepted.account, address))

    def _owner_of(self, address: str) -> Account | None:
        """Whose inbox mail to this address reaches, by its own name or an alias of it."""
        if owner := self._accounts.owner_of(address):
            return owner
        return next(
            (each for each in self._accounts if self._settings.of(each.email).may_be_from(address)),
            None,
        )

    def _expect(self, coming: Coming) -> None:
        self._connection.execute(
            "INSERT INTO coming (due, kind, accepted, account, address) VALUES (?, ?, ?, ?, ?)",
            (coming.due, coming.kind, coming.accepted, coming.account, coming.address),
        )

    def _earliest(self) -> float | None:
        row = self._connection.execute("SELECT min(due) FROM coming").fetchone()
        return None if row[0] is None else float(row[0])

    def _try(self, coming: Coming) -> str:
        try:
            return self._carry_out(coming)
        except Exception:  # noqa: BLE001 - one message that cannot be read must not stop the post
            log.failure("A message could not be delivered")
            return ""

    def _carry_out(self, coming: Coming) -> str:
        """Do it; the account whose folders changed, or an empty string."""
        try:
            content = self._mailbox.source(coming.accepted)
        except FileNotFoundError:
            # Somebody took the file away, and with it everything that would have come of it.
            return ""
        at = datetime.fromtimestamp(coming.due, UTC)
        if coming.kind == "sent":
            self._file_sent(coming, content, at)
            return coming.account
        if coming.kind == "inbox":
            self._receive(coming.account, coming.accepted, content, coming.address, at)
            return coming.account
        answer = answer_of(coming.address, coming.account, content, at)
        return self._return(answer, at) if answer else ""

    def _file_sent(self, coming: Coming, content: bytes, at: datetime) -> None:
        """Gmail files one copy for a Message-ID, and none when it lies in Trash already."""
        header = header_of(content)
        known = self._folders.message_with(coming.account, message_ids(header, "Message-ID")[0])
        if known is None:
            message = self._add(coming.account, coming.accepted, content, header, at, ["\\Seen"])
            self._folders.put(message, coming.account, ALL, SENT)
        elif TRASH not in self._folders.labels(known[0]):
            self._folders.put(known[0], coming.account, SENT)

    def _receive(self, account: str, file: str, content: bytes, address: str, at: datetime) -> None:
        """Into the inbox, unread; mail to oneself is the message that also lies in Sent."""
        header = header_of(content)
        known = self._folders.message_with(account, message_ids(header, "Message-ID")[0])
        if known is None:
            delivered = b"Delivered-To: " + address.encode() + b"\r\n" + content
            id = new_id("in")
            self._mailbox.keep(id, delivered)
            message = self._add(account, id, delivered, header, at, [])
            self._folders.put(message, account, ALL, INBOX)
        elif known[1] == file:
            self._folders.mark_unread(known[0])
            self._folders.put(known[0], account, INBOX)

    def _return(self, answer: Answer, at: datetime) -> str:
        owner = self._owner_of(answer.to)
        if owner is None:
            return ""
        self._receive(owner.email, "", answer.content, answer.to, at)
        return owner.email

    def _add(
        self,
        account: str,
        file: str,
        content: bytes,
        header: Message,
        at: datetime,
        flags: list[str],
    ) -> int:
        return self._folders.add(
            account,
            file=file,
            message_id=message_ids(header, "Message-ID")[0],
            answers=[
                *message_ids(header, "References"),
                *message_ids(header, "In-Reply-To"),
            ],
            received=at,
            size=len(content),
            flags=flags,
        )
