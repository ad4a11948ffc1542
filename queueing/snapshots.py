"""A snapshot as ``functions/snapshot.lua`` packs it."""

import msgspec

from queueing.announcement import Announcement, BoardHours, Break
from queueing.day import iso_day
from queueing.display_text import shown_name, shown_names
from queueing.facility_view import Called, QueueView, Snapshot
from queueing.limits import FACILITY_NAME_MAX, QUEUE_NAME_MAX
from queueing.models import Counter, UnixMs
from queueing.opening_hours import DAY_MIN, Holiday, is_within, next_opening, spans_of_day


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
    minute: int = 0
    holidays: tuple[Holiday, ...] = ()
    names: dict[str, str] = {}


_read_snapshot = msgspec.msgpack.Decoder(_PackedSnapshot).decode


def snapshot_of(packed: bytes) -> Snapshot:
    """The snapshot, with names in their display form."""
    fields = _read_snapshot(packed)
    holidays = frozenset(one.day for one in fields.holidays)
    return Snapshot(
        facility=fields.facility,
        name=shown_name(fields.name, FACILITY_NAME_MAX, fields.facility),
        names=shown_names(fields.names, FACILITY_NAME_MAX),
        day=iso_day(fields.day),
        at_ms=fields.at_ms,
        queues=tuple(_view(queue, holidays, fields.minute) for queue in fields.queues),
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


def _view(queue: QueueView, holidays: frozenset[int], minute: int) -> QueueView:
    """The queue with its names in their display form, open or closed as its hours say."""
    name, names = shown_name(queue.name, QUEUE_NAME_MAX, queue.id), shown_names(queue.names, QUEUE_NAME_MAX)
    if queue.hours is None:
        return msgspec.structs.replace(queue, name=name, names=names)
    is_open = queue.open and is_within(queue.hours, holidays, minute)
    opens = next_opening(queue.hours, holidays, minute) if queue.open and not is_open else None
    today = spans_of_day(queue.hours, holidays, minute // DAY_MIN)
    return msgspec.structs.replace(queue, name=name, names=names, open=is_open, opens=opens, today=today)
