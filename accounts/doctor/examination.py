"""Looks at an account from outside: ports, TLS, log-ins, folders, the clock, and the limit."""

from __future__ import annotations

import queue
import time
from collections.abc import Iterator
from datetime import datetime

from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables

from accounts import explain, sealed, sessions, standing
from accounts.doctor import findings, limit, probes
from accounts.doctor.check import Check, Name, is_needed
from accounts.doctor.probes import OF_MAILBOX, Access, Outcome
from accounts.doctor.remedies import CaFileUnreadable
from accounts.endpoints import endpoints_for
from accounts.models import GmailAccount
from accounts.vault import VaultError
from gmail.endpoints import Endpoints
from gmail.errors import AuthRefused, GmailError, GrantRevoked, Unreachable

# For all the servers together, in seconds: a server that trickles must not hold it up.
DEADLINE_SECONDS = 15

_OF_SENDING = (Name.SMTP_SSL, Name.SMTP_STARTTLS)


class Examination:
    """Begins when it is made and waits only in `checks`: so several accounts go side by side.

    Not to be waited for inside a transaction.
    """

    @sensitive_variables()
    def __init__(self, account: GmailAccount, now: datetime) -> None:
        self._account = GmailAccount.objects.select_related("workspace").get(pk=account.pk)
        self._now = now
        self._ends = time.monotonic() + DEADLINE_SECONDS
        self._endpoints: Endpoints | None = None
        # What servers tell, what is known without asking them, and what is still to come.
        self._told: probes.Told = queue.SimpleQueue()
        self._known: dict[Name, Outcome | VaultError] = {}
        self._waiting = [*OF_MAILBOX, Name.CLOCK]
        try:
            self._endpoints = _endpoints(self._account)
        except (GmailError, VaultError) as error:
            self._known = dict.fromkeys(self._waiting, error)
        else:
            self._begin(self._endpoints)

    def checks(self) -> Iterator[Check]:
        """Each check as soon as it is known, the limit first; all within `DEADLINE_SECONDS`."""
        yield limit.check(self._account, self._now)
        for name, outcome in self._known.items():
            yield self._found(name, outcome)
        while self._waiting:
            try:
                name, outcome = self._told.get(timeout=max(self._ends - time.monotonic(), 0))
            except queue.Empty:
                break
            yield self._found(name, outcome)
        for name in tuple(self._waiting):
            yield self._found(
                name, Unreachable(_("The server does not come to an end of its answer."))
            )

    @sensitive_variables()
    def _begin(self, endpoints: Endpoints) -> None:
        """The clock, and what takes a log-in, if there is something to log in with."""
        probes.begin(probes.of_clock(endpoints), self._told)
        account = self._account
        try:
            secret = _secret(account)
        except (GrantRevoked, VaultError) as error:
            self._known = dict.fromkeys(OF_MAILBOX, error)
            return
        if account.auth == GmailAccount.Auth.OAUTH:
            probes.begin_by_consent(endpoints, account.address, secret, self._told)
            return
        for probe in probes.of_mailbox(Access(endpoints, account.address, app_password=secret)):
            probes.begin(probe, self._told)

    def _found(self, name: Name, outcome: Outcome | VaultError) -> Check:
        self._waiting.remove(name)
        if name in _OF_SENDING and is_needed(name, self._account):
            self._draw_consequences(outcome)
        return findings.check(name, outcome, self._account, self._endpoints)

    def _draw_consequences(self, outcome: Outcome | VaultError) -> None:
        """As if a message had been on its way: the doctor is not to be red beside a “ready”."""
        account = self._account
        if isinstance(outcome, AuthRefused):
            sessions.refused_to_send(account, outcome, self._now)
        elif isinstance(outcome, GrantRevoked):
            standing.needs_reconnecting(
                account.pk, explain.grant_revoked(), self._now, account.sealed_secret
            )


def _endpoints(account: GmailAccount) -> Endpoints:
    """Raises Unreachable, CaFileUnreadable or VaultError."""
    endpoints = endpoints_for(account)
    try:
        endpoints.ssl_context()
    except OSError as error:
        raise CaFileUnreadable(_("GMAIL_CA_FILE cannot be read.")) from error
    return endpoints


@sensitive_variables()
def _secret(account: GmailAccount) -> str:
    """Raises GrantRevoked or VaultError."""
    if not account.sealed_secret:
        raise GrantRevoked(_("The account is disconnected."))
    return sealed.ACCOUNT_SECRET.open(account)
