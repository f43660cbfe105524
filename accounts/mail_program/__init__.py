"""How to read and send as a Gmail account in a mail program, in that program's own words.

Pure: an account's name and address, and its servers, become steps and fields. Labels and their
order are those that the English versions of the programs show; Gmail's values are those of
https://support.google.com/mail/answer/7126229 (IMAP) and /7104828 (POP).
"""

from collections.abc import Callable
from dataclasses import dataclass

from django.utils.translation import gettext as _

from accounts.mail_program import any_other, apple_mail, outlook, thunderbird
from accounts.mail_program.guide import Guide
from accounts.mail_program.mailbox import Mailbox


@dataclass(frozen=True, slots=True)
class Program:
    """A mail program; `guide` writes down what to do in it."""

    key: str
    name: str
    guide: Callable[[Mailbox], Guide]
    installs_profiles: bool = False


def programs() -> tuple[Program, ...]:
    """Those that are described; the last one is any other."""
    mac, iphone = _("Apple Mail on Mac"), _("Apple Mail on iPhone or iPad")
    return (
        Program("thunderbird", "Thunderbird", thunderbird.guide),
        Program("outlook", _("Outlook (new)"), outlook.guide_new),
        Program("outlook-classic", _("Outlook (classic)"), outlook.guide_classic),
        Program("apple-mac", mac, apple_mail.guide_mac, installs_profiles=True),
        Program("apple-iphone", iphone, apple_mail.guide_iphone, installs_profiles=True),
        Program("other", _("Another program"), any_other.guide),
    )
