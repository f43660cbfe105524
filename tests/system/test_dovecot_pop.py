"""The contract for reading by POP, held to Dovecot."""

import pytest

from tests.contracts import pop
from tests.system.mail_servers import MailServers


@pytest.fixture
def server(servers: MailServers) -> MailServers:
    return servers


class TestLoggingIn(pop.LoggingIn):
    pass


class TestReading(pop.Reading):
    pass
