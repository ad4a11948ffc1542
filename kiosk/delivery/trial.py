"""A message about an invented ticket, by which an administrator tries a target."""

import secrets
from datetime import datetime
from typing import Final, assert_never

import msgspec

from kiosk.delivery.message import Message
from kiosk.exchange import fhir, hl7
from kiosk.exchange.ticket_json import TicketJson
from queueing.targets import EVERY_FACILITY, Target, TargetFormat, TargetKind

TYPE: Final = "test"
"""No event of the log has this type; a receiver answers it with a 2xx and does nothing."""
NUMBER: Final = "TEST-1"
_PRODUCTION, _TRAINING = b"|P|2.5|", b"|T|2.5|"
"""MSH-11 of a message about a person who does not exist."""


def trial_message(target: Target, now: datetime) -> Message:
    """An event of type ``test``, as this target gets events. It names nobody."""
    event_id = f"test-{secrets.token_hex(6)}"
    facility = "TEST" if target.facility == EVERY_FACILITY else target.facility
    ticket = TicketJson(
        id="test", token_number=NUMBER, facility=facility, queue="test", state="cancelled", lane="ordinary",
        assurance="unknown", nearness="unknown", source="hmis", service_day=now.date(), arrived_at=now, ended_at=now,
    )  # fmt: skip
    return Message(event_id=event_id, event_type=TYPE, cursor="0", body=_body(target, event_id, ticket, now))


def _body(target: Target, event_id: str, ticket: TicketJson, now: datetime) -> bytes:
    match target.kind:
        case TargetKind.HL7:
            occasion = hl7.Occasion(event_id=event_id, event_type=TYPE, at=now)
            message = hl7.message(hl7.Trigger.CHANGED, ticket, None, occasion)
            return message.replace(_PRODUCTION, _TRAINING, 1)
        case TargetKind.WEBHOOK if target.format is TargetFormat.FHIR:
            return msgspec.json.encode(fhir.bundle(ticket, None, fhir.Place(facility_name="Test")))
        case TargetKind.WEBHOOK:
            return msgspec.json.encode(
                {"id": event_id, "type": TYPE, "timestamp": now, "facility": ticket.facility, "cursor": "0",
                 "data": {"ticket": None}}
            )  # fmt: skip
        case _:
            assert_never(target.kind)
