"""The counter's QR screen: the ABDM code of the moment, and beside it our own link for a phone without an ABHA app.

A code is drawn once per rotation in each process, whoever looks (``tokens.qr`` keeps pictures by content), and in a
thread: drawing takes tens of milliseconds and scans must not wait for it. A counter whose name cannot stand in a signed
code shows its bare name, as a printed poster does. So does every browser that is not known to stand in the hospital
(``own_browsers``); its camera link leads to a place that waits for check-in.
"""

import asyncio
import time
from typing import Annotated, Final
from urllib.parse import quote

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, QueryParameter
from msgspec import Struct

from kiosk.displays.board import break_times
from kiosk.displays.own_browsers import OwnBrowsers, ScreenRequest, screen_address
from kiosk.locales import LANGUAGES, choose, several
from kiosk.locales.corrections import own_books, own_words
from kiosk.posters.drawing import NotDrawn, PosterPictures
from kiosk.posters.texts import posters_of
from kiosk.settings import Settings
from kiosk.web.link_urls import CAMERA_ELSEWHERE_S, CAMERA_GOOD_S, CAMERA_SLOT_S, as_shown, camera_url
from kiosk.web.path_prefix import url
from kiosk.web.security_headers import PAGE
from kiosk.web.templating import page, sorry
from queueing.desk import OpdDesk
from queueing.facility_view import Snapshot
from queueing.models import Counter, Facility, Queue
from queueing.registry import Registry
from tokens import CameraLinks, CounterCodes, codable, qr

CODE_GOOD_S: Final = 600
"""A screen that cannot renew its code takes it down after this long: the code's own freshness (``tokens.counter``)."""
HOME_SHOWN: Final = 4
"""Numbers from home at one time, as in ``static/js/counter_screen.js``."""


class Code(Struct, frozen=True):
    """One QR: where its picture is, and what a phone reads in it."""

    svg: str
    text: str


class Codes(Struct, frozen=True, kw_only=True):
    """What a counter's screen shows until ``rotates_at_ms``."""

    abdm: Code
    camera: Code
    fresh: bool
    """Whether the codes prove that a phone is in the hall. Otherwise the browser is to be paired first."""
    rotates_at_ms: int
    good_until_ms: int
    slot_ms: int
    now_ms: int


_KINDS: Final = frozenset({"abdm", "camera"})


class _Place(Struct, frozen=True):
    """A counter that exists, with what hangs on it."""

    facility: Facility
    counter: Counter
    queue: Queue


@get("/kiosk/{hip_id:str}/{counter:str}", include_in_schema=False)
async def counter_screen(
    hip_id: FromPath[str],
    counter: FromPath[str],
    request: ScreenRequest,
    desk: NamedDependency[OpdDesk],
    registry: NamedDependency[Registry],
    settings: NamedDependency[Settings],
    counter_codes: NamedDependency[CounterCodes],
    camera_links: NamedDependency[CameraLinks],
    own_browsers: NamedDependency[OwnBrowsers],
    lang: Annotated[str, QueryParameter(max_length=300)] = "",
    look: Annotated[str, QueryParameter(max_length=300)] = "",
) -> Response[str]:
    """``?lang=ur`` or several that take turns (default: those of ``ROTATION``), ``?look=night`` or ``contrast``."""
    place = await _find(registry, hip_id, counter)
    if place is None:
        words = choose(lang, request.headers.get("accept-language", ""))
        return sorry(words, 404, "counter_screen.unknown_counter", "common.ask_desk")
    codes = several(lang)
    screen = await own_browsers.screen_of(request, hip_id)
    fresh = screen is not None or await own_browsers.is_own(request, place.facility)
    answer = page(
        "counter_screen.html",
        own_words(codes[0], place.facility.corrections),
        facility=place.facility,
        counter=place.counter,
        queue=place.queue,
        hip_id=hip_id,
        codes=codes,
        codes_now=_codes(place, settings, counter_codes, camera_links, int(time.time()), fresh=fresh),
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
    settings: NamedDependency[Settings],
    counter_codes: NamedDependency[CounterCodes],
    camera_links: NamedDependency[CameraLinks],
    own_browsers: NamedDependency[OwnBrowsers],
) -> Response[Codes]:
    """What the screen should show now, and when to ask again."""
    place = await _find(registry, hip_id, counter)
    if place is None:
        raise NotFoundException
    fresh = await own_browsers.is_own(request, place.facility)
    codes = _codes(place, settings, counter_codes, camera_links, int(time.time()), fresh=fresh)
    return Response(codes, headers=PAGE)


