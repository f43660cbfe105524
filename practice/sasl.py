"""The ways to prove who you are over SMTP: XOAUTH2, OAUTHBEARER, PLAIN, LOGIN.

Each is a small conversation, written as a generator. It yields what the server asks, gets what the
client answered, and returns the account, or None when the proof was no good. An initial response
(RFC 4954) is simply the answer to the first question, given before it was asked.
"""

import json
from collections.abc import Callable, Generator

from practice.accounts import Account, Accounts
from practice.addresses import same_mailbox
from practice.oauth import MAIL_SCOPE, AuthorizationServer

Conversation = Generator[bytes, bytes, Account | None]


class Gatekeeper:
    """Knows the mechanisms, and asks the accounts and the tokens.

    ``user`` is the name that was given last, ``token`` the access token that the last successful
    login was made with, if any. ``prefix`` may stand before a user's name.
    """

    def __init__(self, accounts: Accounts, oauth: AuthorizationServer, *, prefix: str = "") -> None:
        self._accounts = accounts
        self._oauth = oauth
        self._prefix = prefix
        self.user = ""
        self.token = ""
        self._mechanisms: dict[str, Callable[[], Conversation]] = {
            "LOGIN": self._login,
            "PLAIN": self._plain,
            "XOAUTH2": self._xoauth2,
            "OAUTHBEARER": self._oauthbearer,
        }

    def begin(self, mechanism: str) -> Conversation | None:
        """A new conversation; None for a mechanism that Gmail does not let clients use."""
        start = self._mechanisms.get(mechanism.upper())
        return start() if start else None

    def nobody(self) -> Conversation:
        """A conversation that refuses whatever is said."""
        yield b""
        return None

    def _plain(self) -> Conversation:
        """RFC 4616; the authorization identity is ignored."""
        parts = (yield b"").split(b"\0")
        if len(parts) != 3:
            return None
        return self._by_app_password(parts[1], parts[2])

    def _login(self) -> Conversation:
        user = yield b"Username:"
        password = yield b"Password:"
        return self._by_app_password(user, password)

    def _xoauth2(self) -> Conversation:
        """https://developers.google.com/workspace/gmail/imap/xoauth2-protocol"""
        fields = _fields((yield b""))
        account = self._by_token(fields.get("user", ""), fields.get("auth", ""))
        if account is None:
            # The client answers the reason with an empty line, and only then is refused.
            yield _reason()
        return account

    def _oauthbearer(self) -> Conversation:
        """RFC 7628: ``n,a=user@gmail.com,`` and then the same kind of fields."""
        response = yield b""
        header = response.partition(b"\1")[0].decode("utf-8", "replace")
        user = next((part[2:] for part in header.split(",") if part.startswith("a=")), "")
        account = self._by_token(user, _fields(response).get("auth", ""))
        if account is None:
            yield _reason()
        return account

    def _by_app_password(self, user: bytes, password: bytes) -> Account | None:
        self.user = user.decode("utf-8", "replace")
        return self._accounts.authenticate(
            self.user.removeprefix(self._prefix), password.decode("utf-8", "replace")
        )

    def _by_token(self, user: str, authorization: str) -> Account | None:
        self.user = user
        scheme, _, token = authorization.partition(" ")
        grant = self._oauth.grant_of(token)
        if grant is None or scheme.lower() != "bearer" or MAIL_SCOPE not in grant.scopes:
            return None
        if not same_mailbox(user.removeprefix(self._prefix), grant.account):
            return None
        self.token = token
        return self._accounts.get(grant.account)


def _fields(response: bytes) -> dict[str, str]:
    """Fields of the form key=value, separated by the character 1."""
    pairs = (part.partition("=") for part in response.decode("utf-8", "replace").split("\1"))
    return {key.lower(): value for key, equals, value in pairs if equals}


def _reason() -> bytes:
    reason = {"status": "400", "schemes": "Bearer", "scope": MAIL_SCOPE}
    return json.dumps(reason, separators=(",", ":")).encode()
