"""Why an account rests, in words for a person, with the one thing to do about it.

What is stored as a rest's reason is either what Gmail said, word for word, or where no reply came
the sentence itself. The words for a reply are found when they are shown.
"""

from django.utils.translation import gettext as _

from accounts import explain
from accounts.vault import VaultError
from gmail.errors import ClientRefused, GmailError, Temporary, Unreachable
from gmail.replies import Reply, Trouble, trouble


def reason_of(error: GmailError | VaultError) -> str:
    """What to store as the reason of a rest that `error` brought about."""
    match error:
        case Temporary():
            return error.said
        case Unreachable():
            return _(
                "Gmail could not be reached ({reason}). Daypost tries again by itself; if this "
                "stays, look at the network of the machine that Daypost runs on."
            ).format(reason=str(error).rstrip("."))
        case ClientRefused():
            return explain.trouble(error)
        case GmailError():
            return _(
                "The connection to Gmail broke off. Daypost tries again by itself; if this stays, "
                "look at the network of the machine that Daypost runs on."
            )
        case _:
            return str(error)


def why(reason: str) -> str:
    """The reason in plain words, and what to do."""
    reply = Reply.read(reason)
    if reply is None:
        return reason
    match trouble(reply):
        case Trouble.LIMIT:
            return _(
                "Gmail takes no more mail from this account for now: its limit for 24 hours is "
                "reached. Daypost goes on by itself, and nothing is lost."
            )
        case Trouble.RATE:
            return _(
                "Gmail finds that mail leaves this account too fast. Daypost goes on by itself. If "
                "it comes again, spread your campaigns or set a lower limit for the account."
            )
        case Trouble.LOGINS:
            return _(
                "Gmail counts too many log-ins to this account. Daypost waits and goes on by "
                "itself. If another program uses the account, let it look for mail less often."
            )
        case Trouble.SYSTEM:
            return _(
                "Gmail has a passing trouble of its own. Daypost tries again by itself; there is "
                "nothing for you to do."
            )
        case _:
            return _(
                "Gmail gave an answer that Daypost does not know. Daypost tries again by itself; "
                "if this stays, open mail.google.com and look for a notice there."
            )


def said(reason: str) -> str:
    """Gmail's own words; empty where it said nothing."""
    return reason if Reply.read(reason) else ""
