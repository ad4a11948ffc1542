"""The hospital's own certificate authority: TLS on its network without an outside service.

``make`` writes four files into ``tls/`` of the data folder: the authority's certificate and key, and the server's. The
authority's certificate is installed once on the hospital's devices; the server's is renewed without touching them.
Keys are EC P-256: every television with TLS 1.2 verifies them.
"""

import ipaddress
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CA_DAYS: Final = 3650
"""Installing a new one on every device of a hospital is much work, so it lives ten years."""
SERVER_DAYS: Final = 397
"""Apple's devices refuse server certificates that live longer than 398 days."""
RENEW_DAYS: Final = 30
"""``kiosk doctor`` warns this long before the end."""
NAMES_MAX: Final = 16
_EARLIER: Final = timedelta(days=1)
"""Devices whose clock is behind must not refuse a new certificate."""


@dataclass(frozen=True)
class Files:
    """Where the four files stand."""

    folder: Path

    @property
    def ca(self) -> Path:
        return self.folder / "ca.crt"

    @property
    def ca_key(self) -> Path:
        return self.folder / "ca.key"

    @property
    def certificate(self) -> Path:
        return self.folder / "server.crt"

    @property
    def key(self) -> Path:
        return self.folder / "server.key"


def files_in(data_dir: Path) -> Files:
    return Files(data_dir / "tls")


def make(data_dir: Path, names: list[str], now: datetime) -> Files:
    """Make the authority if there is none, and a new server certificate for ``names`` (host names or IP addresses).

    Raises ValueError for a name that cannot stand in a certificate.
    """
    if not 1 <= len(names) <= NAMES_MAX:
        raise ValueError(f"1 to {NAMES_MAX} names, not {len(names)}")
    alternatives = x509.SubjectAlternativeName([_name(name) for name in names])
    files = files_in(data_dir)
    files.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not files.ca.exists():
        _make_ca(files, names[0], now)
    _make_server(files, alternatives, names[0], now)
    return files


def fingerprint(certificate: Path) -> str:
    """SHA-256 of a certificate, as devices show it: pairs of hexadecimal digits."""
    digest = x509.load_pem_x509_certificate(certificate.read_bytes()).fingerprint(hashes.SHA256())
    return digest.hex(":").upper()


def ends_at(certificate: Path) -> datetime:
    return x509.load_pem_x509_certificate(certificate.read_bytes()).not_valid_after_utc


def _name(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        pass
    if not text.isascii() or not text or len(text) > 253 or not all(c.isalnum() or c in ".-" for c in text):
        raise ValueError(f"{text[:60]!r} is neither a host name nor an IP address")
    return x509.DNSName(text.lower())


def _make_ca(files: Files, name: str, now: datetime) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Scan and Share kiosk {name}"[:64])])
    certificate = (
        _builder(subject, subject, key.public_key(), now, CA_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(ca=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    _write(files.ca_key, _pem(key), 0o600)
    _write(files.ca, certificate.public_bytes(Encoding.PEM), 0o644)


def _make_server(files: Files, alternatives: x509.SubjectAlternativeName, name: str, now: datetime) -> None:
    ca = x509.load_pem_x509_certificate(files.ca.read_bytes())
    ca_key = load_pem_private_key(files.ca_key.read_bytes(), password=None)
    if not isinstance(ca_key, ec.EllipticCurvePrivateKey):
        raise ValueError(f"{files.ca_key} holds no key of ours")
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])
    certificate = (
        _builder(subject, ca.subject, key.public_key(), now, SERVER_DAYS)
        .add_extension(alternatives, critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(ca=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    _write(files.key, _pem(key), 0o600)
    _write(files.certificate, certificate.public_bytes(Encoding.PEM), 0o644)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime, days: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _EARLIER)
        .not_valid_after(now + timedelta(days=days))
    )


def _usage(*, ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=ca,
        crl_sign=ca,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _write(path: Path, content: bytes, mode: int) -> None:
    """Whole or not at all; never readable by others while it is written."""
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def utc_now() -> datetime:
    return datetime.now(UTC)
