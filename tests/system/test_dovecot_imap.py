"""The contract for reading by IMAP, held to Dovecot."""

import pytest

from tests.contracts import imap
from tests.system.mail_servers import MailServers


@pytest.fixture
def server(servers: MailServers) -> MailServers:
    return servers


class TestLoggingIn(imap.LoggingIn):
    pass


class TestReading(imap.Reading):
    pass
