"""Public addresses of pages that a signed link opens: what a QR shows, and for how long a link is good."""

import time
from typing import Final
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo

from queueing.day import place_ends_s
from tokens import TicketLinks


def new_ticket_link(links: TicketLinks, hip_id: str, ticket: str, zone: ZoneInfo) -> str:
    """A link to a ticket's page that is good as long as the place. ``ticket``: its id; ``zone``: the facility's."""
    now_s = int(time.time())
    return links.mint(hip_id, ticket, expires_s=place_ends_s(zone, now_s), now_s=now_s)


def ticket_url(public_url: str, link: str) -> str:
    """The page of one ticket."""
    return f"{public_url.rstrip('/')}/t/{link}"


def camera_url(public_url: str, link: str) -> str:
    """The form for a phone without an ABHA app."""
    return f"{public_url.rstrip('/')}/go/{link}"


def find_url(public_url: str, hip_id: str) -> str:
    """Where a patient finds the own ticket page again by number."""
    return f"{public_url.rstrip('/')}/find/{quote(hip_id, safe='')}"


CAMERA_SLOT_S: Final = 300
"""How long one camera link is shown. A new one costs a signature and a picture, and unlike the ABDM code it proves
only a queue."""
CAMERA_GOOD_S: Final = 900
"""Beyond its last showing: time to fill in the form slowly, with a child on the arm."""
CAMERA_FRESH_S: Final = 600
"""With fewer seconds left than this, the holder of a link was last seen before the screen five minutes ago or more: the
place then waits for check-in."""
CAMERA_ELSEWHERE_S: Final = CAMERA_FRESH_S - CAMERA_SLOT_S - 1
"""Beyond its last showing, of a link for a browser that may stand anywhere: it is never fresh."""


def as_shown(address: str) -> str:
    """An address of ours as a person types it, set apart from the text around it, which may run from right to left."""
    parts = urlsplit(address)
    return f"\N{LEFT-TO-RIGHT ISOLATE}{parts.netloc}{parts.path}\N{POP DIRECTIONAL ISOLATE}"
