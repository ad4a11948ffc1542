"""Printers of token slips that an administrator named, for one facility."""

from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct

from queueing import library
from queueing.audit import Act
from queueing.redis_keys import facility_root
from queueing.registry import UnknownFacility
from queueing.store.store import Store

PRINTERS_MAX: Final = 16
"""Desks of a large registration hall; other desks print by their browser."""
PRINTER_NAME_MAX: Final = 40
PRINTER_ADDRESS_MAX: Final = 260
"""Characters of ``host:port``: a host name has 253 at most."""


class SlipPrinter(Struct, frozen=True, array_like=True):
    """A printer in the hospital's network. Fields are only added at the end, with defaults: it is stored."""

    name: Annotated[str, Meta(min_length=1, max_length=PRINTER_NAME_MAX)]
    address: Annotated[str, Meta(min_length=1, max_length=PRINTER_ADDRESS_MAX)]
    """``host:port``; printers listen on port 9100."""
    wide: bool = True
    """Paper of 80 mm, else of 58 mm."""


_read = msgspec.msgpack.Decoder(tuple[SlipPrinter, ...]).decode


class SlipPrinters:
    """Reads and writes the printers of a facility."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def of(self, hip: str) -> tuple[SlipPrinter, ...]:
        """In the order in which they were added."""
        root = facility_root(hip)
        packed: Any = await self._store.call(root, "HGET", f"{root}:f", "printers")
        return _read(packed) if packed else ()

    async def put(self, hip: str, printers: tuple[SlipPrinter, ...], act: Act) -> None:
        """All printers of a facility anew; the audit has the act. Raises UnknownFacility."""
        root = facility_root(hip)
        packed = msgspec.msgpack.encode(printers) if printers else b""
        reply = await library.call(self._store, "configure", root, *act.parts(), "printers", packed)
        if isinstance(reply, bytes):
            raise UnknownFacility
        await self._store.durable(root)
