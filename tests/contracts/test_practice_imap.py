"""The contract for reading by IMAP, held to the practice Gmail."""

from tests.contracts import imap


class TestLoggingIn(imap.LoggingIn):
    pass


class TestReading(imap.Reading):
    pass
