"""``kiosk tls``: encryption on the hospital's own network, with a certificate authority of its own."""

from pathlib import Path
from urllib.parse import urlsplit

import click

from kiosk.cli.running import CommandFailed, as_json, settings_now, tell
from kiosk.security import own_ca
from kiosk.settings.values import is_loopback
from tokens import qr


@click.group()
def tls() -> None:
    """Encryption (https) with a certificate of the hospital's own."""


@tls.command()
@click.argument("names", nargs=-1)
@as_json
def make(names: tuple[str, ...], json: bool) -> None:
    """Make a certificate for NAMES: the host names and IP addresses that devices open.

    Without NAMES, the host of KIOSK_PUBLIC_URL. The first time this also makes the authority, whose certificate is
    installed once on each device. Run it again to renew the certificate; the devices need nothing then.
    """
    settings = settings_now()
    host = urlsplit(settings.public_url).hostname or ""
    if not names and is_loopback(host):
        raise CommandFailed("name the host names or IP addresses that devices open, or set KIOSK_PUBLIC_URL")
    try:
        files = own_ca.make(settings.data_dir, list(names or (host,)), own_ca.utc_now())
    except (ValueError, OSError) as failure:
        raise CommandFailed(f"no certificate was made: {failure}") from None
    print_out = own_ca.fingerprint(files.ca)
    tell(
        json,
        {"certificate": str(files.certificate), "key": str(files.key), "ca": str(files.ca), "ca_sha256": print_out},
        f"certificate for {', '.join(names or (host,))} until {own_ca.ends_at(files.certificate):%Y-%m-%d}",
        "set these, then start the service again:",
        f"  KIOSK_TLS_CERTIFICATE={files.certificate}",
        f"  KIOSK_TLS_KEY={files.key}",
        f"devices install {files.ca} once; they open /tls for it (`kiosk tls qr FILE` writes the address as a QR code)",
        f"its SHA-256 fingerprint: {print_out}",
    )


@tls.command("qr")
@click.argument("file", type=click.Path(dir_okay=False, writable=True, path_type=Path))
@as_json
def qr_(file: Path, json: bool) -> None:
    """Write to FILE, as PNG, the QR code of the page from which devices install the authority's certificate."""
    settings = settings_now()
    files = own_ca.files_in(settings.data_dir)
    if not files.ca.exists():
        raise CommandFailed("there is no authority yet: run `kiosk tls make` first")
    address, print_out = f"{settings.public_url}/tls", own_ca.fingerprint(files.ca)
    file.write_bytes(qr.png(address))
    report = {"address": address, "ca_sha256": print_out, "file": str(file)}
    tell(json, report, f"wrote {file}: {address}", f"SHA-256 of the certificate: {print_out}")
