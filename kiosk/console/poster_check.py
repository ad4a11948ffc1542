"""Staff check a poster that hangs: they choose its place, scan its code, and read in one sentence where it leads.

The text of the code may be anything, also a patient's: it comes in the body of a form, is shown to nobody but who sent
it, and is stored nowhere.
"""

import re
import time
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from msgspec import Struct

from kiosk.accounts.sessions import Session
from kiosk.console import guards, poster_messages, templating
from kiosk.console.guards import ConsoleRequest
from kiosk.console.language import tr, translated
from kiosk.console.lookups import hospital_of
from kiosk.console.scan import Scan, readings_of
from kiosk.settings import Settings
from kiosk.web.page_bodies import read_form
from kiosk.web.security_headers import PAGE
from queueing.counter_texts import Leads, Means, leads_to
from queueing.display_text import marked_text
from queueing.models import Counter, Queue
from queueing.registry import Hospital, Registry
from tokens import CameraLinks, LinkError
from tokens.counter import CounterCodes
from tokens.errors import CounterCodeError, CounterCodeExpired, CounterCodeTooEarly, NotACounterCode

WITH_CAMERA: Final = {
    **PAGE,
    "Permissions-Policy": PAGE["Permissions-Policy"].replace("camera=()", "camera=(self)"),
}
"""This page alone may ask for the camera."""
TEXT_MAX: Final = 4_296
"""Characters: the longest QR."""
SHOWN_MAX: Final = 60
"""Characters of a foreign text that the answer repeats."""
_OWN_LINK: Final = re.compile(r"https?://\S+/(go|t)/([A-Za-z0-9_.\-]{20,2000})")
NONE: Final = "–"


class Verdict(Struct, frozen=True, kw_only=True):
    """Where a code leads: a key of ``poster_messages.VERDICTS`` and what stands in the sentence."""

    key: str
    values: dict[str, str] = {}

    @property
    def is_right(self) -> bool:
        """Whether the poster may stay where it hangs."""
        return self.key in {"counter", "queue", "queue_at_counter", "counter_in_hall"}

    @property
    def sentence(self) -> str:
        """In the reader's language, with its placeholders."""
        return tr(poster_messages.VERDICTS[self.key])


class Facts(Struct, frozen=True, kw_only=True):
    """What the answer depends on beside the code."""

    hospital: Hospital
    printed: Mapping[str, str]
    aliases: Mapping[str, str]
    """Further HIP ids → the facility they lead to."""
    host: str
    """Of the addresses in our codes."""
    codes: CounterCodes
    links: CameraLinks
    now_s: int


class PosterCheck(Controller):
    path = "/console/posters"

    @get("/", guards=[guards.clerk], include_in_schema=False)
    async def show(
        self, session: NamedDependency[Session], registry: NamedDependency[Registry]
    ) -> Response[str]:  # fmt: skip
        """The empty form."""
        return _page(session, await hospital_of(session, registry), at=f"counter:{session.counter}")

    @post("/", guards=[guards.clerk], status_code=200, include_in_schema=False)
    async def check(
        self, request: ConsoleRequest, session: NamedDependency[Session], registry: NamedDependency[Registry],
        counter_codes: NamedDependency[CounterCodes], camera_links: NamedDependency[CameraLinks],
        settings: NamedDependency[Settings],
    ) -> Response[str]:  # fmt: skip
        """Where the scanned code leads. Nothing is changed."""
        form, hospital = await read_form(request), await hospital_of(session, registry)
        at = form.get("at", "")[:100]
        place = _place(hospital, at)
        readings = readings_of(Scan(text=form.get("text", "")[:TEXT_MAX], physical=form.get("physical", "")[:TEXT_MAX]))
        if place is None or not readings:
            return _page(session, hospital, at=at, field="text" if place else "place", status=422)
        facts = Facts(
            hospital=hospital, printed=await registry.texts(session.facility), aliases=await registry.aliases(),
            host=settings.qr_host, codes=counter_codes, links=camera_links, now_s=int(time.time()),
        )  # fmt: skip
        return _page(session, hospital, at=at, verdict=verdict_of(readings, place, facts))


def verdict_of(readings: list[str], place: Counter | Queue, facts: Facts) -> Verdict:
    """``readings``: every text that the keys of a scanner may mean; the first that is a code of ours counts."""
    for text in sorted(readings, key=lambda one: one.startswith("HTTP")):  # Caps Lock turns every letter around
        if named := _named_in(text):
            return _share(text, *named, place, facts)
        if own := _OWN_LINK.fullmatch(text):
            return Verdict(key="ticket") if own[1] == "t" else _camera(own[2], facts)
    return Verdict(key="foreign")


