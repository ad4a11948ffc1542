"""Signed things: counter codes, ticket and camera links, the keys behind them. Bytes in, bytes out.

This package uses no store, network, file or environment. ``tokens.qr`` draws pictures; import it only where you draw.
"""

from tokens.camera import CameraLinks
from tokens.claims import CameraClaim, CounterProof, Grade, TicketClaim
from tokens.counter import CounterCodes, codable
from tokens.errors import (
    CounterCodeError,
    CounterCodeExpired,
    CounterCodeForged,
    CounterCodeTooEarly,
    CounterNotCodable,
    KeyRingBroken,
    KeyRingError,
    KeyRingFull,
    KeyUnknown,
    LinkError,
    LinkExpired,
    LinkForged,
    LinkImpossible,
    LinkKeyUnknown,
    LinkOfAnotherKind,
    LinkOfAnotherPlace,
    LinkTooEarly,
    NotACounterCode,
    NotALink,
    PictureError,
    TokenError,
)
from tokens.keyring import Generation, KeyRing, KeyState
from tokens.ticket import TicketLinks

__all__ = [
    "CameraClaim",
    "CameraLinks",
    "CounterCodeError",
    "CounterCodeExpired",
    "CounterCodeForged",
    "CounterCodeTooEarly",
    "CounterCodes",
    "CounterNotCodable",
    "CounterProof",
    "Generation",
    "Grade",
    "KeyRing",
    "KeyRingBroken",
    "KeyRingError",
    "KeyRingFull",
    "KeyState",
    "KeyUnknown",
    "LinkError",
    "LinkExpired",
    "LinkForged",
    "LinkImpossible",
    "LinkKeyUnknown",
    "LinkOfAnotherKind",
    "LinkOfAnotherPlace",
    "LinkTooEarly",
    "NotACounterCode",
    "NotALink",
    "PictureError",
    "TicketClaim",
    "TicketLinks",
    "TokenError",
    "codable",
]
