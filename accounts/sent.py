"""Whether an account's Sent is read, so that mail written by hand is in the ledger.

It is read before anything is claimed (`is_due`), so as it went the last time, so it is with every
claim. Where it cannot be read, the account's whole reserve for such mail is kept free instead.
"""

from datetime import datetime, timedelta

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from accounts.models import GmailAccount

# Nothing is claimed that long after the last reading ended. With the minute or two that one may
# take, no claim trusts what was read more than ten minutes ago.
READ_EVERY = timedelta(minutes=5)


def may_be_read(account: GmailAccount) -> bool:
    return account.inbound == GmailAccount.Inbound.IMAP


def is_read(account: GmailAccount) -> bool:
    """As it went the last time; one that has not been read yet is taken to be readable."""
    return may_be_read(account) and not account.sent_trouble


def is_due(account: GmailAccount, now: datetime) -> bool:
    """Whether it must be read, or tried to, before anything is claimed."""
    if not may_be_read(account):
        return False
    tried_at = account.sent_tried_at
    # One that lies far ahead was written by a clock that has been set back since.
    return tried_at is None or abs(now - tried_at) >= READ_EVERY


def kept_in_words(account: GmailAccount, kept: int) -> str:
    """What of the limit is kept free for mail written by hand, and why so much; empty for none."""
    if not kept:
        return ""
    if is_read(account):
        words = _("%(kept)s kept free for what you wrote in Gmail since Daypost last looked.")
        return words % {"kept": number_format(kept)}
    words = _("%(kept)s kept free for mail you write yourself, which is not counted: %(why)s")
    return words % {"kept": number_format(kept), "why": why_not_read(account)}


def why_not_read(account: GmailAccount) -> str:
    """Why it is not, and what can be done, in words for a person; empty where it is."""
    match account.inbound:
        case GmailAccount.Inbound.IMAP:
            return account.sent_trouble
        case GmailAccount.Inbound.POP:
            return _("By POP nothing shows what was sent. Read this account by IMAP instead.")
        case _:
            return _("This account is not read. Read it by IMAP instead.")
