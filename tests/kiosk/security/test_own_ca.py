"""The hospital's own certificate: devices that trust its authority trust the service, and nobody else's."""

import ssl
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from cryptography import x509

from kiosk.security import own_ca
from tests.kiosk.in_process import kiosk
from tests.kiosk.process_tree import serving

NOW = datetime(2026, 11, 28, tzinfo=UTC)


def test_a_renewed_certificate_is_signed_by_the_same_authority(tmp_path: Path) -> None:
    files = own_ca.make(tmp_path, ["opd.lan"], NOW)
    authority, first = files.ca.read_bytes(), files.certificate.read_bytes()
    own_ca.make(tmp_path, ["opd.lan", "192.0.2.10"], NOW + timedelta(days=300))
    assert files.ca.read_bytes() == authority
    assert files.certificate.read_bytes() != first
    renewed = x509.load_pem_x509_certificate(files.certificate.read_bytes())
    renewed.verify_directly_issued_by(x509.load_pem_x509_certificate(authority))
    names = renewed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["opd.lan"]
    assert [str(one) for one in names.get_values_for_type(x509.IPAddress)] == ["192.0.2.10"]
    assert renewed.not_valid_after_utc - renewed.not_valid_before_utc <= timedelta(days=398)


def test_keys_are_private(tmp_path: Path) -> None:
    files = own_ca.make(tmp_path, ["opd.lan"], NOW)
    assert {stat.S_IMODE(path.stat().st_mode) for path in (files.key, files.ca_key)} == {0o600}
    assert stat.S_IMODE(files.folder.stat().st_mode) == 0o700


@pytest.mark.parametrize("name", ["", "two words", "क.lan", "http://opd.lan", "a" * 254])
def test_a_name_that_no_certificate_can_hold_is_refused_and_nothing_is_made(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="neither"):
        own_ca.make(tmp_path, [name], NOW)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.proof
def test_the_service_is_trusted_with_the_authority_installed_and_not_without(tmp_path: Path) -> None:
    data = tmp_path / "data"
    made = kiosk(data, "tls", "make", "127.0.0.1", "localhost")
    assert made.returncode == 0, made.stderr
    files = own_ca.files_in(data)
    settings = {"KIOSK_TLS_CERTIFICATE": str(files.certificate), "KIOSK_TLS_KEY": str(files.key)}
    trusting = ssl.create_default_context(cafile=files.ca)
    with serving(data, KIOSK_HOST="0.0.0.0", **settings) as tree:
        url = tree.ready()
        assert url.startswith("https://127.0.0.1:")
        with urlopen(f"{url}/tls", context=trusting) as answer:  # noqa: S310 - an address of the test's own
            assert own_ca.fingerprint(files.ca) in answer.read().decode()
        with urlopen(f"{url}/tls/ca.crt", context=trusting) as answer:  # noqa: S310 - as above
            assert answer.read() == files.ca.read_bytes()
        with pytest.raises(URLError, match="certificate verify failed"):
            urlopen(f"{url}/tls")  # noqa: S310 - as above


@pytest.mark.proof
def test_without_encryption_signing_in_on_the_network_needs_an_explicit_setting(tmp_path: Path) -> None:
    open_lan = {"KIOSK_HOST": "0.0.0.0", "KIOSK_PUBLIC_URL": "http://192.0.2.10:8000"}
    with serving(tmp_path / "closed", **open_lan) as tree, urlopen(_login(tree.ready())) as answer:  # noqa: S310 - as above
        assert "Sign-in is closed here" in answer.read().decode()
    with (
        serving(tmp_path / "open", **open_lan, KIOSK_INSECURE_LAN="yes") as tree,
        urlopen(_login(tree.ready())) as answer,  # noqa: S310 - as above
    ):
        assert "Sign-in is closed here" not in answer.read().decode()


def _login(url: str) -> str:
    return f"{url.replace('0.0.0.0', '127.0.0.1')}/console/login"
