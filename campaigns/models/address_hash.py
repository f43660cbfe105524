"""Who an address is, once nobody may know it any more: a hash under a key of its own.

A suppression outlives the contact, also when that is erased. Without the key the hash of an
address cannot be guessed from a list of addresses; with another key nobody would be known again,
so this one is never changed (`docs/settings.md`).
"""

import hashlib
import hmac

from django.conf import settings

LENGTH = 64


def address_hash(email_key: str) -> str:
    """HMAC-SHA256 of an address in lower case, in hexadecimal."""
    key: str = settings.SUPPRESSION_KEY
    return hmac.digest(key.encode(), email_key.lower().encode(), hashlib.sha256).hex()
