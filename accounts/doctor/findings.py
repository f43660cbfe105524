"""From what a probe found to a line for a person."""

from __future__ import annotations

from datetime import timedelta

from django.utils.translation import gettext as _

from accounts import explain
from accounts.clock import watch, words
from accounts.clock.rules import MAY_DIFFER
from accounts.doctor import remedies
from accounts.doctor.check import LABELS, Check, Name, is_needed
from accounts.doctor.probes import NotSeen, Outcome
from accounts.models import GmailAccount
from accounts.vault import VaultError
from gmail.endpoints import Endpoints
from gmail.errors import AuthRefused, ClientRefused, GmailError, GrantRevoked
from gmail.imap import Folders


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
        return _failed(name, needed, outcome, account, endpoints)
    if isinstance(outcome, timedelta):
        return _clock(outcome, needed, account)
    if isinstance(outcome, Folders):
        return _folders(outcome, needed, account)
    server = remedies.server(name, endpoints)
    return Check(name, True, needed, _("%(server)s lets us in.") % {"server": server})


def _failed(
    name: Name,
    needed: bool,
    error: GmailError | VaultError,
    account: GmailAccount,
    endpoints: Endpoints | None,
) -> Check:
    remedy = remedies.remedy(name, error, account, endpoints)
    again = remedies.is_to_connect_again(error)
    first = _first(error, account, endpoints)
    if first is None or first is name:
        return Check(name, False, needed, _said(error, account), remedy, connect_again=again)
    detail = _("Waits for “%(name)s”.") % {"name": LABELS[first]}
    return Check(name, False, needed, detail, remedy, waits_for=first, connect_again=again)


def _first(
    error: GmailError | VaultError, account: GmailAccount, endpoints: Endpoints | None
) -> Name | None:
    """The check that stands for all that fail of one cause; None where this one has its own."""
    if isinstance(error, NotSeen):
        return error.first
    if endpoints is None or isinstance(error, GrantRevoked | ClientRefused | VaultError):
        sends_by_ssl = account.smtp_security == GmailAccount.SmtpSecurity.SSL
        return Name.SMTP_SSL if sends_by_ssl else Name.SMTP_STARTTLS
    return None


def _said(error: GmailError | VaultError, account: GmailAccount) -> str:
    """What happened, in one sentence; a refusal in Gmail's own words."""
    if isinstance(error, AuthRefused):
        return _("Gmail refuses the log-in: “%(said)s”") % {"said": error.said}
    if isinstance(error, GrantRevoked) and account.sealed_secret:
        return explain.why_grant_ended()
    return str(error)


def _clock(ahead: timedelta, needed: bool, account: GmailAccount) -> Check:
    """`ahead`: how far this machine's clock is ahead of Google's.

    What halts the account is said as it is there; a difference that a person accepted is none.
    """
    halted = watch.at_odds(account)
    if halted:
        detail = words.finding(halted[0])
        return Check(Name.CLOCK, False, needed, detail, remedies.clock(account))
    accepted = account.ahead_of_server
    if abs(ahead) <= MAY_DIFFER:
        return Check(Name.CLOCK, True, needed, _("The clock of this machine agrees with Google's."))
    seconds = {"seconds": abs(round(ahead.total_seconds()))}
    if ahead > timedelta(0):
        detail = _("The clock of this machine is %(seconds)s seconds ahead of Google's.")
    else:
        detail = _("The clock of this machine is %(seconds)s seconds behind Google's.")
    if accepted and abs(ahead - accepted) <= MAY_DIFFER:
        confirmed = _("A person has said that it is right.")
        return Check(Name.CLOCK, True, needed, f"{detail % seconds} {confirmed}")
    return Check(Name.CLOCK, False, needed, detail % seconds, remedies.clock(account))


def _folders(folders: Folders, needed: bool, account: GmailAccount) -> Check:
    """Sent proves what left; delivery reports that a filter moved are found in All Mail only."""
    name = Name.SENT_FOLDER
    if folders.sent is None:
        detail = _("IMAP does not show Sent.")
        return Check(name, False, needed, detail, remedies.show_sent(account))
    shown = _("IMAP shows Sent as “%(folder)s”.") % {"folder": folders.sent}
    if folders.all_mail is None:
        detail = _("%(shown)s It does not show All Mail.") % {"shown": shown}
        return Check(name, True, needed, detail, remedies.show_all_mail(account))
    return Check(name, True, needed, shown)
