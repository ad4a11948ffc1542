"""The rooms of a facility's administration: what the navigation beside every page of it shows.

A page names itself by its key (``{% set leaf = "rules" %}``); a room holds the pages that belong together.
"""

from typing import Final

from msgspec import Struct


class Leaf(Struct, frozen=True):
    """One page of a room."""

    key: str
    title: str
    path: str
    is_own: bool = False
    """``admin.py`` answers it, under ``/console/admin/rooms``."""


class Room(Struct, frozen=True):
    """Pages that belong together. The room's link leads to the first."""

    title: str
    leaves: tuple[Leaf, ...]


OWN_PATH: Final = "/console/admin/rooms"


def _own(key: str, title: str) -> Leaf:
    return Leaf(key, title, f"{OWN_PATH}/{key}", is_own=True)


ROOMS: Final = (
    Room("Today", (
        Leaf("now", "Now", "/console/admin"), Leaf("day", "The hospital's day", "/console/today"),
    )),
    Room("Queues and counters", (
        _own("queues", "Queues and counters"), Leaf("hours", "Opening hours", "/console/admin/hours"),
    )),
    Room("Screens", (
        Leaf("screens", "Screens", "/console/admin/screens"),
        Leaf("printers", "Slip printers", "/console/admin/printers"),
        Leaf("announcements", "Announcements", "/console/announcements"), Leaf("voice", "Voice", "/console/voice"),
        Leaf("words", "Words", "/console/words"),
    )),
    Room("Staff", (_own("staff", "Logins"), Leaf("audit", "Audit", "/console/audit"))),
    Room("Rules", (_own("rules", "Rules"), _own("facility", "Facility"))),
    Room("Posters", (_own("posters", "Posters"), Leaf("check", "Check a poster", "/console/posters"))),
    Room("Connections", (
        Leaf("programs", "Programs", "/console/connections"), Leaf("keys", "API keys", "/console/connections/keys"),
        Leaf("copying", "Copying", "/console/admin/copying"),
        Leaf("abdm", "Connection to ABDM", "/console/connection"),
    )),
)  # fmt: skip
TITLES: Final = {
    "room": {str(number): room.title for number, room in enumerate(ROOMS)},
    "page": {leaf.key: leaf.title for room in ROOMS for leaf in room.leaves},
}
"""For the catalogues."""

PATHS: Final = {leaf.key: leaf.path for room in ROOMS for leaf in room.leaves}
OWN: Final = frozenset(leaf.key for room in ROOMS for leaf in room.leaves if leaf.is_own)
OF_ACT: Final = {
    "queue": ("queues", "queue"), "queue-open": ("queues", "queue"), "default": ("queues", "queue"),
    "counter": ("queues", "counter"), "counter-open": ("queues", "counter"), "policy": ("rules", "policy"),
    "text": ("posters", "text"), "facility": ("facility", "facility"), "staff": ("staff", "staff"),
    "reset": ("staff", "staff"), "disable": ("staff", "staff"), "sign-out": ("staff", "staff"),
    "resend": ("now", "parked"), "take-back": ("now", ""), "remove-queue": ("queues", "queue"),
    "remove-counter": ("queues", "counter"), "remove-staff": ("staff", "staff"),
}  # fmt: skip
"""Act of a form → the page that has the form, and its section. A change is taken back where it was made."""
SETTINGS: Final = {
    "queue": "Queues", "counter": "Counters", "default": "Default", "policy": "Rules", "text": "Printed texts",
    "facility": "Facility", "networks": "Networks of the hospital", "copy": "Copying",
    "holidays": "Holidays", "printers": "Slip printers",
}  # fmt: skip
"""Kind of setting whose last change can be taken back → what it is called. The first room lists them all."""
