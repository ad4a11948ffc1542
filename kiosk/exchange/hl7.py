"""HL7 v2.5 messages of one ticket: ADT^A04 when a person is registered, A08 for each change, A11 for a cancelled visit.

A message is MSH, EVN, PID, PV1 and ZSS. ZSS carries what v2.5 has no field for: token number, queue, assurance and so
on. Text stays in its own script: the message is UTF-8 and says so in MSH-18. Everything here is pure: the same event
gives the same bytes, so a message that is sent again has the same control id.
"""

import hashlib
import re
from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Final

from msgspec import Struct

from kiosk.exchange.profile_json import ProfileJson
from kiosk.exchange.ticket_json import TicketJson
from queueing.lanes import EMERGENCY_WORDS

SENDING_APPLICATION: Final = "KIOSK"
ABHA_AUTHORITY: Final = "ABDM"
"""Who assigns ABHA numbers and addresses (CX-4). The authority of everything else is the facility."""
CONTROL_ID_MAX: Final = 20
"""Characters of MSH-10 in v2.5. Identifiers of events are longer, so a digest stands there: 80 bits."""

_ESCAPES: Final = {"\\": "\\E\\", "|": "\\F\\", "^": "\\S\\", "&": "\\T\\", "~": "\\R\\"}
_TO_ESCAPE: Final = re.compile(r"[\\|^&~\x00-\x1f\x7f]")
_NULL: Final = '""'
"""A field with these two characters says "delete the value"."""


class Trigger(StrEnum):
    """What an ADT message is about."""

    REGISTERED = "A04"
    CHANGED = "A08"
    CANCELLED = "A11"


_STRUCTURES: Final = {Trigger.REGISTERED: "ADT_A01", Trigger.CHANGED: "ADT_A01", Trigger.CANCELLED: "ADT_A09"}
_TRIGGERS: Final = {
    "ticket.created": Trigger.REGISTERED,
    "ticket.cancelled": Trigger.CANCELLED,
    **dict.fromkeys(
        (
            "ticket.checked_in", "ticket.called", "ticket.serving", "ticket.held", "ticket.no_show", "ticket.returned",
            "ticket.transferred", "ticket.done", "ticket.lapsed", "ticket.undone",
        ),
        Trigger.CHANGED,
    ),
}  # fmt: skip
_SEXES: Final = {"M": "M", "F": "F", "O": "O", "T": "O", "D": "O"}
"""Table 0001 has no word for transgender or different; O is other."""


class Occasion(Struct, frozen=True, kw_only=True):
    """What a message says beside ticket and profile: the event, and the names around it."""

    event_id: str
    event_type: str
    at: datetime
    """With an offset: the time of the event, in the facility's zone."""
    queue_name: str = ""
    receiver: str = ""
    """Name of the receiving application (MSH-5), where the hospital's engine routes by it."""


def trigger_of(event_type: str) -> Trigger | None:
    """The trigger of an event's message; None for an event that changes neither a person nor a place."""
    return _TRIGGERS.get(event_type)


def control_id(event_id: str) -> str:
    """MSH-10 of the message about this event. The acknowledgement repeats it in MSA-2."""
    return hashlib.sha256(event_id.encode()).hexdigest()[:CONTROL_ID_MAX].upper()


def message(trigger: Trigger, ticket: TicketJson, profile: ProfileJson | None, occasion: Occasion) -> bytes:
    """One message in UTF-8, each segment ended by a carriage return. Without a profile PID-3 names the ticket."""
    segments = (
        _msh(trigger, ticket, occasion), _evn(trigger, ticket, occasion), _pid(ticket, profile or ProfileJson()),
        _pv1(ticket), _zss(ticket, occasion),
    )  # fmt: skip
    return "".join(segment + "\r" for segment in segments).encode("utf-8", "replace")


def escape(text: str) -> str:
    """Text as the value of a field or component. A reader gets the same text back."""
    if text == _NULL:
        return "\\X2222\\"
    return _TO_ESCAPE.sub(lambda found: _ESCAPES.get(found[0]) or f"\\X{ord(found[0]):02X}\\", text)


def _msh(trigger: Trigger, ticket: TicketJson, occasion: Occasion) -> str:
    return "|".join((
        "MSH", "^~\\&", SENDING_APPLICATION, escape(ticket.facility), escape(occasion.receiver), "",
        _time(occasion.at), "", f"ADT^{trigger}^{_STRUCTURES[trigger]}", control_id(occasion.event_id), "P", "2.5",
        "", "", "", "", "IND", "UNICODE UTF-8",
    ))  # fmt: skip


