"""Writes a facility's corrections of sentences; the registry reads them. Each method is one call to the store."""

import msgspec

from queueing import library
from queueing.audit import Act
from queueing.corrections import CORRECTIONS_BYTES_MAX, CORRECTIONS_MAX, Correction
from queueing.redis_keys import facility_root
from queueing.registry import RegistryError, within_limits
from queueing.store.store import Store

_pack = msgspec.msgpack.Encoder().encode


class TooManyCorrections(RegistryError):
    """The facility has as many corrections as it may have, or they are too long together."""


class CorrectedSentences:
    """Writes them. An act and its entry in the audit are one step. Durable when a method returns."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def correct(self, hip: str, correction: Correction, *, act: Act) -> None:
        """Show it on the facility's screens from now on. Raises DoesNotFit and TooManyCorrections."""
        root, packed = facility_root(hip), _pack(within_limits(correction))
        limits = (CORRECTIONS_MAX, CORRECTIONS_BYTES_MAX)
        if not await library.call(self._store, "correct", root, correction.name, packed, *limits, *act.parts()):
            raise TooManyCorrections
        await self._store.durable(root)

    async def take_back(self, hip: str, name: str, *, act: Act) -> bool:
        """Show our own sentence again. False where there was no correction; then nothing is recorded."""
        root = facility_root(hip)
        done = await library.call(self._store, "correction_end", root, name, *act.parts())
        await self._store.durable(root)
        return bool(done)
