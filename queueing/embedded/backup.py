"""A copy of the embedded store while it runs, and a data folder made from such a copy.

The copy shows all data at one moment. The server forks, the fork writes the copy, and the server goes on working. This
needs memory for the pages that change while the copy is written.
"""

import shutil
import time
from pathlib import Path
from typing import Any, Final

from redis import Redis
from redis.exceptions import RedisError

from queueing.embedded.data_folder import private_folder
from queueing.embedded.journal import JOURNAL_FOLDER, MANIFEST, Entry
from queueing.embedded.store_users import operator_url
from queueing.errors import EmbeddedError

DUMP_FILE: Final = "dump.rdb"
"""The name that the server gives to a dump in its folder."""
BASE_FILE: Final = "appendonly.aof.1.base.rdb"
INCREMENT_FILE: Final = "appendonly.aof.1.incr.aof"
PATIENCE_S: Final = 900.0
"""Enough for a dump of 10 GB to a slow disk."""
STEP_S: Final = 0.05


def copy_store(folder: Path, target: Path) -> None:
    """Writes the data of the store that runs in ``folder`` to the file ``target``, as of one moment after this call
    began. Raises EmbeddedError when the server cannot (no space, no memory).
    """
    dump = folder / DUMP_FILE
    with Redis.from_url(operator_url(folder), decode_responses=True) as server:
        try:
            dumps = _persistence(server)["rdb_saves"]
            server.execute_command("BGSAVE", "SCHEDULE")
            _wait_for_dump(server, dumps)
        except RedisError as failure:
            raise EmbeddedError(f"store in {folder} could not be copied: {failure}") from None
    try:
        shutil.copyfile(dump, target)
    finally:
        dump.unlink(missing_ok=True)


def _persistence(server: Redis) -> dict[str, Any]:
    info: Any = server.info("persistence")
    return dict(info)


def _wait_for_dump(server: Redis, dumps_before: int) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        state = _persistence(server)
        if state["rdb_saves"] > dumps_before and not state["rdb_bgsave_in_progress"]:  # counted when it begins
            if state["rdb_last_bgsave_status"] == "ok":
                return
            raise EmbeddedError("the store could not write its copy (no space or no memory): read valkey.log")
        time.sleep(STEP_S)
    raise EmbeddedError(f"the store did not finish its copy within {PATIENCE_S:.0f} s")


def place_copy(copy: Path, folder: Path) -> None:
    """Makes the journal of a new data folder from a copy. Raises EmbeddedError when the folder has a journal."""
    journal = folder / JOURNAL_FOLDER
    if journal.exists():
        raise EmbeddedError(f"{folder} holds the data of a store: move it away first")
    private_folder(folder)
    journal.mkdir(mode=0o700)
    shutil.copyfile(copy, journal / BASE_FILE)
    (journal / INCREMENT_FILE).touch()
    entries = (Entry(BASE_FILE, 1, "b"), Entry(INCREMENT_FILE, 1, "i"))
    (journal / MANIFEST).write_text("".join(entry.line() for entry in entries), "ascii")
    for path in journal.iterdir():
        path.chmod(0o600)
