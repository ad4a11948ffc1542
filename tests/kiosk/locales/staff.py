"""Keeps the staff catalogues in step with the console. ``make words`` runs it.

English sentences stand in the templates of the console and in its modules of messages. This program gathers them into
``staff.pot`` and brings each ``staff.po`` in step; a person translates there.
"""

import io
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from babel import Locale
from babel.messages import Catalog, Message
from babel.messages.pofile import read_po

from kiosk.console import (
    announcement_messages,
    connection_messages,
    copying_messages,
    correction_messages,
    desk_messages,
    facility_copy_messages,
    figure_messages,
    hours_messages,
    messages,
    poster_messages,
    queue_page,
    review_messages,
    room_messages,
    rooms,
    slip_messages,
    voice_messages,
)
from kiosk.exchange import hours_text
from tests.kiosk.locales.catalogues import LOCALES, ROOT, Catalogue, header, text_of

TEMPLATE: Final = LOCALES / "staff.pot"
_CALL: Final = re.compile(r"""\b_\((["'])(.+?)\1\)""")
_TABLES: Final[tuple[tuple[ModuleType, tuple[str, ...]], ...]] = (
    (desk_messages, ("DESK", "BREAK_BEGUN", "BREAK_ENDED", "BREAK_NONE", "BREAK_ODD", "NOTE_WRITTEN", "NOTE_REMOVED")),
    (messages, (
        "ORDER", "LANES", "LANE_WHO", "REASONS", "STATES", "ASSURANCES", "NEARNESSES", "ALIKE", "GENDERS", "SECTIONS",
        "DONE", "UNDONE_AT", "OUTCOMES", "TAKEN_BY", "TAKEN_HERE", "NOT_UNDONE", "PERHAPS", "PLACES", "REFUSALS",
        "SIGN_IN", "TROUBLE", "SCAN", "TITLES", "TITLE_OTHERWISE", "PASSWORDS", "DETAILS", "HOSPITAL_NUMBERS", "MONTHS",
        "SCREEN", "PRESENCE_RULES", "ADMIN_DONE", "ADMIN_TROUBLE", "FIELDS", "SCREENS_DONE", "SCREENS",
        "AUDIT_DAY", "AUDIT_ARCHIVE_AWAY", "AUDIT_ACTS",
    )),
    (rooms, ("TITLES", "SETTINGS")),
    (connection_messages, (
        "SCOPES", "KEYS_DONE", "KEYS_TROUBLE", "STATES", "RESULTS", "DONE", "REFUSED", "VERDICTS", "CHECKS",
    )),
    (copying_messages, ("COPIED", "DONE", "FIELDS")),
    (correction_messages, ("DONE", "TROUBLE", "SHOWN", "PREVIEWS")),
    (facility_copy_messages, ("DONE", "TROUBLE", "LEFT")),
    (hours_messages, (
        "SAVED", "ALWAYS", "HOLIDAYS_SAVED", "TRIED", "TRIED_NOBODY", "UNKNOWN", "NOW_ALWAYS", "NOW_OPEN", "NOW_CLOSED",
        "NOW_LONG", "BY_HAND", "COPIED", "NO_HOURS", "WRONG_DAY", "OVERLAP", "HOLIDAY_DATE", "HOLIDAY_SAVED",
        "HOLIDAY_AWAY",
    )),
    (hours_text, ("FAULTS",)),
    (figure_messages, (
        "PERIOD_TROUBLE", "PRESETS", "UNKNOWN_FACILITY", "ARCHIVE_AWAY", "TILES", "TILE_NOTES", "SOURCES", "ORIGINS",
        "FAR", "NEARLY_ALL_FAR", "FAR_REFUSED", "CLOCK_WRONG", "NOTHING", "ADVICE", "ARRIVALS", "COUNTERS",
        "COUNTERS_MANY", "TITLES", "COLUMNS", "UNITS", "EARLIER", "EARLIER_OTHERWISE", "ALL", "NO_QUEUE", "ANSWERS",
        "SUMMARY", "HINTS", "CLOSED_BY_HOURS", "NO_REASON", "LANE_ABOVE_USUAL",
    )),
    (review_messages, (
        "MONTH_TROUBLE", "UNKNOWN_FACILITY", "UNKNOWN_DISTRICT", "ARCHIVE_AWAY", "TOO_MANY_LINES", "TILES", "NOTES",
        "TITLES", "PILLARS", "OURS", "OURS_AND_IMPORTED", "NOT_KNOWN", "COLUMNS", "LIVE", "HINTS", "PEOPLE_ONCE",
        "UNITS", "NO_DISTRICT", "ALL", "SUMMARY",
    )),
    (poster_messages, ("VERDICTS", "TROUBLE", "SCREEN")),
    (queue_page, ("CODE_WRONG",)),
    (room_messages, ("STAFF_TROUBLE", "DONE", "STILL_USED", "CHANGED_SINCE", "RULES")),
    (room_messages, ("NOT_SET", "EFFECTS")),
    (announcement_messages, ("DONE", "TROUBLE")),
    (slip_messages, ("SENT", "FAULTS", "HERE", "PRINTERS")),
    (voice_messages, ("FAULTS", "SAVED", "REMOVED", "END", "NOT_OWN", "PAGE")),
)  # fmt: skip
"""What the pages of staff show. Tables of a page come here when it is translated."""
ON_PAPER: Final = frozenset({messages.SCREEN["slip_ahead"]})
"""Stays English: every slip has its English lines for staff, and the patient's language below them."""


def catalogues() -> list[Path]:
    return sorted(LOCALES.glob("*/LC_MESSAGES/staff.po"))


def sentences() -> dict[str, list[str]]:
    """English sentence → where it is seen."""
    found: dict[str, list[str]] = {}
    for path in sorted((ROOT / "console" / "templates").glob("*.html")):
        for _, text in _CALL.findall(path.read_text("utf-8")):
            found.setdefault(text, []).append(f"page {path.stem}")
    for module, names in _TABLES:
        for name in names:
            for place, text in _texts(getattr(module, name), name):
                found.setdefault(text, []).append(place)
    return {text: list(dict.fromkeys(places)) for text, places in found.items() if text and text not in ON_PAPER}


def _texts(value: Any, place: str) -> Iterator[tuple[str, str]]:
    """Every sentence of a table, with its place in it."""
    if isinstance(value, str):
        yield place, value
        return
    for key, one in value.items():
        yield from _texts(one, f"{place} {getattr(key, 'name', key)}")


def drawn() -> dict[Path, str]:
    """Each file that this program writes, as it should be."""
    found = sentences()
    texts = {TEMPLATE: text_of(Catalogue(header("en", {}), _catalog("en", found, {})))}
    for path in catalogues():
        code = path.parents[1].name
        read = read_po(io.BytesIO(path.read_bytes()), abort_invalid=True)
        before = {str(message.id): message for message in read if message.id}
        texts[path] = text_of(Catalogue(header(code, {}), _catalog(code, found, before)))
    return texts


def _catalog(code: str, found: dict[str, list[str]], before: dict[str, Message]) -> Catalog:
    made = Catalog(locale=Locale.parse(f"{code}_IN"))
    for text, places in found.items():
        old = before.get(text)
        made[text] = Message(
            text, old.string if old else "", auto_comments=["Seen: " + ", ".join(places[:3])],
            user_comments=old.user_comments if old else (), flags=old.flags if old else (),
        )  # fmt: skip
    return made
