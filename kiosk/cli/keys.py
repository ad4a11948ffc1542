"""``kiosk keys``: the signing keys. Running processes use a change within five seconds."""

import time
from datetime import UTC, datetime

import click

from kiosk.cli.running import a_table, as_json, settings_now, tell
from kiosk.security.keyring_file import KeysOnDisk
from tokens import KeyRing


@click.group()
def keys() -> None:
    """Signing keys."""


@keys.command()
@as_json
def rotate(json: bool) -> None:
    """Sign with the next key. Codes and links of the present key stay valid until they expire."""
    now_s = int(time.time())
    ring = KeysOnDisk(settings_now().data_dir).change(lambda before: before.rotate(now_s), now_s)
    tell(json, {"signing": ring.signing.kid}, f"signing with {ring.signing.kid} from now on")


@keys.command()
@click.argument("kid", required=False)
@click.option("--all", "everything", is_flag=True, help="Every key, after the key ring was stolen. All sessions end.")
@as_json
def revoke(kid: str | None, everything: bool, json: bool) -> None:
    """Revoke key KID now. Codes and links signed with it stop working; patients must scan again.

    If somebody may have read keyring.json, use --all: that file has every key.
    """
    if everything == (kid is not None):
        raise click.UsageError("name one KID, or --all")
    now_s = int(time.time())
    files = KeysOnDisk(settings_now().data_dir)
    before = {one.kid for one in files.load_or_create(now_s).believed}
    ring = files.change(lambda ring: ring.revoke_all(now_s) if kid is None else ring.revoke(kid, now_s), now_s)
    revoked = sorted(before - {one.kid for one in ring.believed})
    tell(json, {"signing": ring.signing.kid, "revoked": revoked}, *_what_ended(revoked, ring, everything=everything))


def _what_ended(revoked: list[str], ring: KeyRing, *, everything: bool) -> list[str]:
    lines = [f"revoked: {', '.join(revoked) or 'nothing new'}; signing with {ring.signing.kid}"]
    if everything:
        return [
            *lines,
            "All sessions of staff have ended. Tickets and links that were given out are refused: patients scan again.",
            "Codes of authenticator apps are refused: sign in by recovery code, or run `kiosk staff reset-totp LOGIN`.",
            "Profiles sealed from now on have new keys. Copy keyring.json to every other machine of this kiosk.",
        ]
    if len(revoked) > 1:
        lines.append("The next key was revoked too: it lay in the same file.")
    return [*lines, "If somebody read keyring.json, this is not enough: kiosk keys revoke --all"]


@keys.command("list")
@as_json
def list_(json: bool) -> None:
    """List the keys, without their secrets."""
    ring = KeysOnDisk(settings_now().data_dir).load_or_create(int(time.time()))
    listed = [{"kid": one.kid, "state": one.state.value, "since": _moment(one.since_s)} for one in ring.generations]
    rows = [(one["kid"], one["state"], one["since"]) for one in listed]
    tell(json, listed, *a_table(("KEY", "STATE", "SINCE"), rows))


def _moment(at_s: int) -> str:
    return datetime.fromtimestamp(at_s, UTC).isoformat()
