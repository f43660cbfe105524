import os
import ssl
from dataclasses import replace
from pathlib import Path

import pytest

from gmail.endpoints import Endpoints, is_loopback
from practice.certificates import ensure_certificates


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.0.3", "::1", "[::1]"])
def test_it_knows_this_machine(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["smtp.gmail.com", "10.0.0.1", "localhost.example.org", ""])
def test_it_knows_other_machines(host: str) -> None:
    assert not is_loopback(host)


def test_it_says_whether_mail_leaves_this_machine(endpoints: Endpoints) -> None:
    assert endpoints.on_this_machine
    assert not replace(endpoints, smtp_host="smtp.gmail.com").on_this_machine


def test_it_trusts_the_further_root_and_checks_host_names(endpoints: Endpoints) -> None:
    context = endpoints.ssl_context()
    subjects = [str(root["subject"]) for root in context.get_ca_certs()]
    assert any("Practice" in subject for subject in subjects), subjects
    assert context.check_hostname
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2


def test_it_trusts_the_further_root_beside_those_of_the_system(
    endpoints: Endpoints, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_system, further = (authority(tmp_path / name) for name in ("system", "further"))
    monkeypatch.setenv("SSL_CERT_FILE", str(of_system))
    trusted = replace(endpoints, ca_file=str(further)).ssl_context().get_ca_certs(binary_form=True)
    for root in (of_system, further):
        assert ssl.PEM_cert_to_DER_cert(root.read_text()) in trusted


def test_it_reads_the_roots_once_for_all_sessions_and_anew_when_they_were_written_anew(
    endpoints: Endpoints, tmp_path: Path
) -> None:
    root = tmp_path / "ca.pem"
    root.write_text(authority(tmp_path / "old").read_text())
    mine = replace(endpoints, ca_file=str(root))
    old = mine.shared_ssl_context()
    assert mine.shared_ssl_context() is old
    assert mine.shared_ssl_context("https") is mine.shared_ssl_context("https")
    assert old not in (mine.ssl_context(), mine.shared_ssl_context("https"))
    replacement = authority(tmp_path / "new").read_text()
    root.write_text(replacement)
    os.utime(root, ns=(0, 0))
    trusted = mine.shared_ssl_context().get_ca_certs(binary_form=True)
    assert ssl.PEM_cert_to_DER_cert(replacement) in trusted
    root.unlink()
    with pytest.raises(OSError, match="No such file"):
        mine.shared_ssl_context()


def authority(directory: Path) -> Path:
    directory.mkdir()
    ensure_certificates(directory)
    return directory / "ca.pem"


def test_it_does_not_show_its_secret(endpoints: Endpoints) -> None:
    assert endpoints.client_secret
    assert endpoints.client_secret not in repr(endpoints)
