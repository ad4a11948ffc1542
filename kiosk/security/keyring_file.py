"""The file of the key ring: made once, replaced as a whole, read again by every process when it changes.

- A reader sees the old ring or the new one, never a part.
- Two changes at the same time happen one after the other.
- When ``change`` returns, the new ring is on disk.
- Running processes use a new ring within ``LOOK_EVERY_S``. In this time no code is refused, because the next key
  verifies before it signs.
"""

import asyncio
import fcntl
import os
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from queueing.embedded.data_folder import private_folder
from tokens.errors import TokenError
from tokens.keyring import KeyRing

FILE = "keyring.json"
LOCK_FILE = "keyring.lock"
LOOK_EVERY_S = 2.0
"""A rotation must be noticed within five seconds, even if one check is delayed by a busy loop."""


class KeysUnreadable(Exception):
    """The key ring cannot be used. ``str`` is one line for an operator, without any content of the file."""


class KeysOnDisk:
    """The ring of one data folder."""

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir
        self.path = data_dir / FILE

    def load_or_create(self, now_s: int) -> KeyRing:
        """The ring, able to seal today; a new one if there is no file. Raises KeysUnreadable if it cannot be read."""
        if self.path.exists():
            ring = self.load()
            return ring if ring.sealing_on(now_s) is ring else self._replace(lambda before: before.sealing_on(now_s))
        private_folder(self._folder)
        with self._locked():
            if not self.path.exists():
                self._write(KeyRing.generate(now_s))
        return self.load()

    def load(self) -> KeyRing:
        """Raises KeysUnreadable."""
        try:
            if self.path.stat().st_mode & 0o077:
                raise KeysUnreadable(f"{self.path} can be read by others: chmod 600 it, then `kiosk keys rotate`")
            return KeyRing.from_json(self.path.read_bytes())
        except OSError as failure:
            raise KeysUnreadable(f"{self.path} cannot be read: {failure.strerror}") from None
        except TokenError as broken:
            raise KeysUnreadable(f"{self.path} is damaged ({broken}): restore it from a backup") from None

    def change(self, step: Callable[[KeyRing], KeyRing], now_s: int) -> KeyRing:
        """Replace the ring by ``step(ring)``, under a lock."""
        self.load_or_create(now_s)
        return self._replace(step)

    def _replace(self, step: Callable[[KeyRing], KeyRing]) -> KeyRing:
        with self._locked():
            ring = step(self.load())
            self._write(ring)
        return ring

    def forget_days(self, now_s: int, retention_s: int) -> None:
        """Delete the keys of days whose retention is over. The file is written only if that changes it.

        Raises KeysUnreadable or OSError.
        """
        ring = self.load_or_create(now_s)
        if ring.forget_days(now_s, retention_s) != ring:
            self.change(lambda before: before.forget_days(now_s, retention_s), now_s)

    async def changes(self) -> AsyncIterator[KeyRing]:
        """Each new ring when it appears, without end. A ring that cannot be read is skipped."""
        seen = self._mark()
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            mark = self._mark()
            if mark == seen:
                continue
            try:
                ring = self.load()
            except KeysUnreadable:
                continue
            seen = mark
            yield ring

    def _mark(self) -> tuple[int, int]:
        """A replaced file has another inode, even within one tick of the clock."""
        try:
            facts = self.path.stat()
        except OSError:
            return (0, 0)
        return (facts.st_ino, facts.st_mtime_ns)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        descriptor = os.open(self._folder / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _write(self, ring: KeyRing) -> None:
        """Write and sync the new file, rename it, then sync the folder, so that what a reader sees stays."""
        part = self.path.with_suffix(f".{os.getpid()}.{time.monotonic_ns()}.part")
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with open(descriptor, "wb") as file:
                file.write(ring.to_json())
                file.flush()
                os.fsync(file.fileno())
            part.replace(self.path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
