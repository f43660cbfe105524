"""What a failure between us and Google means for a person, and the one thing to do about it."""

from django.utils.translation import gettext as _

from accounts.models import GmailAccount
from gmail.errors import (
    AuthRefused,
    ClientRefused,
    ConnectionLost,
    ConsentRefused,
    GmailError,
    GrantRevoked,
    MailboxUnknown,
    RefreshTokenMissing,
    ScopeMissing,
    StateMismatch,
    Temporary,
    Unreachable,
)
from gmail.replies import LoginRefusal

APP_PASSWORD_LETTERS = 16


def login_refused(why: LoginRefusal, auth: str) -> str:
    """Why Gmail does not let an account in that is connected by `auth`."""
    if why is LoginRefusal.WEB_LOGIN:
        return _(
            "Gmail wants you to log in with a browser first. Open mail.google.com, log in, "
            "confirm what it asks, then connect again."
        )
    if auth == GmailAccount.Auth.OAUTH:
        return _("Gmail no longer takes the access that you gave. Connect the account again.")
    if why is LoginRefusal.APPLICATION_SPECIFIC:
        return _(
            "Gmail takes no ordinary password here. Make an app password at "
            "myaccount.google.com/apppasswords and paste it."
        )
    return _(
        "Gmail did not accept this address with this app password. Check the address, and make "
        "a new app password at myaccount.google.com/apppasswords. An app password ends when the "
        "account's password is changed."
    )


def app_password_refused(why: LoginRefusal, password: str) -> str:
    """The same at the moment of connecting, when what was typed can be looked at."""
    letters = "".join(password.split())
    looks_right = len(letters) == APP_PASSWORD_LETTERS and letters.isalpha()
    if looks_right or why is LoginRefusal.WEB_LOGIN:
        return login_refused(why, GmailAccount.Auth.APP_PASSWORD)
    return _(
        "Gmail did not accept it, and it does not look like an app password, which is 16 letters "
        "in four groups. Your ordinary Google password does not work here. Make an app password "
        "at myaccount.google.com/apppasswords."
    )


def practice_password_refused() -> str:
    return _(
        "The practice Gmail did not accept this address with this app password. Its mailbox page "
        "shows the accounts that it has, and their app passwords."
    )


def grant_revoked() -> str:
    return f"{why_grant_ended()} {connect_again()}"


def why_grant_ended() -> str:
    return _(
        "Google ended the access that you gave: it was revoked, the password was changed, or the "
        'consent screen is still in "Testing", where access ends after 7 days.'
    )


def connect_again() -> str:
    return _("Connect the account again.")


def trouble(error: GmailError) -> str:
    """What kept an account from being connected, other than a wrong app password."""
    match error:
        case ConsentRefused():
            return _(
                "Google says that the access was not allowed. Try again and choose Allow. In a "
                "Workspace an administrator may have to allow Daypost first."
            )
        case ScopeMissing():
            return _(
                "The access to Gmail was left out. Try again, and leave the box about reading "
                "and sending mail ticked: without it nothing can be sent."
            )
        case ClientRefused():
            return _(
                "Google does not accept the client id and secret: {reason}. Compare both, and "
                "the redirect address, with Google's console."
            ).format(reason=str(error).rstrip("."))
        case GrantRevoked() | StateMismatch():
            return _("This answer from Google is used up, too old, or of another try. Try again.")
        case RefreshTokenMissing():
            return _(
                "Google gave access for one hour only. Remove Daypost at "
                "myaccount.google.com/connections, then try again."
            )
        case MailboxUnknown():
            return _("Google did not say which mailbox this is. Try again.")
        case AuthRefused():
            return login_refused(error.why, GmailAccount.Auth.OAUTH)
        case Temporary():
            return _("Gmail is not available now ({said}). Try again in a few minutes.").format(
                said=error.said
            )
        case Unreachable() | ConnectionLost():
            return _(
                "Gmail could not be reached ({reason}). Check the network, and whether it lets "
                "mail through, then try again."
            ).format(reason=str(error).rstrip("."))
        case _:
            return str(error)
