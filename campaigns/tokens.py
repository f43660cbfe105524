"""Tokens that stand in mail and name one message: in links, and in the address to opt out by mail.

A token is one block of AES: the message's number, and zeros that only a genuine token decrypts
to. So it reveals nothing, not even how many messages there are, does not expire, needs no column,
and a guess hits one in 2^64. Each purpose has a key of its own, so that a token that may show a
message cannot end a subscription. The keys come from `settings.TOKEN_KEY`, which `SECRET_KEY` has
no part in.

Written in base32 (RFC 4648 section 6) it is 26 letters and digits that survive a change of case,
as the local part of an address must.
"""

import base64
import binascii
import hashlib
import hmac
from enum import StrEnum
from functools import lru_cache

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB
from django.conf import settings

LENGTH = 26
_BLOCK = 16
_NUMBER = 8


class Purpose(StrEnum):
    """What a token may be used for."""

    OPT_OUT_BY_MAIL = "opt out by mail"
    # The pages a recipient may open: opt out, preferences.
    LEAVE = "leave"
    VIEW = "view in browser"
    OPEN = "open"
    CLICK = "click"


def make(purpose: Purpose, message_id: int) -> str:
    """The token of the message with this number; always the same one."""
    block = bytes(_BLOCK - _NUMBER) + message_id.to_bytes(_NUMBER)
    encryptor = _cipher(settings.TOKEN_KEY, purpose).encryptor()
    return base64.b32encode(encryptor.update(block)).decode().rstrip("=").lower()


def read(purpose: Purpose, token: str) -> int | None:
    """The number of the message it was made for; None for anything else."""
    if len(token) != LENGTH:
        return None
    try:
        block = base64.b32decode(f"{token.upper()}======")
    except (binascii.Error, ValueError):
        return None
    clear = _cipher(settings.TOKEN_KEY, purpose).decryptor().update(block)
    if clear[:-_NUMBER] != bytes(_BLOCK - _NUMBER):
        return None
    return int.from_bytes(clear[-_NUMBER:])


@lru_cache(maxsize=16)
def _cipher(key: str, purpose: Purpose) -> Cipher[ECB]:
    # A single block, always another one: what ECB gives away is which of two blocks are the same.
    of_purpose = hmac.digest(key.encode(), purpose.encode(), hashlib.sha256)
    return Cipher(AES(of_purpose), ECB())  # noqa: S305
