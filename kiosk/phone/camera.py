"""A number for a phone without an ABHA app: the screen's second QR opens this form, the form ends in the same queue.

The signed link proves that its holder lately stood before the screen. There is no session, so a foreign page gains
nothing by posting here, and it is refused all the same. Pressing the button twice gives one number, and so do two forms
with the same name, year of birth and phone. How many forms a browser, a link and an address may send is bounded
(``queueing.form_gate``); a form that is refused says why in the patient's language.
"""

import datetime
import re
import secrets
import time
from typing import Final
from zoneinfo import ZoneInfo

import structlog
from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from kiosk.checkin import CheckIn
from kiosk.locales import Messages
from kiosk.locales.corrections import own_messages
from kiosk.patient.consent import CONSENT_VERSION, Consent
from kiosk.phone.form import Faults, Form, empty, form_of, read
from kiosk.phone.ticket import LANG
from kiosk.settings import Settings
from kiosk.web.client_address import address_to_count, networks_of
from kiosk.web.limits import PHONE_FORM_MAX
from kiosk.web.link_urls import CAMERA_FRESH_S, new_ticket_link
from kiosk.web.page_bodies import read_form
from kiosk.web.path_prefix import url
from kiosk.web.request_body import BadBody
from kiosk.web.same_origin import is_own_page
from kiosk.web.security_headers import PAGE
from kiosk.web.templating import messages_for, page, sorry
from queueing.errors import QueueingError
from queueing.form_gate import FormVerdict
from queueing.hours_now import HoursNow
from queueing.models import Outcome, Place, Queue, Refusal
from queueing.registry import Hospital, Registry
from tokens import CameraClaim, CameraLinks, LinkError, LinkExpired, TicketLinks

Asked = Request[object, object, State]

BODY_S: Final = 10.0
"""A full form is under a kilobyte; a phone on 2G has sent it long before."""

DEVICE_COOKIE: Final = "kiosk-form"
DEVICE_S: Final = 86_400
"""A visit ends with the day; the mark is random and says nothing of its owner."""
_TOO_MANY: Final = {
    FormVerdict.FACILITY: "busy",
    FormVerdict.PACE: "pace",
    FormVerdict.DEVICE: "device",
}
"""Keys of the sentence that says why a form is refused."""

_log = structlog.get_logger(__name__)


class _Link:
    """A camera link that was believed, with the queue it names."""

    def __init__(self, claim: CameraClaim, hospital: Hospital, queue: Queue, zone: str, messages: Messages) -> None:
        self.claim, self.facility, self.queue, self.messages = claim, hospital.facility, queue, messages
        self.zone, self._hours = ZoneInfo(hospital.zone(zone)), HoursNow(hospital, zone)

    @property
    def is_over(self) -> bool:
        """Whether the queue's hours keep it closed."""
        return self._hours.closes(self.queue)

    def after_hours(self, *, status: int = 200) -> Response[str]:
        """When the queue opens, in place of the form."""
        opening = self._hours.opening(self.queue)
        opens = self.messages.opening(opening) if opening else self.messages.say("common.ask_desk")
        return self._no_numbers(self.messages.say("form.after_hours", opens=opens), status)

    def closed(self, *, status: int = 200) -> Response[str]:
        """That the queue takes nobody, in place of the form: nobody fills it in for nothing."""
        return self._no_numbers(self.messages.say("form.closed"), status)

    def _no_numbers(self, sentence: str, status: int) -> Response[str]:
        return page(
            "no_numbers.html",
            self.messages,
            status=status,
            facility=self.facility,
            queue=self.queue,
            sentence=sentence,
        )

    def ask(self, form: Form, faults: Faults, *, trouble: str = "", status: int = 200) -> Response[str]:
        first = next(iter(faults), "")
        return page(
            "camera.html",
            self.messages,
            status=status,
            form=True,
            facility=self.facility,
            queue=self.queue,
            given=form,
            faults=faults,
            first_fault=first,
            trouble=trouble,
        )


@get("/go/{link:str}", include_in_schema=False)
async def fill_in(
    link: FromPath[str],
    request: Asked,
    registry: NamedDependency[Registry],
    camera_links: NamedDependency[CameraLinks],
    settings: NamedDependency[Settings],
    lang: LANG = "",
) -> Response[str]:
    """The empty form, or what is wrong with the link."""
    opened = await _open(link, messages_for(request, lang), registry, camera_links, settings)
    if not isinstance(opened, _Link):
        return opened
    if opened.is_over:
        return opened.after_hours()
    return _mark(opened.ask(empty(), {}), request, settings) if opened.queue.open else opened.closed()


