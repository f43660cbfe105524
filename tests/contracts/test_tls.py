"""Who is not the server it should be hears nothing; who says nothing is not waited for."""

import ipaddress
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from gmail.endpoints import Endpoints
from gmail.errors import GmailError, Unreachable
from gmail.imap import ImapSession
from gmail.pop import PopSession
from gmail.smtp import SmtpSession
from tests.contracts.practice import PracticeServer
from tests.gmail.scripted_server import EHLO, GREETING, ScriptedServer, Step, read, start_tls

Way = Callable[[Endpoints], object]
LOGIN = {"address": "ana@gmail.com", "app_password": "abcd efgh ijkl mnop", "timeout": 1}
WAYS: dict[str, Way] = {
    "smtp": lambda at: SmtpSession.open(at, security="ssl", **LOGIN),
    "smtp after STARTTLS": lambda at: SmtpSession.open(at, security="starttls", **LOGIN),
    "imap": lambda at: ImapSession.open(at, **LOGIN),
    "pop": lambda at: PopSession.open(at, **LOGIN),
}
NOW = datetime.now(UTC)
DAY = timedelta(days=1)


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize(
    ("name", "ends", "reason"),
    [
        ("mail.example.org", NOW + DAY, "IP address mismatch"),
        ("127.0.0.1", NOW - DAY, "expired"),
    ],
    ids=["another name", "expired"],
)
def test_it_says_nothing_to_a_server_with_a_wrong_certificate(
    server: PracticeServer, tmp_path: Path, way: str, name: str, ends: datetime, reason: str
) -> None:
    script: list[Step] = []
    if way == "smtp after STARTTLS":
        offer = EHLO.replace(b"8BITMIME", b"STARTTLS")
        script = [GREETING, read, offer, read, b"220 Go\r\n", start_tls(tmp_path)]
    impostor = ScriptedServer(tmp_path, script, tls=not script)
    certify_badly(tmp_path, name, ends)
    with impostor:
        with pytest.raises(Unreachable, match=f"certificate is not trusted.*{reason}"):
            WAYS[way](impostor.endpoints(server.endpoints))
        impostor.wait()
    assert impostor.heard in (b"", b"ehlo [127.0.0.1]\r\nSTARTTLS\r\n")


def certify_badly(directory: Path, name: str, ends: datetime) -> None:
    """Put a certificate of the authority in `directory` in the place of the server's own."""
    authority = x509.load_pem_x509_certificate((directory / "ca.pem").read_bytes())
    authority_key = serialization.load_pem_private_key((directory / "ca.key").read_bytes(), None)
    assert isinstance(authority_key, ec.EllipticCurvePrivateKey)
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Somebody")]))
        .issuer_name(authority.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - 10 * DAY)
        .not_valid_after(ends)
        .add_extension(x509.SubjectAlternativeName([alternative(name)]), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (directory / "server.pem").write_bytes(certificate.public_bytes(pem))
    (directory / "server.key").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )


def alternative(name: str) -> x509.GeneralName:
    if name[0].isdigit():
        return x509.IPAddress(ipaddress.ip_address(name))
    return x509.DNSName(name)


@pytest.fixture
def mute() -> Iterator[socket.socket]:
    """A port that answers no connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


def test_it_does_not_wait_for_a_server_that_says_nothing(
    server: PracticeServer, mute: socket.socket, way: str
) -> None:
    at = on_port(server, mute.getsockname()[1])
    with pytest.raises(Unreachable, match="no answer in time"):
        within_20_seconds(lambda: WAYS[way](at))


def within_20_seconds(attempt: Callable[[], object]) -> None:
    """Raises what `attempt` raises, or TimeoutError in place of waiting for ever with it."""
    ended: Future[object] = Future()

    def run() -> None:
        try:
            ended.set_result(attempt())
        except GmailError as error:
            ended.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    ended.result(20)


def test_it_does_not_wait_for_a_server_that_says_nothing_under_tls(
    server: PracticeServer, tmp_path: Path, way: str
) -> None:
    with (
        ScriptedServer(tmp_path, [], tls=way != "smtp after STARTTLS") as silent,
        pytest.raises(Unreachable, match="no answer in time"),
    ):
        WAYS[way](silent.endpoints(server.endpoints))


def test_it_is_unreachable_where_nobody_listens(server: PracticeServer, way: str) -> None:
    with pytest.raises(Unreachable, match="refused"):
        WAYS[way](on_port(server, 1))


def test_it_is_unreachable_where_tls_is_not_spoken(
    server: PracticeServer, tmp_path: Path, way: str
) -> None:
    """An implicit TLS port in plain text; for STARTTLS, a server that was stripped of it."""
    with ScriptedServer(tmp_path, [GREETING, read, EHLO], tls=False) as plain:
        with pytest.raises(Unreachable, match="TLS"):
            WAYS[way](plain.endpoints(server.endpoints))
        plain.wait()
    assert b"AUTH" not in plain.heard


def on_port(server: PracticeServer, port: int) -> Endpoints:
    return replace(
        server.endpoints,
        smtp_ssl_port=port,
        smtp_starttls_port=port,
        imap_port=port,
        pop_port=port,
    )
