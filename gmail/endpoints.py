"""Where a Gmail lives: hosts, ports, addresses and one further trust root, as one dataclass.

Google's own values or any server that speaks the same; nothing else in this package knows which.
"""

import ipaddress
import os
import ssl
from dataclasses import dataclass, field
from functools import lru_cache


@dataclass(frozen=True)
class Endpoints:
    """`ca_file` is a path to a PEM file with one more trusted root, or empty."""

    client_id: str
    client_secret: str = field(repr=False)
    auth_uri: str
    token_uri: str
    userinfo_uri: str
    revoke_uri: str
    smtp_host: str
    smtp_ssl_port: int
    smtp_starttls_port: int
    imap_host: str
    imap_port: int
    pop_host: str
    pop_port: int
    ca_file: str

    @property
    def on_this_machine(self) -> bool:
        """Whether mail goes no further than this machine: a practice Gmail."""
        return is_loopback(self.smtp_host)

    def ssl_context(self) -> ssl.SSLContext:
        """The system's trust roots and `ca_file`; TLS 1.2 or newer; the host name is checked.

        Raises OSError when `ca_file` cannot be read.
        """
        return _ssl_context(self.ca_file)

    def shared_ssl_context(self, use: str = "mail") -> ssl.SSLContext:
        """The same, one for all sessions of a `use`, whatever these make of it.

        Reading the roots takes more of the processor than a log-in and several messages do. A
        `ca_file` that was written anew is read anew; the system's roots when the process starts.
        """
        written_at = os.stat(self.ca_file).st_mtime_ns if self.ca_file else 0
        return _ssl_context_as_of(self.ca_file, written_at, use)


def _ssl_context(ca_file: str) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_file:
        context.load_verify_locations(ca_file)
    return context


@lru_cache(maxsize=8)
def _ssl_context_as_of(ca_file: str, written_at: int, use: str) -> ssl.SSLContext:
    return _ssl_context(ca_file)


def is_loopback(host: str) -> bool:
    """Whether `host`, a name or an address without a port, is this machine itself."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
