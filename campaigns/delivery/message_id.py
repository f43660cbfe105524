"""Message-IDs: fixed when a message is written down, and such that Gmail keeps them."""

import uuid


def new_message_id(sender: str) -> str:
    """A new one under the domain of the address `sender`."""
    return f"<{uuid.uuid4().hex}@{domain_of(sender)}>"


def domain_of(address: str) -> str:
    """The sender's own, in ASCII: RFC 5322 3.6.4 asks for a domain that keeps the name unique."""
    return address.rpartition("@")[2].encode("idna").decode()