def _named_in(text: str) -> tuple[str, str] | None:
    """HIP id and counter text of a code of Scan and Share, in either spelling of their names; None for another one."""
    try:
        address = urlsplit(text)
        pairs = parse_qsl(address.query, keep_blank_values=True, max_num_fields=20)
    except ValueError:
        return None
    query = {re.sub("[-_]", "", name).lower(): value for name, value in pairs}
    if address.scheme not in ("http", "https") or not query.get("hipid"):
        return None
    return query["hipid"], query.get("counterid", "")


def _share(address: str, hip: str, text: str, place: Counter | Queue, facts: Facts) -> Verdict:
    own = facts.hospital.facility.hip_id
    if hip != own and facts.aliases.get(hip) != own:
        return Verdict(key="hospital", values={"hip": marked_text(hip, SHOWN_MAX) or NONE})
    host, expected = urlsplit(address).netloc.lower(), urlsplit(facts.host).netloc.lower()
    if host != expected:
        return Verdict(key="host", values={"host": marked_text(host, SHOWN_MAX) or NONE, "own": expected})
    try:
        proof = facts.codes.read(text, hip, facts.now_s)
    except NotACounterCode:
        return _compared(leads_to(facts.hospital, facts.printed, text), text, place)
    except (CounterCodeExpired, CounterCodeTooEarly):
        return Verdict(key="expired")
    except CounterCodeError:
        leads = leads_to(facts.hospital, facts.printed, text)
        if leads.means is not Means.DEFAULT:  # twenty letters may be an old poster's text
            return _compared(leads, text, place)
        return Verdict(key="revoked", values={"queue": _name(leads.queue)})
    return Verdict(key="screen", values={"counter": proof.counter})


def _compared(leads: Leads, text: str, place: Counter | Queue) -> Verdict:
    """What a bare text leads to, beside what hangs at this place."""
    queue, counter = _name(leads.queue), leads.counter.name if leads.counter else NONE
    values = {"queue": queue, "counter": counter, "place": place.name}
    if leads.means is Means.DEFAULT:
        return Verdict(key="nothing", values={"text": marked_text(text, SHOWN_MAX) or NONE, "queue": queue})
    is_same_queue = leads.queue is not None and leads.queue.id == _queue_at(place)
    if leads.counter is None:
        same = "queue" if isinstance(place, Queue) else "queue_at_counter"
        return Verdict(key=same if is_same_queue else "other_queue", values=values)
    if isinstance(place, Queue):
        return Verdict(key="counter_in_hall" if is_same_queue else "other_counter", values=values)
    return Verdict(key="counter" if leads.counter.name == place.name else "other_counter", values=values)


def _camera(link: str, facts: Facts) -> Verdict:
    try:
        facts.links.read(link, now_s=facts.now_s)
    except LinkError:
        return Verdict(key="camera_expired")
    return Verdict(key="camera")


def _queue_at(place: Counter | Queue) -> str:
    """Id of the queue to which the posters of this place lead."""
    return place.id if isinstance(place, Queue) else place.queues[0]


def _name(queue: Queue | None) -> str:
    return queue.name if queue else NONE


def _place(hospital: Hospital, at: str) -> Counter | Queue | None:
    """``counter:M1`` or ``queue:medicine``."""
    kind, _, name = at.partition(":")
    if kind == "queue":
        return hospital.queue(name)
    return hospital.counter(name) if kind == "counter" else None


def _page(
    session: Session, hospital: Hospital, *, at: str, verdict: Verdict | None = None, field: str = "", status: int = 200
) -> Response[str]:  # fmt: skip
    """``field``: what is missing in a refused form."""
    places = [(f"counter:{one.name}", one, hospital.queue(one.queues[0])) for one in hospital.counters if one.queues]
    answer = templating.page(
        "poster_check.html", session=session, status=status, facility=hospital.facility, places=places,
        queues=[(f"queue:{one.id}", one) for one in hospital.queues], at=at, verdict=verdict, field=field,
        message="", trouble=tr(poster_messages.TROUBLE[field]) if field else "", text_max=TEXT_MAX,
        script_words=translated(poster_messages.SCREEN),
    )  # fmt: skip
    answer.headers.update(WITH_CAMERA)
    return answer
