"""What each token says, in which units, and how long it may live at most."""

from enum import IntEnum
from typing import Annotated

from msgspec import Meta, Struct

TICKET_LIFE_S = 2 * 86_400
"""A place lives two days at most: today, and over midnight when it is carried into the new day."""

CAMERA_LIFE_S = 3_600
"""A camera link is shown on a screen and redrawn; an hour leaves time to fill in the form slowly."""

STALE_LIFE_S = 86_400
"""A counter code may be told from a forged one for a day; the patient who shares at night hears a true reason."""

LEEWAY_S = 30
"""How far the clocks of two of our machines may differ. The house rule is at most 60 s."""

LONGEST_LIFE_S = TICKET_LIFE_S + 3_600
"""No token of ours is good for longer than this after its key stopped signing; the hour covers reloads and clocks."""


class Grade(IntEnum):
    """How lately a screen showed the code."""

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
    """The bearer lately saw the screen of this queue."""

    hip_id: str
    queue: str
    expires_s: int
    """Unix seconds. The link was made a while before that: few seconds left mean that the screen was seen long ago."""


HipId = Annotated[str, Meta(min_length=1, max_length=250)]
"""Free text up to 250 characters (NHA portal, patient share); never validated as an HFR id."""

Name = Annotated[str, Meta(min_length=1, max_length=64)]
UnixS = Annotated[int, Meta(ge=0, lt=1 << 40)]
"""Whole seconds since 1970; the bound ends 400-digit expiries before arithmetic meets them."""


class TicketWords(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A ticket link as it is signed. Short names: each letter makes the QR on the slip denser."""

    iss: str
    aud: str
    iat: UnixS
    exp: UnixS
    h: HipId
    t: Name


class CameraWords(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A camera link as it is signed."""

    iss: str
    aud: str
    iat: UnixS
    exp: UnixS
    h: HipId
    q: Name
