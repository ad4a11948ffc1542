"""Which facility an event is about: events carry the facility's key, rows of the archive its HIP id."""

from collections.abc import Mapping
from zoneinfo import ZoneInfo

from msgspec import Struct

from queueing.event_log import Event


class Place(Struct, frozen=True):
    """The facility that a key stands for, and its time zone."""

    hip_id: str
    zone: ZoneInfo


Places = Mapping[str, Place]
"""Facility key -> place, of registered facilities."""


def hip_id_of(event: Event, places: Places) -> str:
    """The HIP id of the event's facility. A facility that the registry does not name is stored as ``?`` and its key."""
    place = places.get(event.facility_key)
    return place.hip_id if place else f"?{event.facility_key}"
