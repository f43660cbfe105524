"""What a server must offer a test, so that the cases of this folder can be run against it.

The cases are in `smtp.py`, `imap.py` and `pop.py`: classes of tests that ask for the fixture
`server`. A test module that wants them run defines that fixture and a class for each of theirs:

    class TestReading(imap.Reading):
        pass
"""

from typing import Literal, Protocol

from gmail.endpoints import Endpoints

ServerProtocol = Literal["smtp", "imap", "pop"]
Place = Literal["inbox", "sent"]


class MailServer(Protocol):
    """A running server with one mailbox that is the tests' own; they add to it and never clean up.

    The fixture may live for a whole module. Each test uses Message-IDs and recipients of its own.
    """

    # Where it listens, and in `ca_file` the root of its certificate. It is for "127.0.0.1".
    endpoints: Endpoints
    address: str
    app_password: str
    # Whether IMAP offers X-GM-EXT-1.
    gmail_search: bool
    # What the folder with \Sent is called, in another language than English.
    sent_folder: str

    def fresh_token(self) -> str:
        """An access token for `address` that is good for some minutes; a new one each time."""

    def put(self, message: bytes, place: Place = "inbox") -> None:
        """File a message, unread, byte for byte; it is to be seen by IMAP (and, in the inbox, by
        POP) on return."""

    def accepted(self, recipient: str) -> list[bytes]:
        """The messages that SMTP accepted for this recipient, oldest first.

        Each as it was received; header fields may have been added at its top. Waits until what
        was accepted before is there.
        """

    def end_sessions(self, protocol: ServerProtocol) -> None:
        """Close the live sessions of this protocol, as the server does when their time is over."""
