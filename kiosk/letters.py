"""What is sealed of one person: what the gateway's answer needs, and who it is, in one letter.

One letter is written for each arrival and lies in two places: with the ticket, for staff, and with the debt, for the
relay. A message lies in it as it came: nobody reads a profile for display before somebody looks at it.
"""

from typing import Final

import msgspec

from kiosk.people import Patient


class Letter(msgspec.Struct, frozen=True, array_like=True):
    """New fields go last and have defaults: letters outlive a release by days."""

    note: bytes = b""
    """What the answer needs (``kiosk.abdm.reading.Note``); empty when nobody is owed one."""
    body: bytes = b""
    """The message as it came."""
    patient: Patient | None = None
    """Instead of a body: somebody whom staff or a form registered, or whose message was too long to keep."""


PURPOSE: Final = "letter"
"""Bound into the seal, so that nothing else that is sealed passes for a letter."""

write = msgspec.msgpack.Encoder().encode
read = msgspec.msgpack.Decoder(Letter).decode
