"""The one thing to do about a red line, in the words of Gmail's own screens.

They are named in English, as Google writes them; Gmail shows them in each person's language.
https://support.google.com/mail/answer/7126229 and https://support.google.com/mail/answer/7104828
"""

from __future__ import annotations

import ssl
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

from accounts import explain
from accounts.doctor.check import LABELS, Name
from accounts.doctor.probes import NotSeen
from accounts.models import GmailAccount
from accounts.vault import VaultError
from gmail.endpoints import Endpoints
from gmail.errors import (
    AuthRefused,
    ClientRefused,
    ConnectionLost,
    GmailError,
    GrantRevoked,
    Unreachable,
)
from gmail.replies import LoginRefusal


class CaFileUnreadable(GmailError):
    """What GMAIL_CA_FILE names is not there, or holds no certificate."""


def remedy(
    name: Name,
    error: GmailError | VaultError,
    account: GmailAccount,
    endpoints: Endpoints | None,
) -> str:
    """`endpoints` is None where not even they are known."""
    match error:
        case NotSeen():
            return _("First mend “%(name)s”.") % {"name": LABELS[error.first]}
        case CaFileUnreadable():
            return _("Set GMAIL_CA_FILE to a PEM file that can be read, or leave it out.")
        case VaultError():
            return _("Connect the account again: VAULT_KEYS no longer holds its key.")
        case AuthRefused():
            return _let_in(name, error.why, account)
        case GrantRevoked():
            return _consent(account)
        case ClientRefused():
            return _("Open “Google client” and save the client id and secret again.")
        case Unreachable() if _is_certificate(error):
            return _certificate(name, endpoints)
        case Unreachable() | ConnectionLost():
            return _reach(name, account, endpoints)
        case _:
            return _("Wait a few minutes, then run the doctor again.")


def is_to_connect_again(error: GmailError | VaultError) -> bool:
    """Whether that is what `remedy` says."""
    if isinstance(error, AuthRefused):
        return error.why is not LoginRefusal.SWITCHED_OFF
    return isinstance(error, GrantRevoked | VaultError)


def server(name: Name, endpoints: Endpoints | None) -> str:
    """ "imap.gmail.com, port 993"; for the clock, Google's host alone."""
    if endpoints is None:
        return "Gmail"
    match name:
        case Name.SMTP_SSL:
            host, port = endpoints.smtp_host, endpoints.smtp_ssl_port
        case Name.SMTP_STARTTLS:
            host, port = endpoints.smtp_host, endpoints.smtp_starttls_port
        case Name.IMAP | Name.SENT_FOLDER:
            host, port = endpoints.imap_host, endpoints.imap_port
        case Name.POP:
            host, port = endpoints.pop_host, endpoints.pop_port
        case _:
            return urlsplit(endpoints.token_uri).hostname or "Google"
    return _("%(host)s, port %(port)s") % {"host": host, "port": port}


def clock(account: GmailAccount) -> str:
    return _or_by_control(
        account,
        _(
            "Let this machine set its date and time by itself (NTP). Where it is right, an owner "
            "says so on the account's page, or whoever runs the machine by manage.py confirm_clock."
        ),
    )


def show_sent(account: GmailAccount) -> str:
    return _or_by_control(
        account,
        _(
            "In Gmail open Settings (the gear) > See all settings > Labels, and beside “Sent Mail” "
            "tick “Show in IMAP”."
        ),
    )


def show_all_mail(account: GmailAccount) -> str:
    return _or_by_control(
        account,
        _(
            "In Gmail open Settings (the gear) > See all settings > Labels, and beside “All Mail” "
            "tick “Show in IMAP”: then Daypost also finds what a filter moves out of the inbox."
        ),
    )


def verify_alias(account: GmailAccount) -> str:
    in_gmail = _(
        "In Gmail open Settings (the gear) > See all settings > Accounts and Import (in a "
        "Workspace: Accounts) > Send mail as > Add another email address. Add %(alias)s, confirm "
        "it by the mail that Gmail sends there, and run the doctor again. Or leave “Address that "
        "recipients see” empty."
    ) % {"alias": account.from_address}
    if not account.practice:
        return in_gmail
    return _(
        "The practice Gmail knows only the aliases that /control gives it: see docs/practice.md. "
        "With a real account: %(in_gmail)s"
    ) % {"in_gmail": in_gmail}


def _or_by_control(account: GmailAccount, remedy: str) -> str:
    """The practice Gmail has no settings of its own; what helps with a real one is still said."""
    if not account.practice:
        return remedy
    return _(
        "On the practice Gmail this was switched by /control: see docs/practice.md. With a real "
        "account: %(remedy)s"
    ) % {"remedy": remedy}


# --- Logging in ------------------------------------------------------------------------------


def _let_in(name: Name, why: LoginRefusal, account: GmailAccount) -> str:
    if why is LoginRefusal.SWITCHED_OFF:
        return _or_by_control(account, _switch_on_pop() if name is Name.POP else _switch_on_imap())
    if account.practice and why is LoginRefusal.CREDENTIALS:
        return _(
            "Connect the account again, with the app password that the practice mailbox shows."
        )
    return explain.login_refused(why, account.auth)


def _switch_on_imap() -> str:
    return _(
        "In Gmail open Settings (the gear) > See all settings > Forwarding and POP/IMAP, choose "
        "“Enable IMAP” and “Save Changes”. Where that is missing, a Workspace administrator "
        "allows it: Admin console > Apps > Google Workspace > Gmail > End User Access."
    )


def _switch_on_pop() -> str:
    return _(
        "In Gmail open Settings (the gear) > See all settings > Forwarding and POP/IMAP, choose "
        "“Enable POP for all mail” and “Save Changes”. Where that is missing, a Workspace "
        "administrator allows it: Admin console > Apps > Google Workspace > Gmail > "
        "End User Access."
    )


def _consent(account: GmailAccount) -> str:
    if account.practice or account.auth != GmailAccount.Auth.OAUTH or not account.sealed_secret:
        return explain.connect_again()
    return _(
        "Connect the account again. Should it last only 7 days once more: the consent screen is "
        "in “Testing”. In Google's console open Google Auth Platform > Audience, and under "
        "“Publishing status” choose “Publish app”, so that it is “In production”."
    )


# --- Reaching the server ---------------------------------------------------------------------


def _is_certificate(error: BaseException | None) -> bool:
    """Whether a certificate that is not trusted stands at the beginning of it."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__
    return False


def _certificate(name: Name, endpoints: Endpoints | None) -> str:
    return _(
        "Something answers in Gmail's place, mostly a virus scanner or a company's proxy: let it "
        "leave %(server)s alone. Only where it is meant to be there, name the file with its "
        "certificate authority in GMAIL_CA_FILE."
    ) % {"server": server(name, endpoints)}


def _reach(name: Name, account: GmailAccount, endpoints: Endpoints | None) -> str:
    if account.practice:
        return _("See whether the practice Gmail is running: make run starts it.")
    if name is Name.SMTP_SSL:
        other = _("STARTTLS (port 587)")
    elif name is Name.SMTP_STARTTLS:
        other = _("TLS from the start (port 465)")
    else:
        return _("Let this machine reach %(server)s: a firewall or the network may block it.") % {
            "server": server(name, endpoints)
        }
    return _(
        "The network may block this port: on the account's page choose “%(other)s” under "
        "“Sending”, or try another network."
    ) % {"other": other}
