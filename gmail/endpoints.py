"""Where a Gmail lives: hosts, ports, addresses and one further trust root, as one dataclass.

Google's own values or any server that speaks the same; nothing else in this package knows which.
"""

import ipaddress
import ssl
from dataclasses import dataclass, field


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
        context = ssl.create_default_context()
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self.ca_file:
            context.load_verify_locations(self.ca_file)
        return context


def is_loopback(host: str) -> bool:
    """Whether `host`, a name or an address without a port, is this machine itself."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
