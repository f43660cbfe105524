"""A mailbox as mail programs see it: a name, an address and servers, as fields to fill in."""

from dataclasses import dataclass
from typing import Literal

from django.utils.translation import gettext as _

from accounts.mail_program.guide import Field
from gmail.endpoints import Endpoints

Incoming = Literal["imap", "pop"]
Outgoing = Literal["ssl", "starttls"]


@dataclass(frozen=True, slots=True)
class Mailbox:
    """`name` may be empty. Of `servers` no client is used, so it need not be the right one."""

    address: str
    name: str
    servers: Endpoints
    incoming: Incoming = "imap"
    outgoing: Outgoing = "ssl"

    @property
    def is_practice(self) -> bool:
        return self.servers.on_this_machine

    @property
    def protocol(self) -> str:
        return "POP" if self.incoming == "pop" else "IMAP"

    @property
    def outgoing_security(self) -> str:
        return "STARTTLS" if self.outgoing == "starttls" else "SSL/TLS"

    # --- Fields, by the label that a program gives them ------------------------------------------

    def full_name(self, label: str) -> Field:
        if self.name:
            return Field(label, self.name, typed=True)
        return Field(label, _("Your name, or your shop's"))

    def email(self, label: str) -> Field:
        return Field(label, self.address, typed=True)

    def user_name(self, label: str) -> Field:
        """The full address: Gmail takes nothing shorter."""
        return Field(label, self.address, typed=True)

    def password(self, label: str) -> Field:
        if self.is_practice:
            return Field(label, _("The app password of the practice account"))
        return Field(label, _("An app password of 16 letters"))

    def incoming_host(self, label: str) -> Field:
        return Field(label, self._incoming[0], typed=True)

    def incoming_port(self, label: str) -> Field:
        return Field(label, str(self._incoming[1]), typed=True)

    def outgoing_host(self, label: str) -> Field:
        return Field(label, self.servers.smtp_host, typed=True)

    def outgoing_port(self, label: str) -> Field:
        by_starttls = self.outgoing == "starttls"
        servers = self.servers
        port = servers.smtp_starttls_port if by_starttls else servers.smtp_ssl_port
        return Field(label, str(port), typed=True)

    @property
    def _incoming(self) -> tuple[str, int]:
        if self.incoming == "pop":
            return self.servers.pop_host, self.servers.pop_port
        return self.servers.imap_host, self.servers.imap_port

    # --- Steps -----------------------------------------------------------------------------------

    def by_google(self, *steps: str) -> tuple[str, ...]:
        """Steps that end on Google's own page. Programs set IMAP up that way."""
        return () if self.is_practice or self.incoming == "pop" else steps
