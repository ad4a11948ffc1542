"""What a desk scanner typed: an ABHA QR, the QR of our own slip, or something that is neither."""

import re
import time
from typing import Final

import msgspec
from litestar import Controller, Response, post
from litestar.di import NamedDependency
from msgspec import Struct

from kiosk.accounts.sessions import Session
from kiosk.console import guards, messages, patient_qr
from kiosk.console.guards import ConsoleRequest
from kiosk.console.language import tr
from kiosk.patient.identifiers import fits_check_digit
from kiosk.patient.person import Patient
from kiosk.settings import Settings
from kiosk.web.page_bodies import read_json
from kiosk.web.security_headers import PAGE
from queueing.desk import OpdDesk
from queueing.models import Ticket
from tokens.errors import LinkError
from tokens.ticket import TicketLinks

SECURE_QR_DIGITS: Final = 200
"""An Aadhaar secure QR is one number of 220 digits at least; no barcode of a hospital is that long."""
_LINK: Final = re.compile(r"^https?://[^\s]+/t/([A-Za-z0-9_.\-]{20,2000})$")
_AADHAAR: Final = re.compile(r"PrintLetterBarcodeData|<QP?D[AB]\b", re.IGNORECASE)
"""The letter's XML, and the two short forms of the card printed at a service centre."""
_ADDED: Final = re.compile(r"^(?:\ufeff|ï»¿|[\x00-\x20])*(?:\][A-Za-z][0-9A-Za-z])?|[\x00-\x20]+$")
"""What scanners send around the text: a byte order mark, STX and ETX, and the AIM identifier, such as ``]Q3``."""


class Scan(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    text: str
    physical: str = ""
    """The same keys as a US keyboard writes them: scanners are set to it, the PC may be set to Urdu."""


class Found(Struct, frozen=True, kw_only=True):
    """A patient, a ticket, or words that say what it was. Beside a patient, ``words`` is a warning."""

    patient: Patient | None = None
    ticket: str = ""
    token: str = ""
    words: str = ""


_SCAN: Final = msgspec.json.Decoder(Scan)


class Scans(Controller):
    path = "/console"

    @post("/scan", guards=[guards.clerk], status_code=200, include_in_schema=False)
    async def scan(
        self, request: ConsoleRequest, session: NamedDependency[Session], settings: NamedDependency[Settings],
        desk: NamedDependency[OpdDesk], ticket_links: NamedDependency[TicketLinks],
    ) -> Response[Found]:  # fmt: skip
        """Say what was scanned. Nothing is changed."""
        form = await read_json(request, _SCAN)
        readings = readings_of(form)
        patient = _patient(readings, settings.cm_id)
        if patient is not None:
            return Response(Found(patient=patient, words=_doubt(patient)), headers=PAGE)
        ticket = await _ticket(readings, session.facility, desk, ticket_links)
        if ticket is not None:
            return Response(Found(ticket=ticket.id, token=ticket.token), headers=PAGE)
        return Response(Found(words=tr(messages.SCAN[kind_of(readings)])), headers=PAGE)


def _doubt(patient: Patient) -> str:
    """A barcode of fourteen digits may be something else than an ABHA number."""
    alone = patient.abha_number and not patient.name
    return tr(messages.SCAN["doubt"]) if alone and not fits_check_digit(patient.abha_number) else ""


def readings_of(scan: Scan) -> list[str]:
    """Every text that the keys may mean. Caps Lock turns every letter of an address around."""
    typed = [text for text in dict.fromkeys(_ADDED.sub("", text) for text in (scan.text, scan.physical)) if text]
    return typed + [text.swapcase() for text in typed if text.startswith(("HTTP://", "HTTPS://"))]


def kind_of(readings: list[str]) -> str:
    """What a text is that names neither a patient nor a ticket of ours."""
    for text in readings:
        if _AADHAAR.search(text) or (text.isdigit() and len(text) >= SECURE_QR_DIGITS):
            return "aadhaar"
        if _LINK.match(text):
            return "slip"
        if "://" in text:
            return "link"
    return "other"


def _patient(readings: list[str], suffix: str) -> Patient | None:
    for text in readings:
        try:
            return patient_qr.read(text, suffix=suffix)
        except patient_qr.NotAPatientQr:
            continue
    return None


async def _ticket(readings: list[str], hip: str, desk: OpdDesk, links: TicketLinks) -> Ticket | None:
    for text in readings:
        match = _LINK.match(text)
        if match is None:
            continue
        try:
            claim = links.read(match[1], now_s=int(time.time()))
        except LinkError:
            continue
        return await desk.ticket(hip, claim.ticket) if claim.hip_id == hip else None
    return None
