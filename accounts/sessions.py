"""Opens sessions with Gmail for an account: the only door to `gmail` for whoever sends or reads."""

from collections.abc import Callable
from datetime import datetime
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


def open_smtp(account: GmailAccount, now: datetime) -> SmtpSession:
    """A logged-in session for sending. See `_open` for what goes wrong; ConnectionLost may, too."""
    return _open(account, now, _smtp)


def open_imap(account: GmailAccount, now: datetime) -> ImapSession:
    """A logged-in session for reading. See `_open` for what goes wrong."""
    return _open(account, now, _imap)


def open_pop(account: GmailAccount, now: datetime) -> PopSession:
    """A logged-in session for reading. See `_open` for what goes wrong."""
    return _open(account, now, _pop)


@sensitive_variables()
def _open(account: GmailAccount, now: datetime, opener: Opener[Session]) -> Session:
    """Not to be called inside a transaction: it waits for the network.

    Raises AuthRefused or GrantRevoked, and the account then needs reconnecting, unless only this
    one protocol is switched off for it: a mailbox that cannot be read can still send. Raises
    Temporary, Unreachable or ClientRefused, which may pass; VaultError when the keys do not fit
    the database.
    """
    row = GmailAccount.objects.select_related("workspace").get(pk=account.pk)
    if not row.sealed_secret:
        raise GrantRevoked("The account is disconnected.")
    try:
        if row.auth == GmailAccount.Auth.OAUTH:
            return _open_by_token(row, now, opener)
        return opener(row, {"app_password": sealed.ACCOUNT_SECRET.open(row)})
    except AuthRefused as error:
        if error.why is not LoginRefusal.SWITCHED_OFF:
            reason = explain.login_refused(error.why, row.auth)
            standing.needs_reconnecting(row.pk, reason, now, row.sealed_secret)
        raise


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
def _imap(row: GmailAccount, secret: Secret) -> ImapSession:
    return ImapSession.open(endpoints_for(row), address=row.address, **secret)


@sensitive_variables()
def _pop(row: GmailAccount, secret: Secret) -> PopSession:
    return PopSession.open(endpoints_for(row), address=row.address, **secret)
