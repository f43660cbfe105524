"""Opens sessions with Gmail for an account: the one door for all who send or read its mail.

Only what tries a log-in out goes past it, since no mail is meant: connecting, which has no account
yet, and the doctor, which tries every port and tells `refused_to_send` what came of the account's
own.
"""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import TypedDict, TypeVar, cast

from django.views.decorators.debug import sensitive_variables

from accounts import explain, sealed, standing, tokens
from accounts.endpoints import endpoints_for
from accounts.models import GmailAccount
from gmail.errors import AuthRefused, GrantRevoked
from gmail.imap import ImapSession
from gmail.pop import PopSession
from gmail.replies import LoginRefusal
from gmail.smtp import SmtpSession
from gmail.smtp_line import Security

Session = TypeVar("Session", SmtpSession, ImapSession, PopSession)


class Secret(TypedDict, total=False):
    """One of the two."""

    access_token: str
    app_password: str


# Opens a session for an account by its secret.
Opener = Callable[[GmailAccount, Secret], Session]


@sensitive_variables()
def open_smtp(account: GmailAccount, now: datetime) -> SmtpSession:
    """A logged-in session for sending. See `_open` for what goes wrong; ConnectionLost may, too.

    After AuthRefused the account needs reconnecting.
    """
    row = _row(account)
    try:
        return _open(row, now, _smtp)
    except AuthRefused as error:
        refused_to_send(row, error, now)
        raise


def open_imap(account: GmailAccount, now: datetime, timeout: float = 60) -> ImapSession:
    """A logged-in session for reading, with `timeout` seconds for each wait on the network.

    See `_open` for what goes wrong.
    """
    return _open(_row(account), now, partial(_imap, timeout=timeout))


def open_pop(account: GmailAccount, now: datetime) -> PopSession:
    """The same by POP: the mail of the last 30 days, whoever else has fetched it."""
    return _open(_row(account), now, _pop)


def refused_to_send(row: GmailAccount, error: AuthRefused, now: datetime) -> None:
    """Gmail does not let us send with the secret in `row`, as it was read: the account waits.

    Of a refused reader nothing of the kind follows. A mailbox that cannot be read can still send,
    and what IMAP or POP refuses is not always the secret.
    """
    reason = explain.login_refused(error.why, row.auth)
    standing.needs_reconnecting(row.pk, reason, now, row.sealed_secret)


def _row(account: GmailAccount) -> GmailAccount:
    """As it is now: the caller may have held it for long."""
    return GmailAccount.objects.select_related("workspace").get(pk=account.pk)


@sensitive_variables()
def _open(row: GmailAccount, now: datetime, opener: Opener[Session]) -> Session:
    """Not to be called inside a transaction: it waits for the network.

    Raises AuthRefused, or GrantRevoked, after which the account needs reconnecting; Temporary,
    Unreachable or ClientRefused, which may pass; VaultError when the keys do not fit the database.
    """
    if not row.sealed_secret:
        raise GrantRevoked("The account is disconnected.")
    if row.auth == GmailAccount.Auth.OAUTH:
        return _open_by_token(row, now, opener)
    return opener(row, {"app_password": sealed.ACCOUNT_SECRET.open(row)})


@sensitive_variables()
def _open_by_token(row: GmailAccount, now: datetime, opener: Opener[Session]) -> Session:
    """A refused token may only have aged faster than it should: once more with a fresh one."""
    token = tokens.access_token(row, now)
    try:
        return opener(row, {"access_token": token})
    except AuthRefused as error:
        if error.why is LoginRefusal.SWITCHED_OFF:
            raise
        tokens.discard(row, token)
    return opener(row, {"access_token": tokens.access_token(row, now)})


@sensitive_variables()
def _smtp(row: GmailAccount, secret: Secret) -> SmtpSession:
    security = cast(Security, row.smtp_security)
    return SmtpSession.open(endpoints_for(row), security=security, address=row.address, **secret)


@sensitive_variables()
def _imap(row: GmailAccount, secret: Secret, timeout: float) -> ImapSession:
    return ImapSession.open(endpoints_for(row), address=row.address, timeout=timeout, **secret)


@sensitive_variables()
def _pop(row: GmailAccount, secret: Secret) -> PopSession:
    return PopSession.open(endpoints_for(row), address=row.address, recent=True, **secret)
