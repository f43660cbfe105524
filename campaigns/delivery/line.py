"""The line to Gmail of one burst: one session as long as it lasts, and few log-ins.

Gmail may end a session at any moment, as when its token comes to its end. That is no trouble: a
new session carries on with the same message. Only a session that fails before it has served
anything is a reason to leave the account alone for a while.
"""

from django.utils import timezone

from accounts import sessions
from accounts.models import GmailAccount
from gmail.errors import ConnectionLost, GmailError, Refused
from gmail.replies import Reply
from gmail.smtp import SmtpSession

# Gmail counts log-ins (454 4.7.0), and nobody knows how many messages it lets a session carry. So
# a burst may log in a few times, and once more for so many messages: one of 100 takes 6 at most.
FREE_LOGINS = 3
MESSAGES_A_LOGIN = 30


class LoginsSpent(GmailError):
    """Gmail ends session after session: logging in yet again would only be counted."""


class Line:
    """Carries one message after another for `account`: `give`, then `finish`."""

    def __init__(self, account: GmailAccount) -> None:
        self._account = account
        self._session: SmtpSession | None = None
        self._logins = 0
        # Messages that Gmail answered, over the session at hand and over all of them.
        self._served = 0
        self._served_in_all = 0

    def give(self, sender: str, recipient: str, raw: bytes) -> None:
        """The whole message but for its end. Nothing is accepted by that.

        Raises Refused; AuthRefused or GrantRevoked, and the account needs reconnecting; any other
        GmailError, or VaultError, when there is no line to Gmail now.
        """
        try:
            self._give(sender, recipient, raw)
        except ConnectionLost:
            if not self.may_replace:
                raise
            self.drop()
            self._give(sender, recipient, raw)

    def finish(self) -> Reply:
        """End the message that was given, and return Gmail's answer.

        Raises FateUnknown, and ConnectionLost when it was certainly not accepted.
        """
        if self._session is None:
            raise RuntimeError("No message was given that could be ended.")
        reply = self._session.finish()
        self._count_served()
        return reply

    @property
    def may_replace(self) -> bool:
        """Whether a session that ended just now may be followed by another one at once."""
        return self._served > 0 and self._may_log_in

    def close(self) -> None:
        """Say goodbye and hang up."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def drop(self) -> None:
        """Hang up without a word: in the middle of a message it would become a part of it."""
        if self._session is not None:
            self._session.abandon()
            self._session = None

    def _give(self, sender: str, recipient: str, raw: bytes) -> None:
        session = self._living_session()
        try:
            session.begin(sender, recipient)
        except Refused:
            self._count_served()
            raise
        session.body(raw)

    def _living_session(self) -> SmtpSession:
        if self._session is None or not self._session.alive:
            if not self._may_log_in:
                raise LoginsSpent("Gmail ends session after session.")
            self._session = None
            self._served = 0
            self._logins += 1
            self._session = sessions.open_smtp(self._account, timezone.now())
        return self._session

    @property
    def _may_log_in(self) -> bool:
        return self._logins < FREE_LOGINS + self._served_in_all // MESSAGES_A_LOGIN

    def _count_served(self) -> None:
        self._served += 1
        self._served_in_all += 1
