"""The Google accounts that the practice Gmail knows, and their app passwords."""

import hmac
import json
import secrets
import string
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from practice.private_files import read_json, write_private

DEFAULT_ACCOUNTS = ("practice@gmail.com", "second.practice@gmail.com")


@dataclass(frozen=True)
class Account:
    """``subject`` is Google's permanent number of the person, the ``sub`` of userinfo."""

    email: str
    app_password: str
    subject: str

    @property
    def grouped_app_password(self) -> str:
        """The app password as Google shows it, in groups of four."""
        password = self.app_password
        return " ".join(password[start : start + 4] for start in range(0, len(password), 4))


class Accounts:
    """All accounts, in the order in which they came, kept in ``accounts.json``."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._accounts: dict[str, Account] = {}
        for row in read_json(path, missing=[]):
            account = Account(**row)
            self._accounts[account.email.casefold()] = account

    def __iter__(self) -> Iterator[Account]:
        return iter(self._accounts.values())

    def __len__(self) -> int:
        return len(self._accounts)

    def get(self, email: str) -> Account | None:
        return self._accounts.get(email.casefold())

    def owner_of(self, address: str) -> Account | None:
        """Whose inbox mail to this address reaches: ``name+tag`` is ``name``, dots do not count.

        https://support.google.com/mail/answer/7436150 (dots, at gmail.com only)
        """
        wanted = _plain(address)
        return next((account for account in self if _plain(account.email) == wanted), None)

    def add(self, email: str, app_password: str | None = None) -> Account:
        """Add an account, or give a known one another app password; None keeps or invents one."""
        known = self.get(email)
        password = without_spaces(app_password or "")
        if known and not password:
            return known
        account = Account(
            email=known.email if known else email,
            app_password=password or _new_app_password(),
            subject=known.subject if known else _new_subject(),
        )
        self._accounts[account.email.casefold()] = account
        write_private(self._path, json.dumps([asdict(each) for each in self], indent=1))
        return account

    def authenticate(self, email: str, app_password: str) -> Account | None:
        """The account when the app password is its own; spaces in it do not matter."""
        account = self.get(email)
        given = without_spaces(app_password).encode()
        if account and hmac.compare_digest(account.app_password.encode(), given):
            return account
        return None


def without_spaces(text: str) -> str:
    return "".join(text.split())


def _plain(address: str) -> str:
    local_part, _, domain = address.casefold().rpartition("@")
    local_part = local_part.partition("+")[0]
    if domain in ("gmail.com", "googlemail.com"):
        return local_part.replace(".", "") + "@gmail.com"
    return f"{local_part}@{domain}"


def _new_app_password() -> str:
    return "".join(secrets.choice(string.ascii_lowercase) for _ in range(16))


def _new_subject() -> str:
    return "1" + "".join(secrets.choice(string.digits) for _ in range(20))
