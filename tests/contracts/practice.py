"""The practice Gmail as one of the servers that the contracts are held to."""

from dataclasses import dataclass

from imapclient import imap_utf7

from gmail.endpoints import Endpoints
from tests.contracts.mail import independent_imap
from tests.contracts.server import Place, ServerProtocol
from tests.gmail.cast import endpoints_of
from tests.practice.clients import OAuthClient
from tests.practice_gmail import PracticeGmail

SENT = "[Gmail]/Gesendete & geprüfte"


@dataclass(frozen=True)
class PracticeServer:
    gmail: PracticeGmail
    endpoints: Endpoints
    address: str
    app_password: str
    gmail_search: bool = True
    sent_folder: str = SENT

    @classmethod
    def of(cls, gmail: PracticeGmail, address: str) -> "PracticeServer":
        return cls(gmail, endpoints_of(gmail), address, gmail.app_password(address))

    @property
    def login(self) -> dict[str, str]:
        return {"address": self.address, "app_password": self.app_password}

    def fresh_token(self) -> str:
        return str(OAuthClient(self.gmail).connect(self.address)["access_token"])

    def put(self, message: bytes, place: Place = "inbox") -> None:
        name = imap_utf7.encode({"inbox": "INBOX", "sent": SENT}[place]).decode()
        with independent_imap(self) as imap:
            status, said = imap.append(f'"{name}"', None, None, message)
        assert status == "OK", said

    def accepted(self, recipient: str) -> list[bytes]:
        ids = [row["id"] for row in self.gmail.ledger() if row["to"] == recipient]
        return [(self.gmail.directory / "mail" / f"{each}.eml").read_bytes() for each in ids]

    def recipients(self) -> list[str]:
        """Of every message that was accepted."""
        return [row["to"] for row in self.gmail.ledger()]

    def end_sessions(self, protocol: ServerProtocol) -> None:
        self.gmail.control(end_sessions=protocol)
