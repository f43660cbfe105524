"""What the protocols share: one practice Gmail with its accounts, tokens, clock, limit and mail."""

import json
import secrets
import sqlite3
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from practice.accounts import DEFAULT_ACCOUNTS, Account, Accounts
from practice.clock import Clock
from practice.faults import Faults
from practice.filing import Envelope, file_message
from practice.folders import Folders, open_index
from practice.ledger import Accepted, Ledger, Refused, RefusedList
from practice.mailbox import Mailbox
from practice.oauth import AuthorizationServer, ensure_client
from practice.post import Post
from practice.private_files import read_json, write_private
from practice.sessions import Sessions
from practice.settings import Settings

DEFAULT_LIMIT = 500


class LimitExceeded(Exception):
    """The account has used up what it may send within 24 hours."""


@dataclass(frozen=True)
class NamedAccount:
    """An account as given on the command line; without an app password it keeps or gets one."""

    email: str
    app_password: str | None = None


class Service:
    """Everything that one data directory holds. Raises FileDamaged for one that is broken.

    ``limit`` is in recipients within any 24 hours; None is the one of last time, or 500.
    """

    def __init__(
        self,
        directory: Path,
        *,
        accounts: list[NamedAccount],
        limit: int | None = None,
        sent_name: str = "[Gmail]/Sent Mail",
    ) -> None:
        self._state_path = directory / "state.json"
        state = read_json(self._state_path, missing={})
        self.clock = Clock(state.get("clock_offset", 0.0))
        self.limit = state.get("limit", DEFAULT_LIMIT) if limit is None else limit
        self.sent_name = sent_name
        self.faults = Faults()
        self.accounts = Accounts(directory / "accounts.json")
        for named in accounts:
            self.accounts.add(named.email, named.app_password)
        if not self.accounts:
            for email in DEFAULT_ACCOUNTS:
                self.accounts.add(email)
        client = ensure_client(directory / "client.json")
        self.oauth = AuthorizationServer(directory / "oauth.json", client, self.clock)
        self.ledger = Ledger(directory / "ledger.jsonl")
        self.refused = RefusedList(directory / "refused.jsonl")
        self.mailbox = Mailbox(directory / "mail")
        self.settings = Settings(state.get("settings", {}))
        self.sessions = Sessions()
        index = open_index(directory / "folders.sqlite3")
        index.create_function("has_header", 3, self.mailbox.has_header)
        index.create_function("has_text", 3, self.mailbox.has_text)
        self.folders = Folders(index)
        self.post = Post(self.folders, self.mailbox, self.accounts, self.settings, self.clock)
        self._expect_what_was_missed()
        self.keep_state()

    def keep_state(self) -> None:
        """Write clock, limit and settings, so that a restart goes on with them."""
        state = {
            "clock_offset": self.clock.offset,
            "limit": self.limit,
            "settings": self.settings.as_json(),
        }
        write_private(self._state_path, json.dumps(state))

    def close(self) -> None:
        """Nothing may be asked of it afterwards."""
        self.folders.connection.close()

    def used(self, account: Account) -> int:
        """Recipients of the last 24 hours by the practice clock."""
        return self.ledger.used(account.email, self.clock.now())

    def accept(
        self, account: Account, recipients: tuple[str, ...], content: bytes, helo: str
    ) -> Accepted:
        """Take a message for good: when this returns, disk and ledger have it.

        Raises LimitExceeded when it would pass the limit, OSError when it cannot be written.
        """
        now = self.clock.now()
        if self.ledger.used(account.email, now) + len(recipients) > self.limit:
            raise LimitExceeded(account.email)
        id = f"{secrets.token_hex(8)}sm{len(self.ledger.messages) + 1}"
        envelope = Envelope(id, account.email, recipients, helo, now)
        may_be_from = self.settings.of(account.email).may_be_from
        message_id, filed = file_message(content, envelope, may_be_from)
        self.mailbox.keep(id, filed)
        accepted = Accepted(
            at=now,
            account=account.email,
            recipients=len(recipients),
            message_id=message_id,
            to=", ".join(recipients),
            id=id,
        )
        try:
            with self.folders.transaction():
                self.post.expect(accepted)
                self.ledger.record(accepted)
        except sqlite3.Error as err:
            raise OSError("The folders could not be written.") from err
        return accepted

    def refuse(self, account: Account, recipients: tuple[str, ...], reply: str) -> None:
        """Note a refused sender, recipient or message, with the reply that went out."""
        at: datetime = self.clock.now()
        self.refused.record(Refused(at, account.email, ", ".join(recipients), reply))

    def _expect_what_was_missed(self) -> None:
        """The ledger is the truth: what it has must come to its folders, whatever happened."""
        with self.folders.transaction():
            for accepted in self.ledger.messages.values():
                if not self.post.knows(accepted.id):
                    self.post.expect(accepted)
