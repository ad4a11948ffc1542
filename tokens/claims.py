"""The claims of each token, their units, and the longest life of each."""

from enum import IntEnum
from typing import Annotated

from msgspec import Meta, Struct

TICKET_LIFE_S = 2 * 86_400
"""A ticket lives two days at most: today, and the next day when it is carried over midnight."""

CAMERA_LIFE_S = 3_600
"""The screen renews its camera link all the time. An hour leaves time to fill in the form slowly."""

STALE_LIFE_S = 86_400
"""For a day an old code is refused as expired, not as forged: a patient who shares at night reads the true reason."""

LEEWAY_S = 30
"""How far the clocks of two of our machines may differ. 60 s is the most that this project allows anywhere."""

LONGEST_LIFE_S = TICKET_LIFE_S + 3_600
"""No token is valid for longer than this after its key stopped signing. The hour covers reloads and clocks."""

LONGEST_LINK = 1_024
"""Characters, checked before anything is parsed. An ordinary link has 125, one of an earlier release 310. A HIP id of
250 characters still fits."""


class Grade(IntEnum):
    """How recently a screen showed the code."""

    FRESH = 1
    STALE = 2


class CounterProof(Struct, frozen=True, kw_only=True):
    """What a genuine counter code proves: a screen of this facility showed this counter, this long ago."""

    counter: str
    grade: Grade
    age_s: int
    """Seconds since the code left the screen; 0 while it is shown."""


class TicketClaim(Struct, frozen=True, kw_only=True):
    """The bearer holds this ticket's slip or page."""

    hip_id: str
    ticket: str


class CameraClaim(Struct, frozen=True, kw_only=True):
    """The bearer saw the screen of this queue recently."""

    hip_id: str
    queue: str
    expires_s: int
    """Unix seconds. All camera links live equally long, so few seconds left mean that the screen was seen long ago."""


HipId = Annotated[str, Meta(min_length=1, max_length=250)]
"""Free text up to 250 characters (NHA portal, patient share); never validated as an HFR id."""

Name = Annotated[str, Meta(min_length=1, max_length=64)]
UnixS = Annotated[int, Meta(ge=0, lt=1 << 40)]
"""Whole seconds since 1970. The bound refuses a 400-digit expiry before we calculate with it."""


class LinkClaims(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a link of either kind says."""

    hip_id: HipId
    name: Name
    """Id of the ticket or of the queue."""
    expires_s: UnixS


class JwtTicketClaims(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The signed claims of a ticket link of an earlier release."""

    iss: str
    aud: str
    iat: UnixS
    exp: UnixS
    h: HipId
    t: Name


class JwtCameraClaims(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The signed claims of a camera link of an earlier release."""

    iss: str
    aud: str
    iat: UnixS
    exp: UnixS
    h: HipId
    q: Name
