"""One line of a check-up."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext_lazy as _

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


LABELS = {
    Name.SMTP_SSL: _("Sending, TLS from the start"),
    Name.SMTP_STARTTLS: _("Sending, STARTTLS"),
    Name.IMAP: _("Reading by IMAP"),
    Name.POP: _("Reading by POP"),
    Name.SENT_FOLDER: _("Sent in IMAP"),
    Name.SELF_TEST: _("A mail to yourself"),
    Name.CLOCK: _("The clock"),
    Name.LIMIT: _("The limit"),
}
"""The checks as the screens call them."""


class State(StrEnum):
    """What a check comes to, for a person."""

    GOOD = "good"
    RED = "red"
    UNUSED = "unused"  # Does not work, and the account does not use it.
    WAITS = "waits"  # Not looked at because of another one; or it goes on by itself.
    OFF = "off"  # Switched off by the person.


@dataclass(frozen=True)
class Check:
    """`detail` says what was found, `remedy` the one thing to do about it; it may be empty.

    `needed`: whether the account can do its work only when this is `ok`. `waits_for`: the name of
    the check that has to be mended first, where this one could not be looked at; the remedy is
    that one's. `connect_again`: whether the remedy is to connect the account again.
    """

    name: str
    ok: bool
    needed: bool
    detail: str
    remedy: str = ""
    waits_for: str = ""
    connect_again: bool = False

    @property
    def state(self) -> State:
        if self.ok:
            switched_off = self.name == Name.SELF_TEST and not self.needed
            return State.OFF if switched_off else State.GOOD
        if self.waits_for:
            return State.WAITS
        if self.needed:
            return State.RED
        goes_on_by_itself = self.name in (Name.SELF_TEST, Name.LIMIT)
        return State.WAITS if goes_on_by_itself else State.UNUSED

    @property
    def is_red(self) -> bool:
        return self.state is State.RED


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
