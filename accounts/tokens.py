"""A valid access token for an account; one refresh at a time, and never inside a transaction.

The right to refresh is a lease in the account's row, taken by a conditional UPDATE: a lock would
have to be held while Google answers.
"""

import time
from datetime import datetime, timedelta

from django.views.decorators.debug import sensitive_variables

from accounts import explain, sealed, standing
from accounts.endpoints import endpoints_for
from accounts.leases import is_free
from accounts.models import GmailAccount
from gmail import oauth
from gmail.errors import GrantRevoked, Unreachable

# A token is renewed this long before it ends, so that none ends during a session's login.
RENEW_BEFORE = timedelta(minutes=5)
# Longer than a refresh can take, which is 30 seconds; a refresher that died blocks the others no
# longer than this.
LEASE = timedelta(seconds=90)
POLL_SECONDS = 0.1
PATIENCE_SECONDS = 30


@sensitive_variables()
def access_token(account: GmailAccount, now: datetime) -> str:
    """A token that is good for another five minutes at least, renewed if need be.

    Raises GrantRevoked (the account then needs reconnecting), ClientRefused, Unreachable or
    VaultError.
    """
    for poll in range(int(PATIENCE_SECONDS / POLL_SECONDS)):
        moment = now + timedelta(seconds=poll * POLL_SECONDS)
        row = GmailAccount.objects.select_related("workspace").get(pk=account.pk)
        if row.state != GmailAccount.State.READY:
            raise GrantRevoked(row.state_reason or "The account is disconnected.")
        if _is_valid(row, moment):
            return sealed.ACCESS_TOKEN.open(row)
        if _take_lease(row, moment):
            return _renew(row, moment)
        time.sleep(POLL_SECONDS)
    raise Unreachable("Somebody else is renewing the access to Google, and does not come back.")


@sensitive_variables()
def discard(account: GmailAccount, token: str) -> None:
    """Gmail refused this token: renew it next time, unless somebody has done so already."""
    row = GmailAccount.objects.get(pk=account.pk)
    if row.sealed_access_token and sealed.ACCESS_TOKEN.open(row) == token:
        same = GmailAccount.objects.filter(pk=row.pk, sealed_access_token=row.sealed_access_token)
        same.update(access_token_expires_at=None)


def _is_valid(row: GmailAccount, now: datetime) -> bool:
    ends = row.access_token_expires_at
    return bool(row.sealed_access_token) and ends is not None and ends - RENEW_BEFORE > now


def _take_lease(row: GmailAccount, now: datetime) -> bool:
    """Only for the token that was seen: whoever comes after its renewal must look again."""
    seen = GmailAccount.objects.filter(
        is_free("token_lease_until", now, LEASE),
        pk=row.pk,
        sealed_access_token=row.sealed_access_token,
        access_token_expires_at=row.access_token_expires_at,
    )
    row.token_lease_until = now + LEASE
    return seen.update(token_lease_until=row.token_lease_until) == 1


@sensitive_variables()
def _renew(row: GmailAccount, now: datetime) -> str:
    """Ask Google, holding the lease, and give the lease back whatever comes of it."""
    # An account that was connected again meanwhile has other secrets; it is left alone.
    mine = GmailAccount.objects.filter(pk=row.pk, sealed_secret=row.sealed_secret)
    try:
        fresh = oauth.refresh(endpoints_for(row), sealed.ACCOUNT_SECRET.open(row))
        mine.update(
            sealed_access_token=sealed.ACCESS_TOKEN.seal(row, fresh.token),
            access_token_expires_at=now + timedelta(seconds=fresh.expires_in),
        )
    except GrantRevoked:
        standing.needs_reconnecting(row.pk, explain.grant_revoked(), now, row.sealed_secret)
        raise
    finally:
        leased = GmailAccount.objects.filter(pk=row.pk, token_lease_until=row.token_lease_until)
        leased.update(token_lease_until=None)
    return fresh.token
