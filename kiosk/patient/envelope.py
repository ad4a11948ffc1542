"""What is sealed of one person: what the gateway's answer needs, and who it is, in one envelope.

One envelope is written for each arrival and lies in two places: with the ticket, for staff, and with the pending
reply, for the relay. A profile lies in it as it was told: nobody reads it for display before somebody looks at it.
"""

from typing import Final

import msgspec

from kiosk.patient.consent import Consent
from kiosk.patient.person import Patient


class Envelope(msgspec.Struct, frozen=True, array_like=True):
    """New fields go last and have defaults: envelopes outlive a release by days."""

    note: bytes = b""
    """What the answer needs (``kiosk.abdm.inbound.Note``); empty when nobody is owed one."""
    profile: bytes = b""
    """What the message told of the patient (``kiosk.abdm.inbound.read_patient`` reads it)."""
    patient: Patient | None = None
    """Instead of a profile: somebody whom staff or a form registered, or who was told in too many words to keep."""
    consent: Consent | None = None
    """What a patient agreed to in the form; the consent to a share was given in the patient's own app."""


ENVELOPE_PURPOSE: Final = "letter"
"""Bound into the seal, so that nothing else that is sealed passes for an envelope."""

pack_envelope = msgspec.msgpack.Encoder().encode
unpack_envelope = msgspec.msgpack.Decoder(Envelope).decode