@post("/go/{link:str}", include_in_schema=False, status_code=303)
async def send_in(
    link: FromPath[str],
    request: Asked,
    registry: NamedDependency[Registry],
    camera_links: NamedDependency[CameraLinks],
    ticket_links: NamedDependency[TicketLinks],
    check_in: NamedDependency[CheckIn],
    settings: NamedDependency[Settings],
    lang: LANG = "",
) -> Response[str] | Redirect:
    """The number's own page, or the form again with what is wrong."""
    messages = messages_for(request, lang)
    if not is_own_page(request, settings.public_url):
        return sorry(messages, 403, "form.forged", "form.foreign")
    opened = await _open(link, messages, registry, camera_links, settings)
    if not isinstance(opened, _Link):
        return opened
    form = await _form(request)
    patient, faults = read(form, datetime.datetime.now(opened.zone).date())
    if faults:
        return opened.ask(form, faults, status=422)
    hip, device = opened.claim.hip_id, device_of(request)
    away = opened.claim.expires_s - time.time() < CAMERA_FRESH_S
    try:
        address = address_to_count(request.scope, networks_of(settings.trusted_proxies))
        verdict, wait_s = await check_in.admit_form(
            hip, request_id=form.request_id, link=link, address=address, device=device
        )
        if verdict is not FormVerdict.PASS:
            return _too_many(opened, form, verdict, wait_s)
        consent = Consent(CONSENT_VERSION, messages.code, int(time.time()))
        place = await check_in.by_camera(
            hip, opened.claim.queue, patient, form.request_id, device=device, away=away, consent=consent
        )
    except QueueingError as error:
        _log.warning("camera_form_unanswered", error=type(error).__name__)
        return opened.ask(form, {}, trouble="busy", status=503)
    return _answer(opened, form, place, ticket_links)


def _too_many(opened: _Link, form: Form, verdict: FormVerdict, wait_s: int) -> Response[str]:
    answer = opened.ask(form, {}, trouble=_TOO_MANY[verdict], status=429)
    answer.headers["Retry-After"] = str(wait_s)
    return answer


def device_of(request: Asked) -> str:
    """The mark of this browser, from its cookie; empty for a browser that keeps none."""
    mark = request.cookies.get(DEVICE_COOKIE, "")
    return mark if re.fullmatch(r"[A-Za-z0-9_-]{22}", mark) else ""


def _mark(answer: Response[str], request: Asked, settings: Settings) -> Response[str]:
    """Give a new browser its mark."""
    if not device_of(request):
        answer.set_cookie(
            key=DEVICE_COOKIE,
            value=secrets.token_urlsafe(16),
            max_age=DEVICE_S,
            path=url("/go/"),
            httponly=True,
            secure=settings.public_url.startswith("https://"),
            samesite="lax",
        )
    return answer


def _answer(opened: _Link, form: Form, place: Place, links: TicketLinks) -> Response[str] | Redirect:
    if place.refusal is Refusal.BUSY:
        return opened.ask(form, {}, trouble="busy", status=503)
    if place.refusal is Refusal.CLOSED_QUEUE and opened.is_over:
        return opened.after_hours(status=409)
    if place.outcome not in {Outcome.NEW, Outcome.SAME_REQUEST, Outcome.SAME_PERSON} or not place.ticket:
        return opened.closed(status=409)
    link = new_ticket_link(links, opened.claim.hip_id, place.ticket, opened.zone)
    return Redirect(url(f"/t/{link}?lang={opened.messages.code}"), status_code=303, headers=PAGE)


async def _open(
    link: str, messages: Messages, registry: Registry, links: CameraLinks, settings: Settings
) -> _Link | Response[str]:
    try:
        claim = links.read(link, now_s=int(time.time()))
    except LinkExpired:
        return sorry(messages, 410, "form.expired", "form.expired_do")
    except LinkError:
        return sorry(messages, 404, "form.forged", "form.forged_do")
    hospital = await registry.hospital(claim.hip_id)
    queue = hospital.queue(claim.queue) if hospital else None
    if hospital is None or queue is None:
        return sorry(messages, 410, "form.expired", "form.expired_do")
    messages = own_messages(messages.code, hospital.facility.corrections)
    return _Link(claim, hospital, queue, settings.timezone, messages)


async def _form(request: Asked) -> Form:
    """What the browser sent. Bytes that are no form are an empty form, which then says what is missing."""
    try:
        return form_of(await read_form(request, PHONE_FORM_MAX, deadline_s=BODY_S))
    except BadBody:
        return form_of({})