def _evn(trigger: Trigger, ticket: TicketJson, occasion: Occasion) -> str:
    at = _time(occasion.at)
    return _segment("EVN", [trigger, at, "", "", "", at, escape(ticket.facility)])


def _pid(ticket: TicketJson, profile: ProfileJson) -> str:
    address = profile.address
    parts = (address.line, "", address.district, address.state, address.pincode) if address else ()
    shown = [*(part or "" for part in parts), "IND", "H"] if any(parts) else []
    return _segment("PID", [
        "1", "", "~".join(_identifiers(ticket, profile)), "", _name(profile.name or ""), "", _birth(profile),
        _SEXES.get(profile.gender or "", "U"), "", "", _components(*shown), "", _phone(profile.phone or ""),
    ])  # fmt: skip


def _identifiers(ticket: TicketJson, profile: ProfileJson) -> Iterable[str]:
    """PID-3, by type: HIN and ABHA as NRCES names them, MR for the hospital's own number. PID-3 is never empty."""
    found = [
        _components(value, "", "", ABHA_AUTHORITY, kind)
        for value, kind in ((profile.abha_number, "HIN"), (profile.abha_address, "ABHA"))
        if value
    ]
    if ticket.links is not None and ticket.links.patient_id:
        found.append(_components(ticket.links.patient_id, "", "", ticket.facility, "MR"))
    return found or [_components(ticket.id, "", "", SENDING_APPLICATION, "PNT")]


def _pv1(ticket: TicketJson) -> str:
    fields = [""] * 50
    fields[0], fields[1] = "1", "O"
    fields[2] = _components(ticket.queue, ticket.counter or "", "", ticket.facility)
    fields[3] = "E" if ticket.lane in EMERGENCY_WORDS else "R"
    fields[9] = escape(ticket.queue)
    fields[18] = _components(ticket.id, "", "", SENDING_APPLICATION, "VN")
    fields[43], fields[44] = _time(ticket.arrived_at), _time(ticket.ended_at)
    if ticket.links is not None and ticket.links.visit_id:
        fields[49] = _components(ticket.links.visit_id, "", "", ticket.facility, "VN")
    return _segment("PV1", fields)


def _zss(ticket: TicketJson, occasion: Occasion) -> str:
    """Our own segment; docs/hmis.md lists its fields."""
    return _segment("ZSS", [
        "1", *map(escape, (
            ticket.token_number, ticket.id, ticket.queue, occasion.queue_name, ticket.counter or "", ticket.state,
            ticket.lane, ticket.assurance, ticket.nearness, ticket.source,
        )),
        f"{ticket.service_day:%Y%m%d}", "" if ticket.ahead is None else str(ticket.ahead),
        str(ticket.calls), escape(occasion.event_type), escape(occasion.event_id),
    ])  # fmt: skip


def _name(name: str) -> str:
    """The whole name as the family name: nobody says which word of an Indian name is the family's. U: not known."""
    return f"{escape(name)}^^^^^^L" if name else "^^^^^^U"


def _birth(profile: ProfileJson) -> str:
    """As exact as it is known: ``1990``, ``199001`` or ``19900115``."""
    text = ""
    for part, width in ((profile.year_of_birth, 4), (profile.month_of_birth, 2), (profile.day_of_birth, 2)):
        if not part:
            break
        text += f"{part:0{width}}"
    return text


def _phone(phone: str) -> str:
    """Ten digits are an Indian number; a foreign one has its country code."""
    return f"{escape(international(phone))}^PRN^PH" if phone else ""


def international(phone: str) -> str:
    """A number of a profile as E.164 writes it."""
    return f"+91{phone}" if len(phone) == 10 else f"+{phone}"


def _time(at: datetime | None) -> str:
    """``20261128101500.123+0530``."""
    return f"{at:%Y%m%d%H%M%S}.{at.microsecond // 1000:03}{at:%z}" if at else ""


def _components(*values: str) -> str:
    return "^".join(map(escape, values)).rstrip("^")


def _segment(name: str, fields: list[str]) -> str:
    """The fields after the name, without the empty ones at the end."""
    return "|".join([name, *fields]).rstrip("|")
