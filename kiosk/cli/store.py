"""``kiosk store``: look at the journal of the embedded store, and repair it after damage."""

from pathlib import Path

import click

from kiosk.cli.running import CommandFailed, as_json, settings_now, tell
from queueing.embedded.data_folder import FolderLock, private_folder
from queueing.embedded.journal import find_damage, journal_bytes, repair, set_aside


@click.group()
def store() -> None:
    """The embedded store's journal."""


@store.command()
@as_json
def check(json: bool) -> None:
    """Read the whole journal and say where it is damaged. Some seconds for each 100 MB; changes nothing."""
    folder = _folder()
    damage = find_damage(folder)
    aside = [str(path) for path in set_aside(folder)]
    size, words = journal_bytes(folder), damage.in_words() if damage else ""
    tell(
        json,
        {"bytes": size, "damage": words, "set_aside": aside},
        words or f"{size:,} bytes of journal can be read to the end",
        *(f"set aside earlier: {path}" for path in aside),
    )
    if damage:
        raise CommandFailed(
            "the journal is damaged: put back the last copy of the data folder, or `kiosk store repair`"
        )


@store.command("repair")
@as_json
def repair_(json: bool) -> None:
    """Keep the journal up to the first damage and set the rest aside in a file. The service must be stopped."""
    folder = _folder()
    private_folder(folder)
    lock = FolderLock(folder)
    if not lock.take(brief=True):
        raise CommandFailed(f"data folder {folder} is in use: stop the service first")
    try:
        lines = repair(folder)
    finally:
        lock.release()
    tell(json, lines, *(lines or ["nothing to repair: the journal can be read to the end"]))


def _folder() -> Path:
    settings = settings_now()
    if settings.redis_url:
        raise CommandFailed("KIOSK_REDIS_URL is set: this store is yours, look at its own journal")
    return settings.data_dir.absolute()
