"""The certificate authority of the practice Gmail, and the certificate of its servers.

Keys are EC P-256 and stay in the data directory, mode 0600. Both certificates are used again on
the next start, and made anew when less than 30 days of them are left. Their dates follow the real
clock, never the practice clock: the client that checks them knows only the former.
"""

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from practice.private_files import write_private

AUTHORITY_LIFE = timedelta(days=3650)
SERVER_LIFE = timedelta(days=397)
RENEW_BEFORE = timedelta(days=30)
# Clients whose clock is a little behind must not find a certificate from the future.
BACKDATED = timedelta(days=1)


@dataclass(frozen=True)
class KeyAndCertificate:
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate


def ensure_certificates(directory: Path) -> KeyAndCertificate:
    """Return the servers' key and certificate; ``ca.pem`` in ``directory`` is its trust root."""
    authority = _load(directory, "ca")
    if authority is None:
        authority = _new_authority()
        _save(directory, "ca", authority)
        server = None
    else:
        server = _load(directory, "server")
    if server is None or server.certificate.issuer != authority.certificate.subject:
        server = _new_server(authority)
        _save(directory, "server", server)
    return server


def _load(directory: Path, name: str) -> KeyAndCertificate | None:
    """Read a pair; None when it is missing, unreadable, unmatched or near its end."""
    try:
        key = serialization.load_pem_private_key((directory / f"{name}.key").read_bytes(), None)
        certificate = x509.load_pem_x509_certificate((directory / f"{name}.pem").read_bytes())
    except (FileNotFoundError, ValueError):
        return None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        return None
    if certificate.public_key() != key.public_key():
        return None
    if certificate.not_valid_after_utc - datetime.now(UTC) < RENEW_BEFORE:
        return None
    return KeyAndCertificate(key, certificate)


def _save(directory: Path, name: str, pair: KeyAndCertificate) -> None:
    pem = serialization.Encoding.PEM
    key = pair.key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    write_private(directory / f"{name}.key", key)
    write_private(directory / f"{name}.pem", pair.certificate.public_bytes(pem))
    # Certificates are no secret, and the trust root is read by whoever connects.
    (directory / f"{name}.pem").chmod(0o644)


def _new_authority() -> KeyAndCertificate:
    key = ec.generate_private_key(ec.SECP256R1())
    # The serial in the name tells two authorities apart when one replaced the other.
    serial = x509.random_serial_number()
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, "Practice Gmail authority"),
            x509.NameAttribute(NameOID.SERIAL_NUMBER, f"{serial:x}"[:16]),
        ]
    )
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    builder = (
        _builder(name, name, key, AUTHORITY_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .add_extension(identifier, critical=False)
    )
    return KeyAndCertificate(key, builder.sign(key, hashes.SHA256()))


def _new_server(authority: KeyAndCertificate) -> KeyAndCertificate:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Practice Gmail")])
    names = x509.SubjectAlternativeName(
        [
            x509.DNSName("localhost"),
            x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
            x509.IPAddress(ipaddress.ip_address("::1")),
        ]
    )
    issuer_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key())
    builder = (
        _builder(name, authority.certificate.subject, key, SERVER_LIFE)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(names, critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(issuer_key, critical=False)
    )
    return KeyAndCertificate(key, builder.sign(authority.key, hashes.SHA256()))


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, life: timedelta
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + life)
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
