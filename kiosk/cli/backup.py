"""``kiosk backup`` and ``kiosk restore``: one copy of everything that the service keeps, taken while it runs.

A backup is a folder: ``store.rdb`` (queues, tickets, pending replies, logins, settings of the facilities),
``archive.db``, ``voice.zip`` (recorded and made phrases, if there are any), ``settings.env`` (without secrets) and
``manifest.json``, which is written last. The archive is copied first: what happens between the two moments is read
again from the store's event log after a restore.
The key ring is not in it, because somebody who has both can open every profile.
"""

import hashlib
import os
import shutil
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

import click
import msgspec

from kiosk.archive import copying
from kiosk.archive.database import ArchiveAway, ArchiveUnsuitable, Database, default_url
from kiosk.cli.running import CommandFailed, as_json, settings_now, tell
from kiosk.security import keyring_file
from kiosk.settings import Settings, plain_texts
from kiosk.voice import copying as voices
from kiosk.voice.clips import FOLDER
from queueing.embedded.backup import copy_store, place_copy
from queueing.embedded.data_folder import FolderLock, private_folder
from queueing.embedded.server import attach_or_start
from tokens.errors import TokenError
from tokens.keyring import KeyRing

STORE_FILE: Final = "store.rdb"
ARCHIVE_FILE: Final = "archive.db"
VOICE_FILE: Final = "voice.zip"
SETTINGS_FILE: Final = "settings.env"
MANIFEST_FILE: Final = "manifest.json"
READ_BYTES: Final = 1 << 20


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup holds."""

    release: str
    taken_at: datetime
    """When the copy of the store was finished."""
    files: dict[str, str]
    """Name → SHA-256, hexadecimal."""


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--key-ring", type=click.Path(path_type=Path), help="Copy the key ring to this file too, on another disk."
)
@as_json
def backup(folder: Path, key_ring: Path | None, json: bool) -> None:
    """Copy store, archive, voices and settings to a new FOLDER. The service may run.

    The key ring is not in the folder. Whoever has both can open the profiles of patients: keep them in two places.
    """
    settings, target = settings_now(), folder.absolute()
    _need_own_store(settings)
    partial = _new_folder(target, settings.data_dir)
    try:
        copying.copy_out(_archive(settings), partial / ARCHIVE_FILE)
    except (ArchiveAway, ArchiveUnsuitable) as failure:
        raise CommandFailed(f"{failure}; nothing was copied") from None
    with attach_or_start(settings.data_dir):
        copy_store(settings.data_dir, partial / STORE_FILE)
    taken_at = datetime.now(UTC)
    voices.copy_out(settings.data_dir, partial / VOICE_FILE)
    (partial / SETTINGS_FILE).write_text(_settings_lines(), "utf-8")
    manifest = Manifest(release=version("abdm-kiosk"), taken_at=taken_at, files=_digests(partial))
    (partial / MANIFEST_FILE).write_bytes(msgspec.json.format(msgspec.json.encode(manifest)))
    _make_private_and_durable(partial)
    partial.rename(target)
    _flush(target.parent)
    if key_ring is not None:
        _copy_key_ring(settings.data_dir / keyring_file.FILE, key_ring.absolute(), target)
    where = f"the key ring is in {key_ring}" if key_ring else "the key ring is not in it: copy it to another place"
    size = sum(path.stat().st_size for path in target.iterdir())
    sentence = f"{target}: {size:,} bytes, as of {taken_at:%Y-%m-%d %H:%M:%S} UTC; {where}"
    tell(json, {"folder": str(target), "bytes": size, "taken_at": taken_at}, sentence)


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--key-ring", type=click.Path(path_type=Path), help="The copy of the key ring that belongs to it.")
@as_json
def restore(folder: Path, key_ring: Path | None, json: bool) -> None:
    """Make the data folder from the backup in FOLDER. The service must be stopped and the data folder empty."""
    settings, source = settings_now(), folder.absolute()
    _need_own_store(settings)
    manifest = _read_manifest(source)
    ring = _checked_ring(key_ring) if key_ring else None
    data = settings.data_dir
    _need_empty(data, ring is not None)
    private_folder(data)
    lock = FolderLock(data)
    if not lock.take(brief=True):
        raise CommandFailed(f"data folder {data} is in use: stop the service first")
    try:
        _place_archive(source / ARCHIVE_FILE, _archive(settings))
        if ring is not None:
            _write_private(data / keyring_file.FILE, ring)
        if VOICE_FILE in manifest.files:
            voices.copy_in(source / VOICE_FILE, data)
        place_copy(source / STORE_FILE, data)
    finally:
        lock.release()
    tell(json, {"taken_at": manifest.taken_at, "release": manifest.release}, *_after_restore(manifest, ring, settings))


def _archive(settings: Settings) -> Database:
    return Database(settings.archive_url or default_url(settings.data_dir))


def _need_own_store(settings: Settings) -> None:
    if settings.redis_url:
        raise CommandFailed("KIOSK_REDIS_URL is set: this store is yours, copy and restore it with its own means")


def _new_folder(target: Path, data: Path) -> Path:
    """A private folder beside the target, which becomes the target when it is complete."""
    if target.is_relative_to(data.absolute()):
        raise CommandFailed(f"{target} lies in the data folder: a backup belongs on another disk")
    if target.exists():
        raise CommandFailed(f"{target} exists: name a new folder for each backup")
    partial = target.with_name(target.name + ".partial")
    if partial.exists():  # of a backup that was broken off
        shutil.rmtree(partial)
    partial.mkdir(mode=0o700, parents=True)
    return partial


def _settings_lines() -> str:
    plain, secret = plain_texts()
    lines = [f"KIOSK_{name.upper()}={text}" for name, text in sorted(plain.items())]
    hidden = [f"# KIOSK_{name.upper()} is a secret and not copied" for name in sorted(secret)]
    return "".join(f"{line}\n" for line in (*lines, *hidden))


def _digests(folder: Path) -> dict[str, str]:
    return {path.name: _digest(path) for path in sorted(folder.iterdir())}


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while part := file.read(READ_BYTES):
            digest.update(part)
    return digest.hexdigest()


def _make_private_and_durable(folder: Path) -> None:
    for path in folder.iterdir():
        path.chmod(0o600)
        _flush(path)
    _flush(folder)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _copy_key_ring(source: Path, target: Path, backup_folder: Path) -> None:
    if target.is_relative_to(backup_folder):
        raise CommandFailed(f"the backup is complete; the key ring was not copied: {target} lies in the backup")
    if not source.exists():
        raise CommandFailed(f"the backup is complete; there is no key ring in {source.parent}")
    try:
        _write_private(target, source.read_bytes())
    except OSError as failure:
        reason = failure.strerror or type(failure).__name__
        raise CommandFailed(
            f"the backup is complete; the key ring could not be written to {target}: {reason}. "
            f"Make sure that the folder {target.parent} exists, and copy {source} there"
        ) from None


def _write_private(path: Path, data: bytes) -> None:
    """Replaces the file as a whole: an old copy of a key ring must not stay."""
    fresh = path.with_name(path.name + ".new")
    with open(fresh, "wb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    _flush(path.parent)


def _read_manifest(folder: Path) -> Manifest:
    """Raises CommandFailed for what is no whole backup."""
    try:
        manifest = msgspec.json.decode((folder / MANIFEST_FILE).read_bytes(), type=Manifest)
    except FileNotFoundError:
        raise CommandFailed(f"{folder} is no complete backup: it has no {MANIFEST_FILE}") from None
    except (OSError, msgspec.MsgspecError):
        raise CommandFailed(f"{folder / MANIFEST_FILE} cannot be read") from None
    for name in (STORE_FILE, ARCHIVE_FILE, *manifest.files.keys() & {VOICE_FILE}):
        path = folder / name
        if not path.is_file() or _digest(path) != manifest.files.get(name):
            raise CommandFailed(f"{path} is missing or damaged: take another backup")
    return manifest


def _checked_ring(path: Path) -> bytes:
    try:
        data = path.read_bytes()
        KeyRing.from_json(data)
    except OSError as failure:
        raise CommandFailed(f"{path} cannot be read: {failure.strerror}") from None
    except TokenError as broken:
        raise CommandFailed(f"{path} is no key ring: {broken}") from None
    return data


def _need_empty(data: Path, with_ring: bool) -> None:
    names = [ARCHIVE_FILE, "appendonlydir", FOLDER, *([keyring_file.FILE] if with_ring else [])]
    if found := [name for name in names if (data / name).exists()]:
        raise CommandFailed(f"data folder {data} holds {', '.join(found)}: move it away first")


def _place_archive(source: Path, database: Database) -> None:
    try:
        copying.copy_in(source, database)
    except (ArchiveAway, ArchiveUnsuitable) as failure:
        raise CommandFailed(f"{failure}; nothing was restored") from None


def _after_restore(manifest: Manifest, ring: bytes | None, settings: Settings) -> list[str]:
    lines = [f"{settings.data_dir} is as it was at {manifest.taken_at:%Y-%m-%d %H:%M:%S} UTC: start the service"]
    if ring is None and not (settings.data_dir / keyring_file.FILE).exists():
        lines.append("without the key ring profiles of before stay closed and printed links do not work: --key-ring")
    lines.append("tickets given after that moment are gone, and their numbers may be given again: tell the counters")
    return lines
