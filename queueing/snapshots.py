"""A snapshot as ``functions/snapshot.lua`` packs it."""

import msgspec

from queueing.announcement import Announcement, BoardHours, Break
from queueing.day import iso_day
from queueing.display_text import shown_name
from queueing.limits import FACILITY_NAME_MAX, QUEUE_NAME_MAX
from queueing.models import Called, Counter, QueueView, Snapshot, UnixMs
from queueing.queue_names import shown_names


class _PackedSnapshot(msgspec.Struct, frozen=True):
    facility: str
    name: str
    day: int
    at_ms: UnixMs
    queues: tuple[QueueView, ...]
    counters: tuple[Counter, ...]
    calls: tuple[Called, ...] = ()
    last_call: int = 0
    screens: int = 0
    desks: int = 0
    breaks: tuple[Break, ...] = ()
    announcements: tuple[Announcement, ...] = ()
    hours: BoardHours = BoardHours()
    corrected: int = 0


_read_snapshot = msgspec.msgpack.Decoder(_PackedSnapshot).decode


def snapshot_of(packed: bytes) -> Snapshot:
    """The snapshot, with names in their display form."""
    fields = _read_snapshot(packed)
    return Snapshot(
        facility=fields.facility,
        name=shown_name(fields.name, FACILITY_NAME_MAX, fields.facility),
        day=iso_day(fields.day),
        at_ms=fields.at_ms,
        queues=tuple(
            msgspec.structs.replace(
                queue, name=shown_name(queue.name, QUEUE_NAME_MAX, queue.id), names=shown_names(queue.names)
            )
            for queue in fields.queues
        ),
        counters=fields.counters,
        calls=fields.calls,
        last_call=fields.last_call,
        screens=fields.screens,
        desks=fields.desks,
        breaks=fields.breaks,
        announcements=fields.announcements,
        hours=fields.hours,
        corrected=fields.corrected,
    )
