"""The contract for sending by SMTP, held to Postfix with Dovecot's SASL."""

import pytest

from tests.contracts import smtp
from tests.system.mail_servers import MailServers


@pytest.fixture
def server(servers: MailServers) -> MailServers:
    return servers


class TestLoggingIn(smtp.LoggingIn):
    pass


class TestLoggingInAfterStartTls(smtp.LoggingInAfterStartTls):
    pass


class TestSending(smtp.Sending):
    pass
