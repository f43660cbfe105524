"""One line of a check-up."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from accounts.models import GmailAccount


class Name(StrEnum):
    """The checks, in the order in which they are shown. People script against the names."""

    SMTP_SSL = "smtp-ssl"
    SMTP_STARTTLS = "smtp-starttls"
    IMAP = "imap"
    POP = "pop"
    SENT_FOLDER = "sent-folder"
    SELF_TEST = "self-test"
    CLOCK = "clock"
    LIMIT = "limit"


@dataclass(frozen=True)
class Check:
    """`detail` says what was found, `remedy` the one thing to do about it; it may be empty.

    `needed`: whether the account can do its work only when this is `ok`.
    """

    name: str
    ok: bool
    needed: bool
    detail: str
    remedy: str = ""

    @property
    def is_red(self) -> bool:
        return self.needed and not self.ok


def is_needed(name: Name, account: GmailAccount) -> bool:
    """Whether the account uses what `name` is about, as it is set up now."""
    match name:
        case Name.SMTP_SSL:
            return account.smtp_security == GmailAccount.SmtpSecurity.SSL
        case Name.SMTP_STARTTLS:
            return account.smtp_security == GmailAccount.SmtpSecurity.STARTTLS
        case Name.IMAP | Name.SENT_FOLDER:
            return account.inbound == GmailAccount.Inbound.IMAP
        case Name.POP:
            return account.inbound == GmailAccount.Inbound.POP
        case Name.SELF_TEST:
            return account.self_test
        case Name.CLOCK:
            return True
        case Name.LIMIT:
            # Reaching the limit is what an account is for; it goes on by itself.
            return False


def as_rows(checks: Iterable[Check]) -> list[dict[str, Any]]:
    """As `CheckUp.checks` keeps them: plain dicts, in the order of `Name`."""
    order = list(Name)
    return [asdict(check) for check in sorted(checks, key=lambda one: order.index(Name(one.name)))]


def from_rows(rows: Iterable[dict[str, Any]]) -> list[Check]:
    return [Check(**row) for row in rows]
