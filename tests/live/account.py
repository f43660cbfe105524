"""The account that is looked at: our own sessions with it, and messages that can be told apart."""

import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import Message
from email.parser import BytesHeaderParser
from email.policy import default
from email.utils import format_datetime
from functools import cached_property
from typing import Any

from gmail import oauth
from gmail.imap import ImapSession
from gmail.pop import PopSession
from gmail.replies import Reply
from gmail.smtp import SmtpSession
from tests.live.settings import Login, Settings

# An access token lasts an hour.
_RENEW_AFTER = 30 * 60
MARK = "X-Daypost-Live"
# A domain that nobody has (RFC 2606): ids of another domain than the account's.
ID_DOMAIN = "daypost.example"


@dataclass(frozen=True)
class Probe:
    """A message of ours, known by the `mark` in its header whatever becomes of its Message-ID."""

    mark: str
    content: bytes
    message_id: str


@dataclass(frozen=True)
class Accepted:
    """`at` is the monotonic second, `wall` the moment, at which Gmail's answer came."""

    probe: Probe
    reply: Reply
    at: float
    wall: datetime


@dataclass(frozen=True)
class Copy:
    """A message found in a folder: its header, and the seconds since it was accepted."""

    uid: int
    header: Message
    seconds: float


class Account:
    """One mailbox. Sessions are kept, so that few logins are needed.

    `second` is another mailbox, to which a copy goes a longer way.
    """

    def __init__(self, settings: Settings, login: Login, second: "Account | None" = None) -> None:
        self.settings = settings
        self.endpoints = settings.endpoints
        self.address = login.address
        self.second = second
        self._login = login
        self._token = ""
        self._token_at = 0.0
        self._smtp: SmtpSession | None = None
        self._imap: ImapSession | None = None
        self.smtp_logins = 0

    # --- Sessions ------------------------------------------------------------------------------

    def secret(self) -> dict[str, Any]:
        """What a session is opened with."""
        if not self._login.refresh_token:
            return {"address": self.address, "app_password": self._login.app_password}
        if not self._token or time.monotonic() - self._token_at > _RENEW_AFTER:
            self._token = oauth.refresh(self.endpoints, self._login.refresh_token).token
            self._token_at = time.monotonic()
        return {"address": self.address, "access_token": self._token}

    def smtp(self) -> SmtpSession:
        """The session at hand, or a new one."""
        if self._smtp is None or not self._smtp.alive:
            self._smtp = SmtpSession.open(self.endpoints, security="ssl", **self.secret())
            self.smtp_logins += 1
        return self._smtp

    def imap(self) -> ImapSession:
        """The session at hand, or a new one."""
        if self._imap is None or not self._imap.alive:
            self._imap = ImapSession.open(self.endpoints, **self.secret())
        return self._imap

    def pop(self, *, recent: bool = False) -> PopSession:
        """A new session: what POP shows is settled at its beginning."""
        return PopSession.open(self.endpoints, recent=recent, **self.secret())

    def close(self) -> None:
        for session in (self._smtp, self._imap):
            if session is not None:
                session.close()
        if self.second is not None:
            self.second.close()

    # --- Sending and finding -------------------------------------------------------------------

    def compose(self, subject: str, **header: str) -> Probe:
        """A small message to oneself. `header` replaces fields, with _ for - in their names."""
        mark = secrets.token_hex(8)
        fields = {
            "From": self.address,
            "To": self.address,
            "Subject": f"Daypost looks: {subject}",
            "Date": format_datetime(datetime.now(UTC)),
            "Message-ID": f"<{mark}@{ID_DOMAIN}>",
            MARK: mark,
            **{name.replace("_", "-"): value for name, value in header.items()},
        }
        lines = [f"{name}: {value}\r\n" for name, value in fields.items()]
        text = "Daypost sent this to see what becomes of it. It can be deleted.\r\n"
        return Probe(mark, "".join([*lines, "\r\n", text]).encode(), fields["Message-ID"])

    def send(self, probe: Probe, *, sender: str = "", to: str = "") -> Accepted:
        """Raises Refused, ConnectionLost or FateUnknown as the session does."""
        session = self.smtp()
        session.begin(sender or self.address, to or self.address)
        session.body(probe.content)
        reply = session.finish()
        return Accepted(probe, reply, time.monotonic(), datetime.now(UTC))

    @cached_property
    def example(self) -> Accepted:
        """One ordinary message of a campaign to oneself, for every fact that needs no other."""
        return self.send(
            self.compose(
                "an ordinary message",
                List_Unsubscribe=f"<https://{ID_DOMAIN}/u/x>, <mailto:u@{ID_DOMAIN}>",
                List_Unsubscribe_Post="List-Unsubscribe=One-Click",
            )
        )

    @cached_property
    def sent_folder(self) -> str | None:
        return self.imap().folders().sent

    def copies(self, probe: Probe, folder: str) -> list[tuple[int, Message]]:
        """The copies of `probe` that `folder` shows now, among its latest messages."""
        imap = self.imap()
        newest = imap.examine(folder).uid_next - 1
        headers = imap.headers(imap.uids_after(max(0, newest - 100)))
        parsed = {
            uid: BytesHeaderParser(policy=default).parsebytes(header)
            for uid, header in headers.items()
        }
        return [(uid, header) for uid, header in parsed.items() if header[MARK] == probe.mark]

    def wait_for(self, accepted: Accepted, folder: str) -> Copy | None:
        """The first copy in `folder`, as soon as it is there; None when patience is at its end."""
        deadline = time.monotonic() + self.settings.patience
        while True:
            for uid, header in self.copies(accepted.probe, folder):
                return Copy(uid, header, time.monotonic() - accepted.at)
            if time.monotonic() > deadline:
                return None
            self.wait_a_moment()

    def wait_a_moment(self) -> None:
        """Between two looks: a second, or less for the impatient."""
        time.sleep(min(1.0, self.settings.patience / 50))
