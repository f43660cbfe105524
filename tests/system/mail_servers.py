"""Private instances of real mail servers, which nobody here wrote: Dovecot and Postfix.

with mail_servers(practice_gmail, ["ana@gmail.com"]) as servers:
    servers.endpoints           # for the sessions of `gmail`
    servers.dovecot.put("ana@gmail.com", "INBOX", b"Subject: Hello\\r\\n\\r\\n")
    servers.postfix.accepted("someone@example.org")

Accounts, app passwords and access tokens are the practice Gmail's, and so is the authority behind
the certificates; mail is the servers' own.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from gmail.endpoints import Endpoints
from tests.gmail.cast import endpoints_of
from tests.practice_gmail import PracticeGmail
from tests.system.dovecot import Dovecot, dovecot
from tests.system.postfix import Postfix, postfix
from tests.system.private_server import open_folder


@dataclass(frozen=True)
class MailServers:
    """Dovecot for IMAP and POP, Postfix for SMTP; tokens come from the practice Gmail."""

    gmail: PracticeGmail
    dovecot: Dovecot
    postfix: Postfix

    @property
    def endpoints(self) -> Endpoints:
        return replace(
            endpoints_of(self.gmail),
            smtp_ssl_port=self.postfix.ssl_port,
            smtp_starttls_port=self.postfix.starttls_port,
            imap_port=self.dovecot.imap_port,
            pop_port=self.dovecot.pop_port,
        )


@contextmanager
def mail_servers(gmail: PracticeGmail, addresses: Sequence[str]) -> Iterator[MailServers]:
    """Both, for these accounts of `gmail`, until the end of the block.

    Raises ServersMissing where they cannot be had.
    """
    with (
        open_folder("mail") as folder,
        dovecot(folder, gmail, addresses) as imap_and_pop,
        postfix(folder, gmail, imap_and_pop) as smtp,
    ):
        yield MailServers(gmail, imap_and_pop, smtp)
