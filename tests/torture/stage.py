"""Where a run takes place: a practice Gmail, a database for each case, and one clock for all."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.conf import settings

from accounts import connect, sealed
from accounts.models import GmailAccount, Workspace
from practice.accounts import Account, without_spaces
from practice.private_files import write_private
from tests.campaigns.making import make_account
from tests.gmail_settings import point_at
from tests.practice_gmail import PracticeGmail
from tests.torture import reading, working
from tests.torture.broker import Broker
from tests.torture.checker import Expected, Verdict, judge
from tests.torture.children import Child
from tests.torture.clock import Clock
from tests.torture.databases import Databases
from tests.torture.disk import Disk

START = datetime(2027, 3, 1, 9, tzinfo=UTC)
PASSWORD = "abcd efgh ijkl mnop"
GENEROUS = 100_000
# No session with Gmail outlives this, whether its client is awake or not.
SESSIONS_LIVE = timedelta(minutes=25)


class Stage:
    """Made once for a run; `fresh` empties it for the next case."""

    def __init__(
        self, folder: Path, clock: Clock, databases: Databases, broker: Broker, mailboxes: int
    ) -> None:
        self.clock = clock
        self.databases = databases
        self.broker = broker
        self.log = folder / "log"
        addresses = [f"torture{number}@gmail.com" for number in range(mailboxes)]
        # Each is used for one case, so that its limit and its ledger begin with nothing.
        self._unused = iter(addresses)
        self.in_use: list[str] = []
        self.kills = 0
        self.disk = Disk()
        self._folder = folder
        self._case = 0
        self._since_sessions_ended = timedelta()
        _add_accounts(folder / "gmail", addresses)
        self.gmail = PracticeGmail(folder / "gmail", limit=GENEROUS)

    @contextmanager
    def open(self) -> Iterator["Stage"]:
        with self.gmail:
            point_at(self.gmail, settings)
            self.gmail.control(sent_delay=0)
            yield self

    def fresh(self, start: datetime = START) -> None:
        """An empty database, `start` on all clocks, and a practice Gmail without faults."""
        self.databases.fresh()
        self._case += 1
        # What lies beside the database belongs to it.
        settings.DATA_DIR = self._folder / f"data-{self._case}"
        settings.DATA_DIR.mkdir()
        self.disk.empty()
        self.broker.start()
        self.in_use = []
        self.log.write_text("")
        self.clock.start_at(start)
        self.gmail.control(faults=[], limit=GENEROUS, clock_offset=self.clock.elapsed)

    def account(self, workspace: Workspace, limit: int, **fields: object) -> GmailAccount:
        address = next(self._unused)
        self.in_use.append(address)
        # By its key it is known again when a person connects it anew.
        given = {
            "inbound": GmailAccount.Inbound.IMAP,
            "mailbox_key": connect.mailbox_key(address, practice=True),
        }
        account = make_account(workspace, address=address, limit=limit, **given | fields)
        account.sealed_secret = sealed.ACCOUNT_SECRET.seal(account, "".join(PASSWORD.split()))
        account.save(update_fields=["sealed_secret"])
        return account

    def advance(self, time_passed: timedelta) -> None:
        """Ours first, so that Gmail never accepts what is later than our own clock."""
        self.clock.advance(time_passed)
        self._since_sessions_ended += time_passed
        if self._since_sessions_ended > SESSIONS_LIVE:
            self._since_sessions_ended = timedelta()
            # At once: what Gmail is at is accepted before its clock goes on.
            self.gmail.control(end_sessions="smtp", clock_offset=self.clock.elapsed)
        else:
            self.gmail.control(clock_offset=self.clock.elapsed)

    def child(self, name: str, work: Callable[[], object]) -> Child:
        return Child(name, work, self.log)

    def judge(self, expected: Expected, doubted: set[int]) -> Verdict:
        return judge(
            reading.accepted(self.gmail, self.in_use),
            reading.refused(self.gmail, self.in_use),
            reading.ours(copies_are_found=working.asks_sent()),
            expected,
            doubted,
        )


def _add_accounts(folder: Path, addresses: list[str]) -> None:
    """As the practice Gmail keeps them: it would write all of them anew with each that it adds."""
    password = without_spaces(PASSWORD)
    accounts = [Account(one, password, f"1{n:020}") for n, one in enumerate(addresses)]
    folder.mkdir()
    write_private(folder / "accounts.json", json.dumps([asdict(each) for each in accounts]))
