"""``kiosk audit``: what staff did and read, as the archive keeps it."""

import time
from datetime import UTC, datetime, timedelta

import click

from kiosk.archive import audit_chain
from kiosk.archive.audit_chain import Keys, Verdict
from kiosk.cli.archive_commands import opened_archive
from kiosk.cli.running import CommandFailed, as_json, settings_now, tell
from kiosk.security.keyring_file import KeysOnDisk
from kiosk.settings import Settings


@click.group()
def audit() -> None:
    """What staff did and read, as the archive keeps it."""


@audit.command()
@as_json
def verify(json: bool) -> None:
    """Walk all chains and seals. Fails and names the first line that was changed, removed, moved or put in.

    Keep the printed seal outside this machine: the next one must follow it.
    """
    verdict = _verdict(settings_now())
    sentence = f"{verdict.lines:,} lines and {verdict.seals:,} daily seals fit; "
    sentence += f"the newest seal is {verdict.newest}" if verdict.seals else "the first seal is made after midnight UTC"
    tell(json, verdict, *([] if verdict.fault else [sentence]))
    if verdict.fault:
        raise CommandFailed(f"the audit does not fit: {verdict.fault}")


def _verdict(settings: Settings) -> Verdict:
    keys = Keys.of(KeysOnDisk(settings.data_dir).load_or_create(int(time.time())).audit_keys())
    today = datetime.now(UTC).date()
    with opened_archive(settings) as database, database.reading() as connection:
        return audit_chain.verify(connection, today, today - timedelta(days=settings.audit_days), keys)
