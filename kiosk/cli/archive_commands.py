"""What the commands on the archive share: an open database, and failures in one line."""

import contextlib
from collections.abc import Iterator

from kiosk.archive.database import ArchiveError, Database
from kiosk.cli.running import CommandFailed
from kiosk.services.process import new_archive
from kiosk.settings import Settings


@contextlib.contextmanager
def opened_archive(settings: Settings, *, prepare: bool = False) -> Iterator[Database]:
    """The archive's database with this release's schema; ``prepare`` makes what is missing. Raises CommandFailed."""
    database = new_archive(settings)
    try:
        if prepare:
            database.prepare()
        else:
            database.check()
        yield database
    except ArchiveError as failure:
        raise CommandFailed(str(failure)) from None
    finally:
        database.close()
