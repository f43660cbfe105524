"""Opens sessions with Gmail for an account: the only door to `gmail` for whoever sends or reads."""

from datetime import datetime
from typing import cast

from django.views.decorators.debug import sensitive_variables

from accounts import explain, sealed, standing, tokens
from accounts.endpoints import endpoints_for
from accounts.models import GmailAccount
from gmail.errors import AuthRefused, GrantRevoked
from gmail.smtp import SmtpSession
from gmail.smtp_line import Security


@sensitive_variables()
def open_smtp(account: GmailAccount, now: datetime) -> SmtpSession:
    """A logged-in SMTP session. Not to be called inside a transaction: it waits for the network.

    Raises AuthRefused or GrantRevoked, and the account then needs reconnecting; Temporary,
    Unreachable, ConnectionLost or ClientRefused, which may pass; VaultError when the keys do not
    fit the database.
    """
    row = GmailAccount.objects.select_related("workspace").get(pk=account.pk)
    if not row.sealed_secret:
        raise GrantRevoked("The account is disconnected.")
    try:
        if row.auth == GmailAccount.Auth.OAUTH:
            return _open_by_token(row, now)
        return _open(row, app_password=sealed.ACCOUNT_SECRET.open(row))
    except AuthRefused as error:
        reason = explain.login_refused(error.why, row.auth)
        standing.needs_reconnecting(row.pk, reason, row.sealed_secret)
        raise


@sensitive_variables()
def _open_by_token(row: GmailAccount, now: datetime) -> SmtpSession:
    """A refused token may only have aged faster than it should: once more with a fresh one."""
    token = tokens.access_token(row, now)
    try:
        return _open(row, access_token=token)
    except AuthRefused:
        tokens.discard(row, token)
    return _open(row, access_token=tokens.access_token(row, now))


@sensitive_variables()
def _open(
    row: GmailAccount, *, access_token: str | None = None, app_password: str | None = None
) -> SmtpSession:
    return SmtpSession.open(
        endpoints_for(row),
        security=cast(Security, row.smtp_security),
        address=row.address,
        access_token=access_token,
        app_password=app_password,
    )
