"""From what a probe found to a line for a person."""

from __future__ import annotations

from datetime import timedelta

from django.utils.translation import gettext as _

from accounts.doctor import remedies
from accounts.doctor.check import Check, Name, is_needed
from accounts.doctor.probes import NotSeen, Outcome
from accounts.models import GmailAccount
from accounts.vault import VaultError
from gmail.endpoints import Endpoints
from gmail.errors import AuthRefused, GmailError
from gmail.imap import Folders

# Google's answers carry whole seconds, and tokens and mail are dated: a minute does no harm.
CLOCK_MAY_DIFFER = timedelta(seconds=60)


def check(
    name: Name,
    outcome: Outcome | VaultError,
    account: GmailAccount,
    endpoints: Endpoints | None,
) -> Check:
    """`endpoints` is None where not even they are known; then the outcome is an error."""
    needed = is_needed(name, account)
    if isinstance(outcome, GmailError | VaultError):
        if name is Name.CLOCK:
            # Who has no token needs no answer of Google's to this.
            needed = account.auth == GmailAccount.Auth.OAUTH
        remedy = remedies.remedy(name, outcome, account, endpoints)
        return Check(name, False, needed, _said(outcome), remedy)
    if isinstance(outcome, timedelta):
        return _clock(outcome, needed)
    if isinstance(outcome, Folders):
        return _folders(outcome, needed)
    server = remedies.server(name, endpoints)
    return Check(name, True, needed, _("%(server)s lets us in.") % {"server": server})


def _said(error: GmailError | VaultError) -> str:
    """What happened, in one sentence; a refusal in Gmail's own words."""
    if isinstance(error, NotSeen):
        return _("Not looked at: “%(name)s” does not work.") % {"name": error.first}
    if isinstance(error, AuthRefused):
        return _("Gmail refuses the log-in: “%(said)s”") % {"said": error.said}
    return str(error)


def _clock(ahead: timedelta, needed: bool) -> Check:
    """`ahead`: how far this machine's clock is ahead of Google's."""
    if abs(ahead) <= CLOCK_MAY_DIFFER:
        return Check(Name.CLOCK, True, needed, _("The clock of this machine agrees with Google's."))
    seconds = {"seconds": abs(round(ahead.total_seconds()))}
    if ahead > timedelta(0):
        detail = _("The clock of this machine is %(seconds)s seconds ahead of Google's.")
    else:
        detail = _("The clock of this machine is %(seconds)s seconds behind Google's.")
    return Check(Name.CLOCK, False, needed, detail % seconds, remedies.clock())


def _folders(folders: Folders, needed: bool) -> Check:
    """Sent proves what left; delivery reports that a filter moved are found in All Mail only."""
    name = Name.SENT_FOLDER
    if folders.sent is None:
        return Check(name, False, needed, _("IMAP does not show Sent."), remedies.show_sent())
    shown = _("IMAP shows Sent as “%(folder)s”.") % {"folder": folders.sent}
    if folders.all_mail is None:
        detail = _("%(shown)s It does not show All Mail.") % {"shown": shown}
        return Check(name, True, needed, detail, remedies.show_all_mail())
    return Check(name, True, needed, shown)
