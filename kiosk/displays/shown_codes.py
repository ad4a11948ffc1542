"""The QR codes of a counter's screen: the ABDM code of the moment, and our own link for a phone without an ABHA app."""

import time
from typing import Final
from urllib.parse import quote

from msgspec import Struct

from kiosk.settings import Settings
from kiosk.web.link_urls import CAMERA_ELSEWHERE_S, CAMERA_GOOD_S, CAMERA_SLOT_S, camera_url
from kiosk.web.path_prefix import url
from queueing.models import Counter, Facility, Queue
from tokens import CameraLinks, CounterCodes, codable, qr

CODE_GOOD_S: Final = 600
"""A screen that cannot renew its code takes it down after this long: the code's own freshness (``tokens.counter``)."""
KINDS: Final = frozenset({"abdm", "camera"})
"""Fields of ``Codes`` that are codes."""


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


class CounterPlace(Struct, frozen=True):
    """A counter that exists, its facility and the first of its queues."""

    facility: Facility
    counter: Counter
    queue: Queue


class ShownCodes:
    """Makes the codes of this moment. Every process makes the same ones, so each picture is drawn once."""

    def __init__(self, settings: Settings, counter_codes: CounterCodes, camera_links: CameraLinks) -> None:
        self._settings = settings
        self._counter_codes = counter_codes
        self._camera_links = camera_links

    def now(self, place: CounterPlace, *, fresh: bool) -> Codes:
        """``fresh``: the browser is known to stand in the hospital, so its codes prove that a phone is there too."""
        now_s = int(time.time())
        rotates_s = self._counter_codes.rotates_at(now_s)
        base = url(f"/kiosk/{quote(place.facility.hip_id, safe='')}/{quote(place.counter.name, safe='')}")
        camera_slot = now_s // CAMERA_SLOT_S
        return Codes(
            abdm=Code(f"{base}/abdm-{rotates_s}.svg", self._abdm_text(place, now_s, fresh=fresh)),
            camera=Code(f"{base}/camera-{camera_slot}.svg", self._camera_text(place, camera_slot, fresh=fresh)),
            fresh=fresh,
            rotates_at_ms=rotates_s * 1_000,
            good_until_ms=(rotates_s + CODE_GOOD_S) * 1_000,
            slot_ms=(self._counter_codes.rotates_at(rotates_s) - rotates_s) * 1_000,
            now_ms=time.time_ns() // 1_000_000,
        )

    def _abdm_text(self, place: CounterPlace, now_s: int, *, fresh: bool) -> str:
        """With a signed code; with the bare name of the counter, as a poster has it, where none may stand."""
        hip_id, name = place.facility.hip_id, place.counter.name
        code = self._counter_codes.mint(hip_id, name, now_s) if fresh and codable(name) else name
        return qr.facility_url(self._settings.qr_host, hip_id, code)

    def _camera_text(self, place: CounterPlace, slot: int, *, fresh: bool) -> str:
        """Minted as of the slot's beginning: EdDSA is deterministic, so all processes show the same link."""
        begins_s = slot * CAMERA_SLOT_S
        expires_s = begins_s + CAMERA_SLOT_S + (CAMERA_GOOD_S if fresh else CAMERA_ELSEWHERE_S)
        link = self._camera_links.mint(place.facility.hip_id, place.queue.id, expires_s=expires_s, now_s=begins_s)
        return camera_url(self._settings.public_url, link)
