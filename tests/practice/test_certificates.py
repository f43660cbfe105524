"""The certificate authority: strict clients trust it, and it renews in time."""

import socket
import ssl
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from practice import certificates
from practice.certificates import ensure_certificates
from tests.practice.clients import ANA
from tests.practice_gmail import PracticeGmail

FILES = ["ca.pem", "ca.key", "server.pem", "server.key"]


def contents(directory: Path) -> list[bytes]:
    return [(directory / name).read_bytes() for name in FILES]


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "::1"])
def test_it_is_trusted_by_a_strict_client(gmail: PracticeGmail, name: str) -> None:
    context = ssl.create_default_context(cafile=gmail.env["GMAIL_CA_FILE"])
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    port = int(gmail.env["GMAIL_SMTP_SSL_PORT"])
    with (
        socket.create_connection(("127.0.0.1", port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname=name) as secure,
    ):
        assert secure.recv(4) == b"220 "


def test_it_is_trusted_under_no_other_name_and_by_no_one_else(gmail: PracticeGmail) -> None:
    port = int(gmail.env["GMAIL_SMTP_SSL_PORT"])
    own = ssl.create_default_context(cafile=gmail.env["GMAIL_CA_FILE"])
    for context, name in [(own, "smtp.gmail.com"), (ssl.create_default_context(), "localhost")]:
        with (
            socket.create_connection(("127.0.0.1", port), timeout=10) as plain,
            pytest.raises(ssl.SSLCertVerificationError),
        ):
            context.wrap_socket(plain, server_hostname=name)


def test_it_keeps_its_keys_to_itself_and_shows_its_certificates(tmp_path: Path) -> None:
    ensure_certificates(tmp_path)
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in FILES]
    assert modes == [0o644, 0o600, 0o644, 0o600]


def test_it_uses_its_certificates_again(tmp_path: Path) -> None:
    ensure_certificates(tmp_path)
    before = contents(tmp_path)
    ensure_certificates(tmp_path)
    assert contents(tmp_path) == before


def test_it_renews_a_server_certificate_that_ends_soon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as short:
        short.setattr(certificates, "SERVER_LIFE", timedelta(days=29))
        ensure_certificates(tmp_path)
    authority, _, server, _ = contents(tmp_path)
    renewed = ensure_certificates(tmp_path).certificate
    assert contents(tmp_path)[0] == authority
    assert contents(tmp_path)[2] != server
    assert renewed.not_valid_after_utc - datetime.now(UTC) > timedelta(days=300)
    renewed.verify_directly_issued_by(x509.load_pem_x509_certificate(authority))


def test_it_renews_everything_when_the_authority_ends_soon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as short:
        short.setattr(certificates, "AUTHORITY_LIFE", timedelta(days=29))
        ensure_certificates(tmp_path)
    before = contents(tmp_path)
    ensure_certificates(tmp_path)
    assert not set(before) & set(contents(tmp_path))


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", [None, b"", b"nonsense"])
def test_it_makes_anew_what_is_missing_or_damaged(
    tmp_path: Path, name: str, damage: bytes | None
) -> None:
    ensure_certificates(tmp_path)
    if damage is None:
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_bytes(damage)
    server = ensure_certificates(tmp_path)
    authority = x509.load_pem_x509_certificate((tmp_path / "ca.pem").read_bytes())
    server.certificate.verify_directly_issued_by(authority)
    assert server.certificate.public_key() == server.key.public_key()


def test_it_serves_with_a_renewed_authority(tmp_path: Path) -> None:
    directory = tmp_path / "gmail"
    with PracticeGmail(directory, accounts=[ANA]):
        pass
    (directory / "ca.key").unlink()
    with PracticeGmail(directory, accounts=[ANA]) as gmail:
        test_it_is_trusted_by_a_strict_client(gmail, "localhost")
