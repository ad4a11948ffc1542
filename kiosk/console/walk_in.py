"""Walk-ins: a clerk registers a patient without a phone, and prints a slip with the number.

The QR of an ABHA card or app, scanned at the desk, fills the form. Its content is unsigned; the clerk confirms it by
sending the form.
"""

import asyncio
import base64
from datetime import date, datetime
from zoneinfo import ZoneInfo

import msgspec
from litestar import Controller, Response, post
from litestar.di import NamedDependency
from msgspec import Struct

from kiosk.accounts.sessions import Session
from kiosk.checkin import CheckIn
from kiosk.console import guards, language, messages, patient_qr, slip_messages
from kiosk.console.guards import ConsoleRequest
from kiosk.console.language import tr
from kiosk.console.lookups import ticket_of
from kiosk.console.perhaps_same import LookAlikes, Perhaps
from kiosk.console.priority import chosen_reason
from kiosk.locales import BOOK
from kiosk.patient.birth import birth_of_age, birth_of_parts
from kiosk.patient.identifiers import abha_address, abha_number, address_part, phone_number, pincode
from kiosk.patient.names import name_fault, person_name
from kiosk.patient.person import Patient
from kiosk.settings import Settings
from kiosk.web.link_urls import new_ticket_link, ticket_url
from kiosk.web.page_bodies import read_json
from kiosk.web.security_headers import PAGE
from queueing.corrections import NO_CORRECTIONS
from queueing.desk import OpdDesk
from queueing.hours_now import HoursNow
from queueing.lanes import label_of
from queueing.models import Facility, Outcome, Place, Reader, Refusal, Ticket
from queueing.registry import Registry
from tokens import qr
from tokens.ticket import TicketLinks


class NotUnderstood(Exception):
    """A field of the form cannot be read; the text is the key of the sentence for the clerk (``messages.TROUBLE``)."""


