"""``kiosk keys``: the signing keys. Running processes believe a change within five seconds."""

import time
from datetime import UTC, datetime

import click

from kiosk.cli.running import a_table, as_json, settings_now, tell
from kiosk.security.keyring_file import KeysOnDisk


@click.group()
def keys() -> None:
    """Signing keys."""


@keys.command()
@as_json
def rotate(json: bool) -> None:
    """Sign with the next key. What the present one signed stays good for its life; no honest scan is refused."""
    now_s = int(time.time())
    ring = KeysOnDisk(settings_now().data_dir).change(lambda before: before.rotate(now_s), now_s)
    tell(json, {"signing": ring.signing.kid}, f"signing with {ring.signing.kid} from now on")


@keys.command()
@click.argument("kid")
@as_json
def revoke(kid: str, json: bool) -> None:
    """Disbelieve the key KID at once: what it signed is refused, and people scan again. For a key that leaked."""
    now_s = int(time.time())
    ring = KeysOnDisk(settings_now().data_dir).change(lambda before: before.revoke(kid, now_s), now_s)
    tell(json, {"signing": ring.signing.kid, "revoked": kid}, f"{kid} is revoked; signing with {ring.signing.kid}")


@keys.command("list")
@as_json
def list_(json: bool) -> None:
    """List the keys, without their secrets."""
    ring = KeysOnDisk(settings_now().data_dir).load_or_create(int(time.time()))
    told = [{"kid": one.kid, "state": one.state.value, "since": _moment(one.since_s)} for one in ring.generations]
    rows = [(one["kid"], one["state"], one["since"]) for one in told]
    tell(json, told, *a_table(("KEY", "STATE", "SINCE"), rows))


def _moment(at_s: int) -> str:
    return datetime.fromtimestamp(at_s, UTC).isoformat()
