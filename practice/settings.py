"""What each person has chosen in Gmail's settings, and how slowly mail travels here."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from practice.addresses import same_mailbox

SENT_DELAY = 2.0
ANSWER_DELAY = 2.0


@dataclass
class AccountSettings:
    """``imap`` and ``pop`` say whether the protocol is switched on.

    ``aliases`` are addresses that a message may be from, ``hide`` the keys of the folders that are
    not shown in IMAP.
    """

    imap: bool = True
    pop: bool = True
    aliases: list[str] = field(default_factory=list)
    hide: list[str] = field(default_factory=list)

    def may_be_from(self, address: str) -> bool:
        return any(same_mailbox(address, alias) for alias in self.aliases)


class Settings:
    """Of every account, and for all: delays are in seconds by the practice clock."""

    def __init__(self, kept: dict[str, Any]) -> None:
        self.sent_delay: float = kept.get("sent_delay", SENT_DELAY)
        self.answer_delay: float = kept.get("answer_delay", ANSWER_DELAY)
        self._accounts = {
            email: AccountSettings(**each) for email, each in kept.get("accounts", {}).items()
        }

    def of(self, email: str) -> AccountSettings:
        return self._accounts.setdefault(email, AccountSettings())

    def as_json(self) -> dict[str, Any]:
        accounts = {email: asdict(each) for email, each in self._accounts.items()}
        return {
            "sent_delay": self.sent_delay,
            "answer_delay": self.answer_delay,
            "accounts": accounts,
        }

    def each(self, name: str, emails: Iterable[str]) -> dict[str, Any]:
        """One setting of these accounts, by their addresses."""
        return {email: getattr(self.of(email), name) for email in emails}