@get("/kiosk/{hip_id:str}/{counter:str}/{name:str}", include_in_schema=False)
async def picture(
    hip_id: FromPath[str],
    counter: FromPath[str],
    name: FromPath[str],
    request: ScreenRequest,
    registry: NamedDependency[Registry],
    settings: NamedDependency[Settings],
    counter_codes: NamedDependency[CounterCodes],
    camera_links: NamedDependency[CameraLinks],
    own_browsers: NamedDependency[OwnBrowsers],
) -> Response[bytes]:
    """``abdm-….svg`` and ``camera-….svg`` of the moment. What follows the kind only tells one slot's picture from the
    next; with an old one in hand a screen gets the newest.
    """
    kind, _, rest = name.partition("-")
    place = await _find(registry, hip_id, counter) if kind in _KINDS and rest.endswith(".svg") else None
    if place is None:
        raise NotFoundException
    fresh = await own_browsers.is_own(request, place.facility)
    code = getattr(_codes(place, settings, counter_codes, camera_links, int(time.time()), fresh=fresh), kind)
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


def _numbers(place: _Place, snapshot: Snapshot | None, zone: str) -> dict[str, object]:
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


async def _find(registry: Registry, hip_id: str, counter: str) -> _Place | None:
    hospital = await registry.hospital(hip_id)
    here = hospital.counter_in_any_case(counter) if hospital else None
    first = hospital.queue(here.queues[0]) if hospital and here else None
    return _Place(hospital.facility, here, first) if hospital and here and first else None


def _codes(
    place: _Place, settings: Settings, codes: CounterCodes, links: CameraLinks, now_s: int, *, fresh: bool
) -> Codes:  # fmt: skip
    rotates_s = codes.rotates_at(now_s)
    base = url(f"/kiosk/{quote(place.facility.hip_id, safe='')}/{quote(place.counter.name, safe='')}")
    camera_slot = now_s // CAMERA_SLOT_S
    return Codes(
        abdm=Code(f"{base}/abdm-{rotates_s}.svg", _abdm_text(place, settings, codes if fresh else None, now_s)),
        camera=Code(f"{base}/camera-{camera_slot}.svg", _camera_text(place, settings, links, camera_slot, fresh)),
        fresh=fresh,
        rotates_at_ms=rotates_s * 1_000,
        good_until_ms=(rotates_s + CODE_GOOD_S) * 1_000,
        slot_ms=(codes.rotates_at(rotates_s) - rotates_s) * 1_000,
        now_ms=time.time_ns() // 1_000_000,
    )


def _abdm_text(place: _Place, settings: Settings, codes: CounterCodes | None, now_s: int) -> str:
    hip_id, name = place.facility.hip_id, place.counter.name
    code = codes.mint(hip_id, name, now_s) if codes and codable(name) else name
    return qr.facility_url(settings.qr_host, hip_id, code)


def _camera_text(place: _Place, settings: Settings, links: CameraLinks, slot: int, fresh: bool) -> str:
    """Minted as of the slot's beginning: EdDSA is deterministic, so every process and viewer shows the same link."""
    begins_s = slot * CAMERA_SLOT_S
    expires_s = begins_s + CAMERA_SLOT_S + (CAMERA_GOOD_S if fresh else CAMERA_ELSEWHERE_S)
    link = links.mint(place.facility.hip_id, place.queue.id, expires_s=expires_s, now_s=begins_s)
    return camera_url(settings.public_url, link)
