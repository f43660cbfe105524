"""The contract for sending by SMTP, held to the practice Gmail."""

from tests.contracts import smtp


class TestLoggingIn(smtp.LoggingIn):
    pass


class TestLoggingInAfterStartTls(smtp.LoggingInAfterStartTls):
    pass


class TestSending(smtp.Sending):
    pass
