"""Announcements of a facility and the hours of its boards. Each method is one call to the store."""

import msgspec

from queueing import library
from queueing.announcement import ANNOUNCEMENTS_MAX, Announcement, BoardHours
from queueing.audit import Act
from queueing.redis_keys import facility_root
from queueing.registry import RegistryError, within_limits
from queueing.store.store import Store

_pack = msgspec.msgpack.Encoder().encode


class TooManyAnnouncements(RegistryError):
    """The facility has as many announcements as it may have at one time."""


class Announcements:
    """Writes them; the snapshot reads them. An act and its entry in the audit are one step. Raises DoesNotFit."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def announce(self, hip: str, announcement: Announcement, *, act: Act) -> None:
        """Show it until its time. Durable when it returns. Raises TooManyAnnouncements."""
        root, packed = facility_root(hip), _pack(within_limits(announcement))
        if not await library.call(self._store, "announce", root, packed, ANNOUNCEMENTS_MAX, *act.parts()):
            raise TooManyAnnouncements
        await self._store.durable(root)

    async def end(self, hip: str, identifier: str, *, act: Act) -> bool:
        """Take it back. False where it stands no more; then nothing is recorded."""
        root = facility_root(hip)
        done = await library.call(self._store, "announcement_end", root, identifier, *act.parts())
        await self._store.durable(root)
        return bool(done)

    async def set_hours(self, hip: str, hours: BoardHours, *, act: Act) -> None:
        """When boards are silent and dark."""
        root = facility_root(hip)
        await library.call(self._store, "board_hours", root, _pack(within_limits(hours)), *act.parts())
        await self._store.durable(root)
