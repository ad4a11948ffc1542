"""What staff say to everybody in the waiting hall, and when its boards are silent or dark. Part of the snapshot."""

from typing import Annotated, Final

from msgspec import Meta, Struct

ANNOUNCEMENT_MAX: Final = 120
"""Characters: two lines of a board, read aloud in ten seconds."""
ANNOUNCEMENTS_MAX: Final = 8
"""At one time in a facility: a board shows them in turn, nine seconds each."""

TimeOfDay = Annotated[str, Meta(pattern=r"\A(?:(?:[01][0-9]|2[0-3]):[0-5][0-9])?\Z")]
"""``HH:MM`` of the facility; empty: no time."""


class Announcement(Struct, frozen=True, kw_only=True):
    """One sentence, shown on boards and on the ticket pages of its queue, and read aloud, until a time."""

    id: str
    text: Annotated[str, Meta(min_length=1, max_length=ANNOUNCEMENT_MAX)]
    language: Annotated[str, Meta(max_length=8)]
    queue: str = ""
    """Queue id; empty: the whole facility."""
    at_ms: int = 0
    until_ms: int = 0


class Break(Struct, frozen=True, kw_only=True):
    """A counter whose clerk comes back at ``back_ms``."""

    counter: str
    back_ms: int


class BoardHours(Struct, frozen=True, kw_only=True):
    """Times of the facility, the same each day. A time range without both ends does not count."""

    quiet_from: TimeOfDay = ""
    quiet_to: TimeOfDay = ""
    """Between these boards neither chime nor speak."""
    night_from: TimeOfDay = ""
    night_to: TimeOfDay = ""
    """Between these boards are dark."""
    moves: bool = True
    """The picture moves by some pixels each hour, so that nothing burns into a television."""
