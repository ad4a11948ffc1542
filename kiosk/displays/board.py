"""The wall board. The page shows the snapshot it was served with, then follows the stream of ``kiosk.live``."""

import asyncio
import time
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from kiosk.displays.counter_places import CALLS_LISTED, counter_places
from kiosk.displays.own_browsers import OwnBrowsers, ScreenRequest, screen_address
from kiosk.locales import several
from kiosk.locales.corrections import own_books, own_messages
from kiosk.settings import Settings
from kiosk.voice.clips import Clips
from kiosk.web.templating import messages_for, page, sorry
from queueing.announcement import Announcement
from queueing.desk import OpdDesk
from queueing.facility_view import Called, QueueView, Snapshot
from queueing.registry import Registry

LOOKS = ("day", "night", "contrast")
QUEUE_CARDS: Final = 4
QUEUE_LISTS: Final = (8, 12)
LONG_NAME, LONG_IN_LINE = 16, 24
DIGITS: Final = 4
"""As in the page's script (``static/js/queue_cards.js``)."""
LAST_SHOWN: Final = 8
HOME_SHOWN: Final = 4
"""As many as the page's script shows at one time (``static/js/board.js``)."""
LONG_FACILITY: Final = 40
"""Characters of the hospital's name that fit in two large lines, as there."""
PAGE_MS: Final = 20_000
"""A page without scripts refreshes itself after this time."""
_QUERY = QueryParameter(max_length=300)
"""A board's address is typed by hand: a longer value is a mistake."""


@get("/board/{hip_id:str}", include_in_schema=False)
async def board(
    hip_id: FromPath[str],
    request: ScreenRequest,
    desk: NamedDependency[OpdDesk],
    registry: NamedDependency[Registry],
    settings: NamedDependency[Settings],
    own_browsers: NamedDependency[OwnBrowsers],
    clips: NamedDependency[Clips],
    queues: Annotated[str, _QUERY] = "",
    lang: Annotated[str, _QUERY] = "",
    digits: Annotated[str, _QUERY] = "",
    look: Annotated[str, _QUERY] = "",
) -> Response[str]:
    """``?queues=M,R`` by prefix or id, ``?lang=ur`` or several that take turns (default: those of ``ROTATION``),
    ``?digits=native``, ``?look=night`` or ``contrast``.
    """
    snapshot = await desk.snapshot(hip_id)
    facility = await registry.facility(hip_id)
    if snapshot is None or facility is None:
        messages = messages_for(request, lang)
        return sorry(messages, 404, "board.unknown_facility", "common.ask_desk")
    codes = several(lang)
    names = [name.strip() for name in queues.split(",") if name.strip()]
    now_ms, zone = time.time_ns() // 1_000_000, facility.timezone or settings.timezone
    screen = await own_browsers.screen_of(request, hip_id)
    answer = page(
        "board.html",
        own_messages(codes[0], facility.corrections),
        facility=facility,
        hip_id=hip_id,
        queues=names,
        codes=codes,
        long_name=LONG_NAME,
        long_in_line=LONG_IN_LINE,
        is_long_name=max(len(facility.name_in(code)) for code in codes) > LONG_FACILITY,
        voices=await asyncio.to_thread(clips.languages, hip_id, codes),
        digits="native" if digits == "native" else "latin",
        look=look if look in LOOKS else "day",
        zone=zone,
        now_ms=now_ms,
        clock=datetime.fromtimestamp(now_ms / 1000, ZoneInfo(zone)).strftime("%H:%M"),
        book=own_books(codes, facility.corrections, "common", "board"),
        snapshot=snapshot,
        numbers=_numbers(snapshot, names, now_ms, zone),
        screen=screen,
        assigned=screen_address(hip_id, screen) if screen else "",
    )
    return own_browsers.renewed(answer, request) if screen else answer


def _numbers(snapshot: Snapshot, names: list[str], now_ms: int, zone: str) -> dict[str, object]:
    """What the page shows where scripts do not run. It then loads itself again, and takes the queues in turn."""
    wanted = {name.upper() for name in names}
    queues = [queue for queue in snapshot.queues if not wanted or {queue.id.upper(), queue.prefix.upper()} & wanted]
    now = _newest_first(call for queue in queues for call in queue.now)
    before = _newest_first(call for queue in queues for call in queue.recent)
    here = {call.key or call.token for call in now}
    last = {call.key or call.token: call for call in reversed(before) if (call.key or call.token) not in here}
    room = next((one for one in (QUEUE_CARDS, *QUEUE_LISTS) if one >= len(queues)), QUEUE_LISTS[-1])
    pages = max(1, -(-len(queues) // room))
    turn = now_ms // PAGE_MS
    start = turn % pages * room
    places = counter_places(snapshot.counters, {queue.id: queue.prefix for queue in queues}, now)
    return {
        "first": now[0] if now else None,
        "served_by": _served_by(snapshot, now[0].counter) if now else "",
        "others": places.turn(turn) if places else now[1:CALLS_LISTED],
        "room": places.room if places else 0,
        "queue_cards": queues[start : start + room],
        "queue_list": _width(queues) if room > QUEUE_CARDS else "",
        "queue_room": room if room > QUEUE_CARDS else len(queues),
        "turn": f"{turn % pages + 1}/{pages}" if pages > 1 else "",
        "announced": _announced(snapshot, {queue.id for queue in queues}),
        "home": [token for queue in queues for token in queue.expected_tokens][:HOME_SHOWN],
        "breaks": break_times(snapshot, {queue.id for queue in queues}, zone)[:HOME_SHOWN],
        "last": _newest_first(last.values())[:LAST_SHOWN],
    }


def _width(queues: Iterable[QueueView]) -> str:
    """How wide the numbers of a list are: narrow for ``M-003``, wide for ``ENT-003``, widest for ``ENT-1000``."""
    longest = max(max([len(queue.prefix) + DIGITS, *map(len, queue.next)]) for queue in queues)
    return "widest" if longest > 7 else "wide" if longest > 5 else "narrow"


def break_times(snapshot: Snapshot, queues: set[str], zone: str) -> list[tuple[str, str]]:
    """Counters of these queues whose clerk has a break, and when they are open again by the facility's clock."""
    here = {counter.name for counter in snapshot.counters if queues & set(counter.queues)}
    local = ZoneInfo(zone)
    return [
        (one.counter, datetime.fromtimestamp(one.back_ms / 1000, local).strftime("%H:%M"))
        for one in snapshot.breaks
        if one.counter in here
    ]


def _served_by(snapshot: Snapshot, counter: str) -> str:
    """Who serves at a counter; empty where the facility does not say."""
    return next((one.served_by for one in snapshot.counters if one.name == counter), "")


def _announced(snapshot: Snapshot, queues: set[str]) -> Announcement | None:
    return next((one for one in snapshot.announcements if not one.queue or one.queue in queues), None)


def _newest_first(calls: Iterable[Called]) -> list[Called]:
    return sorted(calls, key=lambda call: -call.at_ms)