class WalkIn(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The form. Either an age or a year of birth may stand in ``age``."""

    queue: str
    name: str
    age: str = ""
    gender: str = ""
    phone: str = ""
    reason: str = ""
    """Why the person goes sooner; empty: the age decides."""
    lane: str = ""
    """The same, as pages of an earlier release send it."""
    request: str = ""
    """Made by the page for each form: the same form sent twice gives one number."""
    claim: Patient | None = None
    """Content of a scanned QR; the fields above win over it."""
    sure: bool = False
    """The clerk saw who may be the same person and says that it is somebody else."""
    any_hour: bool = False
    """The clerk read that the queue's hours keep it closed, and gives a number all the same."""


class Scanned(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    text: str


class SlipRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    ticket: str


class Slip(Struct, frozen=True, kw_only=True):
    """What is printed: the number and its link, no name."""

    outcome: str
    words: str
    ticket: str = ""
    token: str = ""
    queue: str = ""
    ahead: int = 0
    queue_names: dict[str, str] = {}
    """By language, where set."""
    local: dict[str, dict[str, str]] = {}
    """By language: its direction, and the lines for the patient."""
    facility: str = ""
    facility_names: dict[str, str] = {}
    """By language, where set."""
    lane: str = ""
    at: str = ""
    """Local date and time of the facility."""
    link: str = ""
    qr: str = ""
    """A picture as a ``data:`` address."""
    by_hours: bool = False
    """No number only because of the queue's hours: the clerk may give one all the same."""
    opens: str = ""
    """When the queue opens, in the clerk's language."""


_WALK_IN = msgspec.json.Decoder(WalkIn)
_SCANNED = msgspec.json.Decoder(Scanned)
_SLIP = msgspec.json.Decoder(SlipRequest)


class Slips:
    """Makes slips; their QR is drawn in a thread."""

    def __init__(self, registry: Registry, desk: OpdDesk, links: TicketLinks, settings: Settings) -> None:
        self._registry, self._desk, self._links, self._settings = registry, desk, links, settings

    async def of_place(self, hip: str, place: Place, queue: str) -> Slip:
        refusal = tr(messages.REFUSALS[place.refusal]) if place.refusal else ""
        sentence = tr(messages.PLACES.get(place.outcome, messages.OUTCOMES.get(place.outcome, ""))).format(
            refusal=refusal
        )
        ticket = await self._desk.ticket(hip, place.ticket) if place.ticket else None
        if ticket is None or place.outcome is Outcome.REFUSED:
            slip = Slip(outcome=place.outcome.name, words=sentence)
            return await self._closed(hip, queue, slip) if place.refusal is Refusal.CLOSED_QUEUE else slip
        return msgspec.structs.replace(await self.of_ticket(hip, ticket), outcome=place.outcome.name, words=sentence)

    async def _closed(self, hip: str, queue: str, slip: Slip) -> Slip:
        """The refusal, with what the clerk may do where only hours closed the queue."""
        hospital = await self._registry.hospital(hip)
        found = hospital.queue(queue) if hospital else None
        if hospital is None or found is None or not found.open:
            return slip
        opening = HoursNow(hospital, self._settings.timezone).opening(found)
        opens = BOOK[language.current().code].opening(opening) if opening else ""
        return msgspec.structs.replace(slip, by_hours=True, opens=opens)

    async def today(self, hip: str) -> date:
        """At the facility."""
        return datetime.now(self._zone(await self._registry.facility(hip))).date()

    def _zone(self, facility: Facility | None) -> ZoneInfo:
        return ZoneInfo((facility and facility.timezone) or self._settings.timezone)

    async def of_ticket(self, hip: str, ticket: Ticket) -> Slip:
        hospital = await self._registry.hospital(hip)
        facility, queue = (hospital.facility, hospital.queue(ticket.queue)) if hospital else (None, None)
        zone = self._zone(facility)
        link = ticket_url(self._settings.public_url, new_ticket_link(self._links, hip, ticket.id, zone))
        picture = await asyncio.to_thread(qr.svg, link)
        return Slip(
            outcome="FOUND", words="", ticket=ticket.id, token=ticket.token, ahead=ticket.ahead, link=link,
            queue=queue.name if queue else ticket.queue, queue_names=queue.names if queue else {},
            facility=facility.name if facility else "", facility_names=facility.names if facility else {},
            lane=label_of(ticket.lane, ticket.reason) if ticket.lane else "",
            local=slip_messages.local_lines(facility.corrections if facility else NO_CORRECTIONS),
            at=datetime.fromtimestamp(ticket.arrived_ms / 1000, zone).strftime("%d-%m-%Y %H:%M"),
            qr="data:image/svg+xml;base64," + base64.b64encode(_standalone(picture)).decode(),
        )  # fmt: skip


class WalkIns(Controller):
    path = "/console"

    @post("/walk-in", guards=[guards.clerk], status_code=200, include_in_schema=False)
    async def register(
        self, request: ConsoleRequest, session: NamedDependency[Session], check_in: NamedDependency[CheckIn],
        slips: NamedDependency[Slips], look_alikes: NamedDependency[LookAlikes], reader: NamedDependency[Reader],
    ) -> Response[Slip] | Response[Perhaps]:  # fmt: skip
        """A number; or who may be the same person, until the clerk is sure."""
        form = await read_json(request, _WALK_IN)
        patient = patient_of(form, await slips.today(session.facility))
        reason = chosen_reason(form.reason or form.lane)
        # The store remembers that the first try was refused: the second is another request.
        request_id = form.request[:64] + ("/any-hour" if form.request and form.any_hour else "")
        if not form.sure:
            own = check_in.walk_in_request(session.facility, session.login, request_id)
            perhaps = await look_alikes.of(session.facility, form.queue[:64], patient, own, reader)
            if perhaps is not None:
                return Response(perhaps, headers=PAGE)
        place = await check_in.walked_in(
            session.facility, form.queue[:64], patient, reason, by=session.login, request_id=request_id,
            any_hour=form.any_hour,
        )  # fmt: skip
        return Response(await slips.of_place(session.facility, place, form.queue[:64]), headers=PAGE)

    @post("/walk-in/read", guards=[guards.clerk], status_code=200, include_in_schema=False)
    async def read(
        self, request: ConsoleRequest, session: NamedDependency[Session], settings: NamedDependency[Settings]
    ) -> Response[Patient]:
        """Understand what a desk scanner typed; 422 when it is not an ABHA QR."""
        scanned = await read_json(request, _SCANNED)
        return Response(patient_qr.read(scanned.text, suffix=settings.cm_id), headers=PAGE)

    @post("/slip", guards=[guards.clerk], status_code=200, include_in_schema=False)
    async def slip(
        self, request: ConsoleRequest, session: NamedDependency[Session], desk: NamedDependency[OpdDesk],
        slips: NamedDependency[Slips],
    ) -> Response[Slip]:  # fmt: skip
        """Print a number again."""
        form = await read_json(request, _SLIP)
        ticket = await ticket_of(session, desk, form.ticket)
        return Response(await slips.of_ticket(session.facility, ticket), headers=PAGE)


def patient_of(form: WalkIn, today: date) -> Patient:
    """The form, completed by the claim; an age becomes a year of birth. Raises ``NotUnderstood``."""
    claim = form.claim or Patient()
    born, phone = birth_of_age(form.age, today), phone_number(form.phone)
    odd_name = name_fault(form.name)
    if odd_name:
        raise NotUnderstood(f"name_{odd_name}")
    if form.age.strip() and born.year is None:
        raise NotUnderstood("age_odd")
    if form.phone.strip() and not phone:
        raise NotUnderstood("phone_odd")
    if born.year in (None, claim.year_of_birth) and born.month is None:
        born = birth_of_parts(
            *(str(part or "") for part in (claim.day_of_birth, claim.month_of_birth, claim.year_of_birth))
        )
    return Patient(
        name=person_name(form.name),
        gender=form.gender if form.gender in messages.GENDERS else "",
        year_of_birth=born.year,
        month_of_birth=born.month,
        day_of_birth=born.day,
        phone=phone,
        abha_number=abha_number(claim.abha_number),
        abha_address=abha_address(claim.abha_address),
        line=address_part(claim.line),
        district=address_part(claim.district),
        state=address_part(claim.state),
        pincode=pincode(claim.pincode),
    )


def _standalone(svg: bytes) -> bytes:
    """The SVG with its namespace, which a ``data:`` picture needs."""
    return svg if b"xmlns=" in svg else svg.replace(b"<svg ", b'<svg xmlns="http://www.w3.org/2000/svg" ', 1)
