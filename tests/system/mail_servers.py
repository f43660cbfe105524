"""Private instances of real mail servers, which nobody here wrote: Dovecot and Postfix.

Accounts, app passwords and access tokens are the practice Gmail's, and so is the authority behind
the certificates; mail is the servers' own.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from imapclient import imap_utf7

from gmail.endpoints import Endpoints
from tests.contracts.mail import independent_imap
from tests.contracts.server import Place, ServerProtocol
from tests.gmail.cast import endpoints_of
from tests.practice.clients import OAuthClient
from tests.practice_gmail import PracticeGmail
from tests.system.dovecot import Dovecot, dovecot
from tests.system.dovecot_configuration import SENT
from tests.system.postfix import Postfix, postfix
from tests.system.private_server import open_folder


@dataclass(frozen=True)
class MailServers:
    """Dovecot for IMAP and POP, Postfix for SMTP: a `tests.contracts.server.MailServer`."""

    gmail: PracticeGmail
    dovecot: Dovecot
    postfix: Postfix
    endpoints: Endpoints
    address: str
    app_password: str
    gmail_search: bool = False
    sent_folder: str = SENT

    def fresh_token(self) -> str:
        return str(OAuthClient(self.gmail).connect(self.address)["access_token"])

    def put(self, message: bytes, place: Place = "inbox") -> None:
        folder = imap_utf7.encode({"inbox": "INBOX", "sent": self.sent_folder}[place]).decode()
        with independent_imap(self) as imap:
            status, answer = imap.append(f'"{folder}"', "", "", message)
        assert status == "OK", answer

    def accepted(self, recipient: str) -> list[bytes]:
        return self.postfix.accepted(recipient)

    def end_sessions(self, protocol: ServerProtocol) -> None:
        if protocol == "smtp":
            self.postfix.end_sessions()
        else:
            self.dovecot.end_sessions("pop3" if protocol == "pop" else protocol)


@contextmanager
def mail_servers(gmail: PracticeGmail, addresses: Sequence[str]) -> Iterator[MailServers]:
    """Both, for these accounts of `gmail`, the first of which is the tests' own.

    Raises ServersMissing where they cannot be had.
    """
    with (
        open_folder("mail") as folder,
        dovecot(folder, gmail, addresses) as imap_and_pop,
        postfix(folder, gmail, imap_and_pop) as smtp,
    ):
        endpoints = replace(
            endpoints_of(gmail),
            smtp_ssl_port=smtp.ssl_port,
            smtp_starttls_port=smtp.starttls_port,
            imap_port=imap_and_pop.imap_port,
            pop_port=imap_and_pop.pop_port,
        )
        address = addresses[0]
        password = gmail.app_password(address)
        yield MailServers(gmail, imap_and_pop, smtp, endpoints, address, password)
