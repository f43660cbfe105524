"""Looks at an account from outside: ports, TLS, log-ins, folders, the clock, and the limit."""

from __future__ import annotations

import queue
import time
from collections.abc import Iterator
from datetime import datetime

from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables

from accounts import sealed, tokens
from accounts.doctor import findings, limit, probes
from accounts.doctor.check import Check, Name
from accounts.doctor.probes import WAIT_SECONDS, Access, Outcome
from accounts.doctor.remedies import CaFileUnreadable
from accounts.endpoints import endpoints_for
from accounts.models import GmailAccount
from accounts.vault import VaultError
from gmail.endpoints import Endpoints
from gmail.errors import GmailError, GrantRevoked, Unreachable

# For all the servers together, in seconds: a server that trickles must not hold it up.
DEADLINE_SECONDS = 15

_OF_MAILBOX = (Name.SMTP_SSL, Name.SMTP_STARTTLS, Name.IMAP, Name.POP, Name.SENT_FOLDER)


class Examination:
    """Begins when it is made, so that several accounts are looked at side by side.

    Not to be made inside a transaction: it waits for the network.
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
        self._waiting = [*_OF_MAILBOX, Name.CLOCK]
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
        """The clock first: a token may take its time. What takes a log-in, if there is one."""
        probes.begin(probes.of_clock(endpoints), self._told)
        try:
            access = _access(self._account, endpoints, self._now)
        except (GmailError, VaultError) as error:
            self._known = dict.fromkeys(_OF_MAILBOX, error)
            return
        for probe in probes.of_mailbox(access):
            probes.begin(probe, self._told)

    def _found(self, name: Name, outcome: Outcome | VaultError) -> Check:
        self._waiting.remove(name)
        return findings.check(name, outcome, self._account, self._endpoints)


def _endpoints(account: GmailAccount) -> Endpoints:
    """Raises Unreachable, CaFileUnreadable or VaultError."""
    endpoints = endpoints_for(account)
    try:
        endpoints.ssl_context()
    except OSError as error:
        raise CaFileUnreadable(_("GMAIL_CA_FILE cannot be read.")) from error
    return endpoints


@sensitive_variables()
def _access(account: GmailAccount, endpoints: Endpoints, now: datetime) -> Access:
    """By a token of this moment, so that a consent which has ended is found out.

    Raises GrantRevoked, ClientRefused, Unreachable or VaultError.
    """
    if not account.sealed_secret:
        raise GrantRevoked(_("The account is disconnected."))
    if account.auth == GmailAccount.Auth.OAUTH:
        token = tokens.renewed_token(account, now, WAIT_SECONDS)
        return Access(endpoints, account.address, access_token=token)
    password = sealed.ACCOUNT_SECRET.open(account)
    return Access(endpoints, account.address, app_password=password)
