"""The counter's QR screen: the ABDM code of the moment, and beside it our own link for a phone without an ABHA app.

A code is drawn once per rotation in each process, whoever looks (``tokens.qr`` keeps pictures by content), and in a
thread: drawing takes tens of milliseconds and scans must not wait for it. A counter whose name cannot stand in a signed
code shows its bare name, as a printed poster does. So does every browser that is not known to stand in the hospital
(``own_browsers``); its camera link leads to a place that waits for check-in.
"""

import asyncio
from typing import Annotated, Final

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, QueryParameter

from kiosk.displays.board import break_times
from kiosk.displays.own_browsers import OwnBrowsers, ScreenRequest, screen_address
from kiosk.displays.shown_codes import KINDS, Codes, CounterPlace, ShownCodes
from kiosk.locales import LANGUAGES, several
from kiosk.locales.corrections import own_books, own_messages
from kiosk.posters.drawing import NotDrawn, PosterPictures
from kiosk.posters.texts import posters_of
from kiosk.settings import Settings
from kiosk.web.link_urls import as_shown
from kiosk.web.security_headers import PAGE
from kiosk.web.templating import messages_for, page, sorry
from queueing.desk import OpdDesk
from queueing.facility_view import Snapshot
from queueing.registry import Registry
from tokens import qr

LONG_FACILITY: Final = 40
"""Characters of the hospital's name that fit in one line, as in ``static/js/counter_screen.js``."""
HOME_SHOWN: Final = 4
"""Numbers from home at one time, as in ``static/js/counter_screen.js``."""


@get("/kiosk/{hip_id:str}/{counter:str}", include_in_schema=False)
async def counter_screen(
    hip_id: FromPath[str],
    counter: FromPath[str],
    request: ScreenRequest,
    desk: NamedDependency[OpdDesk],
    registry: NamedDependency[Registry],
    settings: NamedDependency[Settings],
    shown_codes: NamedDependency[ShownCodes],
    own_browsers: NamedDependency[OwnBrowsers],
    lang: Annotated[str, QueryParameter(max_length=300)] = "",
    look: Annotated[str, QueryParameter(max_length=300)] = "",
) -> Response[str]:
    """``?lang=ur`` or several that take turns (default: those of ``ROTATION``), ``?look=night`` or ``contrast``."""
    place = await _find(registry, hip_id, counter)
    if place is None:
        messages = messages_for(request, lang)
        return sorry(messages, 404, "counter_screen.unknown_counter", "common.ask_desk")
    codes = several(lang)
    screen = await own_browsers.screen_of(request, hip_id)
    fresh = screen is not None or await own_browsers.is_own(request, place.facility)
    answer = page(
        "counter_screen.html",
        own_messages(codes[0], place.facility.corrections),
        facility=place.facility,
        counter=place.counter,
        queue=place.queue,
        hip_id=hip_id,
        codes=codes,
        is_long_name=max(len(place.facility.name_in(code)) for code in LANGUAGES) > LONG_FACILITY,
        codes_now=shown_codes.now(place, fresh=fresh),
        screen=screen,
        assigned=screen_address(hip_id, screen) if screen else "",
        pair_at=as_shown(f"{settings.public_url}/screen"),
        book=own_books(LANGUAGES, place.facility.corrections, "common", "counter_screen", "find"),
        look=look if look in ("night", "contrast") else "day",
        zone=place.facility.timezone or settings.timezone,
        numbers=_numbers(place, await desk.snapshot(hip_id), place.facility.timezone or settings.timezone),
    )
    return own_browsers.renewed(answer, request) if screen else answer


@get("/kiosk/{hip_id:str}/{counter:str}/qr", include_in_schema=False)
async def current_codes(
    hip_id: FromPath[str],
    counter: FromPath[str],
    request: ScreenRequest,
    registry: NamedDependency[Registry],
    shown_codes: NamedDependency[ShownCodes],
    own_browsers: NamedDependency[OwnBrowsers],
) -> Response[Codes]:
    """What the screen should show now, and when to ask again."""
    place = await _find(registry, hip_id, counter)
    if place is None:
        raise NotFoundException
    fresh = await own_browsers.is_own(request, place.facility)
    codes = shown_codes.now(place, fresh=fresh)
    return Response(codes, headers=PAGE)


@get("/kiosk/{hip_id:str}/{counter:str}/{name:str}", include_in_schema=False)
async def picture(
    hip_id: FromPath[str],
    counter: FromPath[str],
    name: FromPath[str],
    request: ScreenRequest,
    registry: NamedDependency[Registry],
    shown_codes: NamedDependency[ShownCodes],
    own_browsers: NamedDependency[OwnBrowsers],
) -> Response[bytes]:
    """``abdm-….svg`` and ``camera-….svg`` of the moment. What follows the kind only tells one slot's picture from the
    next; with an old one in hand a screen gets the newest.
    """
    kind, _, rest = name.partition("-")
    place = await _find(registry, hip_id, counter) if kind in KINDS and rest.endswith(".svg") else None
    if place is None:
        raise NotFoundException
    fresh = await own_browsers.is_own(request, place.facility)
    code = getattr(shown_codes.now(place, fresh=fresh), kind)
    drawn = await asyncio.to_thread(qr.svg, code.text)
    return Response(drawn, media_type="image/svg+xml", headers=PAGE)


@get("/kiosk/{hip_id:str}/{counter:str}/poster.png", include_in_schema=False)
async def poster(
    hip_id: FromPath[str],
    counter: FromPath[str],
    registry: NamedDependency[Registry],
    settings: NamedDependency[Settings],
    poster_pictures: NamedDependency[PosterPictures],
) -> Response[bytes]:
    """An A4 page to print, in every language: the bare counter name, which stays valid for ever."""
    hospital = await registry.hospital(hip_id)
    here = hospital.counter_in_any_case(counter) if hospital else None
    pages = posters_of(hospital, settings.qr_host, {}, only=here.name) if hospital and here else []
    if not pages:
        raise NotFoundException
    try:
        drawn = await poster_pictures.drawn(pages[0])
    except NotDrawn as cannot:
        return Response(str(cannot).encode(), status_code=503, media_type="text/plain", headers=PAGE)
    return Response(drawn, media_type="image/png", headers=PAGE)


def _numbers(place: CounterPlace, snapshot: Snapshot | None, zone: str) -> dict[str, object]:
    """What the page shows until its script hears the first snapshot, and where scripts do not run."""
    queue = next((one for one in snapshot.queues if one.id == place.queue.id), None) if snapshot else None
    if snapshot is None or queue is None:
        return {
            "waiting": "–",
            "called": None,
            "home": (),
            "back": "",
            "open": place.queue.open,
            "opens": None,
            "today": "",
        }
    here = (call for call in queue.now if call.counter == place.counter.name)
    called = next(here, None) or next(iter((*queue.now, *queue.recent)), None)
    back = dict(break_times(snapshot, set(place.counter.queues), zone)).get(place.counter.name, "")
    return {
        "waiting": queue.waiting,
        "called": called,
        "home": queue.expected_tokens[:HOME_SHOWN],
        "back": back,
        "open": queue.open,
        "opens": queue.opens,
        "today": ", ".join(queue.today),
    }


async def _find(registry: Registry, hip_id: str, counter: str) -> CounterPlace | None:
    hospital = await registry.hospital(hip_id)
    here = hospital.counter_in_any_case(counter) if hospital else None
    first = hospital.queue(here.queues[0]) if hospital and here else None
    return CounterPlace(hospital.facility, here, first) if hospital and here and first else None
