"""Encrypts what must not be read from a database dump, bound to the row that it belongs to.

Fernet (AES-128-CBC and HMAC-SHA256) under the keys of `settings.VAULT_KEYS`, newest first: the
first encrypts, all decrypt. Whose secret it is stands inside the encrypted part, so that a sealed
value which was copied into another row opens nothing there.
"""

import json

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.views.decorators.debug import sensitive_variables


class VaultError(Exception):
    """A secret cannot be opened. The text never holds one."""


@sensitive_variables()
def seal(secret: str, bound_to: str) -> str:
    """Encrypt `secret` for `bound_to`, such as "gmail_account:7:secret". Raises VaultError."""
    payload = json.dumps({"for": bound_to, "secret": secret})
    return _fernet().encrypt(payload.encode()).decode()


@sensitive_variables()
def open_sealed(token: str, bound_to: str) -> str:
    """The secret that was sealed for `bound_to`. Raises VaultError for any other."""
    try:
        payload = json.loads(_fernet().decrypt(token.encode()))
    except InvalidToken:
        raise VaultError(f"No key of this instance opens the secret of {bound_to}.") from None
    if payload["for"] != bound_to:
        raise VaultError(f"The secret stored at {bound_to} belongs to something else.")
    secret: str = payload["secret"]
    return secret


@sensitive_variables()
def reseal(token: str, bound_to: str) -> str:
    """The same secret, encrypted anew under the newest key. Raises VaultError."""
    return seal(open_sealed(token, bound_to), bound_to)


@sensitive_variables()
def _fernet() -> MultiFernet:
    try:
        return MultiFernet([Fernet(key) for key in settings.VAULT_KEYS])
    except ValueError:
        raise VaultError(
            "VAULT_KEYS holds something that is no key. Each is 32 bytes in URL-safe base64."
        ) from None
