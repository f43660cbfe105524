"""Logging in, the part that is the same in every protocol: what is said to the server (SASL
XOAUTH2 or PLAIN), and what a refusal may repeat of it: nothing.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from typing import Literal

from gmail import xoauth2

# One for the secret and one for the reason of a refusal; a server that asks more makes no sense.
MOST_CHALLENGES = 2
Mechanism = Literal["XOAUTH2", "PLAIN"]


@dataclass
class Login:
    """One conversation: `answer` each challenge of the server, the empty first one included."""

    user: str
    mechanism: Mechanism
    secret: str = field(repr=False)
    # The reason that the server gave for refusing a token; for diagnosis only.
    token_status: str = ""
    _begun: bool = False

    @classmethod
    def by(cls, user: str, *, access_token: str | None, app_password: str | None) -> Login:
        """Google shows app passwords in groups; the spaces do not matter."""
        if access_token is not None and app_password is None:
            return cls(user, "XOAUTH2", access_token)
        if app_password is not None and access_token is None:
            return cls(user, "PLAIN", "".join(app_password.split()))
        raise ValueError("Give either an access token or an app password.")

    def answer(self, challenge: bytes) -> bytes:
        """What to say to `challenge`; both as they are before base64.

        The first answer holds the secret. A further challenge is the reason of a refusal, in
        JSON, and an empty answer asks for the refusal itself.
        """
        if not self._begun:
            self._begun = True
            return self._response()
        self.token_status = xoauth2.read_refusal(challenge).get("status", "")
        return b""

    def answer_base64(self, challenge: str) -> str:
        """The same, as SMTP and POP carry it."""
        try:
            plain = base64.b64decode(challenge, validate=True)
        except (binascii.Error, ValueError):
            plain = b""
        return base64.b64encode(self.answer(plain)).decode()

    def without_secrets(self, said: str) -> str:
        """`said` by the server, which might quote what it was given, fit to be shown."""
        for secret in (base64.b64encode(self._response()).decode(), self.secret):
            said = said.replace(secret, "***") if secret else said
        return f"{said} (token status {self.token_status})" if self.token_status else said

    def _response(self) -> bytes:
        if self.mechanism == "XOAUTH2":
            return xoauth2.sasl_response(self.user, self.secret)
        return f"\0{self.user}\0{self.secret}".encode()  # RFC 4616
