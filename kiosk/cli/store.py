"""``kiosk store``: look at the journal of the embedded store and repair it; heal after a clock that ran ahead."""

import time
from pathlib import Path
from typing import Final

import click

from kiosk.cli.running import COMMAND_LINE, CommandFailed, as_json, settings_now, tell, with_store
from queueing import clock_health
from queueing.desk import OpdDesk
from queueing.embedded.data_folder import FolderLock, private_folder
from queueing.embedded.journal import find_damage, journal_bytes, repair, set_aside
from queueing.store.store import Store, store_time_s

CLOCKS_APART_S: Final = 5.0
"""As in ``/readyz``: with more, one of the two clocks is wrong, and it may be the store's."""


@click.group()
def store() -> None:
    """The embedded store's journal, and the store's clock."""


@store.command()
@as_json
def check(json: bool) -> None:
    """Read the whole journal and say where it is damaged. Some seconds for each 100 MB; changes nothing."""
    folder = _folder()
    damage = find_damage(folder)
    aside = [str(path) for path in set_aside(folder)]
    size, sentence = journal_bytes(folder), damage.in_words() if damage else ""
    tell(
        json,
        {"bytes": size, "damage": sentence, "set_aside": aside},
        sentence or f"{size:,} bytes of journal can be read to the end",
        *(f"set aside earlier: {path}" for path in aside),
    )
    if damage:
        raise CommandFailed(
            "the journal is damaged: restore the last backup (`kiosk restore`), or `kiosk store repair`"
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


@store.command("heal-clock")
@as_json
def heal_clock(json: bool) -> None:
    """Bring every facility back to today, after the store's clock ran ahead and was set right.

    While the clock was ahead, facilities began days that have not come yet, and the patients who waited then left the
    line. Numbers go on without this command, but on a wrong date. It brings these patients back into the line, with
    their numbers and in their order, and corrects the date. Set the clock right first. The service may run. It is
    safe to repeat; the audit records it.
    """
    settings = settings_now()

    async def heal(store: Store) -> int:
        apart_s = abs(time.time() - await store_time_s(store))
        if apart_s > CLOCKS_APART_S:
            raise CommandFailed(
                f"this clock and the store's are {apart_s:.0f} s apart: set both right with chrony, then heal"
            )
        desk = OpdDesk(store, timezone=settings.timezone)
        return await clock_health.heal(store, desk, by=COMMAND_LINE)

    healed = with_store(settings, heal)
    sentence = f"{healed} facilities are back on today" if healed else "nothing to heal: every facility is on today"
    tell(json, {"facilities": healed}, sentence)


def _folder() -> Path:
    settings = settings_now()
    if settings.redis_url:
        raise CommandFailed("KIOSK_REDIS_URL is set: this store is yours, look at its own journal")
    return settings.data_dir.absolute()
