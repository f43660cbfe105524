"""What is asked of the servers. Each probe runs in a thread of its own and knows no database.

A probe tells what it found under the name of a check; what it cannot find out is told as the error
that stopped it. So one that hangs holds up nobody but itself.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from django.views.decorators.debug import sensitive_variables

from accounts.doctor.check import Name
from gmail import oauth
from gmail.endpoints import Endpoints
from gmail.errors import GmailError, Unreachable
from gmail.imap import Folders, ImapSession
from gmail.pop import PopSession
from gmail.smtp import SmtpSession
from gmail.smtp_line import Security

# Each wait on the network, in seconds; a whole answer of Google's. Either comes in one or two.
WAIT_SECONDS = 6

OF_MAILBOX = (Name.SMTP_SSL, Name.SMTP_STARTTLS, Name.IMAP, Name.POP, Name.SENT_FOLDER)

# What a probe found: nothing but that it worked, folders, how far our clock is ahead, or an error.
Outcome = None | Folders | timedelta | GmailError


class NotSeen(GmailError):
    """What could not be looked at because `first`, which comes before it, failed."""

    def __init__(self, first: Name) -> None:
        super().__init__(f"{first} failed.")
        self.first = first


Tell = Callable[[Name, Outcome], None]
Told = queue.SimpleQueue[tuple[Name, Outcome]]


@dataclass(frozen=True)
class Access:
    """How to log in: by exactly one of the two secrets."""

    endpoints: Endpoints
    address: str
    access_token: str | None = field(default=None, repr=False)
    app_password: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Probe:
    """`look` answers for `names`, in this order."""

    names: tuple[Name, ...]
    look: Callable[[Tell], None]


def of_mailbox(access: Access) -> list[Probe]:
    """All that takes a log-in: `OF_MAILBOX`."""
    return [
        Probe((Name.SMTP_SSL,), lambda tell: _smtp(access, "ssl", tell)),
        Probe((Name.SMTP_STARTTLS,), lambda tell: _smtp(access, "starttls", tell)),
        Probe((Name.IMAP, Name.SENT_FOLDER), lambda tell: _imap(access, tell)),
        Probe((Name.POP,), lambda tell: _pop(access, tell)),
    ]


def of_clock(endpoints: Endpoints) -> Probe:
    return Probe((Name.CLOCK,), lambda tell: tell(Name.CLOCK, _clock_ahead(endpoints)))


def begin(probe: Probe, told: Told) -> None:
    """Each of its names comes out of `told` once, unless its server holds on to it for ever.

    The thread is a daemon: a server that trickles must not keep a process from ending.
    """
    name = f"doctor {probe.names[0]}"
    threading.Thread(target=_run, args=(probe, told), name=name, daemon=True).start()


@sensitive_variables()
def begin_by_consent(endpoints: Endpoints, address: str, refresh_token: str, told: Told) -> None:
    """All of `of_mailbox`, by a token of this moment: so a consent that has ended is found out.

    The account's own token stays as it is. It is not worth waiting for whoever renews that one.
    """
    threading.Thread(
        target=_run_by_consent,
        args=(endpoints, address, refresh_token, told),
        name="doctor consent",
        daemon=True,
    ).start()


def _run(probe: Probe, told: Told) -> None:
    left = list(probe.names)

    def tell(name: Name, outcome: Outcome) -> None:
        left.remove(name)
        told.put((name, outcome))

    stopped: GmailError = Unreachable("The check broke off.")
    try:
        probe.look(tell)
    except GmailError as error:
        stopped = error
    finally:
        for name in tuple(left):
            tell(name, stopped)
            stopped = NotSeen(name)


@sensitive_variables()
def _run_by_consent(endpoints: Endpoints, address: str, refresh_token: str, told: Told) -> None:
    try:
        token = oauth.refresh(endpoints, refresh_token, WAIT_SECONDS).token
    except GmailError as error:
        for name in OF_MAILBOX:
            told.put((name, error))
        return
    for probe in of_mailbox(Access(endpoints, address, access_token=token)):
        begin(probe, told)


def _smtp(access: Access, security: Security, tell: Tell) -> None:
    session = SmtpSession.open(
        access.endpoints,
        security=security,
        address=access.address,
        access_token=access.access_token,
        app_password=access.app_password,
        timeout=WAIT_SECONDS,
    )
    tell(Name.SMTP_SSL if security == "ssl" else Name.SMTP_STARTTLS, None)
    session.close()


def _imap(access: Access, tell: Tell) -> None:
    session = ImapSession.open(
        access.endpoints,
        address=access.address,
        access_token=access.access_token,
        app_password=access.app_password,
        timeout=WAIT_SECONDS,
    )
    tell(Name.IMAP, None)
    try:
        tell(Name.SENT_FOLDER, session.folders())
    finally:
        session.close()


def _pop(access: Access, tell: Tell) -> None:
    session = PopSession.open(
        access.endpoints,
        address=access.address,
        access_token=access.access_token,
        app_password=access.app_password,
        timeout=WAIT_SECONDS,
    )
    tell(Name.POP, None)
    session.close()


def _clock_ahead(endpoints: Endpoints) -> timedelta:
    """How far this machine's clock is ahead of Google's, to about a second. Raises Unreachable.

    Both clocks are read for this alone, so this is the one place here that does not take `now`.
    """
    asked = datetime.now(UTC)
    theirs = oauth.google_time(endpoints, WAIT_SECONDS)
    return asked + (datetime.now(UTC) - asked) / 2 - theirs
