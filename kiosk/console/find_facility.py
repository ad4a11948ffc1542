"""Finds a facility for an administrator of all of them: by parts of its HIP id, its names, district and state."""

from typing import Final

from queueing.models import Facility
from queueing.registry import Registry

FOUND_MAX: Final = 50
"""More than a page shows at once: who gets them writes another word."""
SEARCHED_MAX: Final = 20_000
"""Facilities that are looked through, in a second; the largest state has fewer. A HIP id finds any one."""
PAGE: Final = 500
"""Read at once: they leave room in the store's pipeline for everybody else of this worker."""
TEXT_MAX: Final = 250
"""Characters of what is looked for: no HIP id and no name is longer."""


async def find_facilities(registry: Registry, text: str) -> list[Facility]:
    """Those that have every word of the text, at most one more than ``FOUND_MAX``; first the one with this HIP id."""
    typed = text[:TEXT_MAX].casefold().split()
    if not typed:
        return []
    exact = await registry.facility(text.strip()[:TEXT_MAX])
    found, searched, after = [exact] if exact else [], 0, ""
    while searched < SEARCHED_MAX and (page := await registry.facilities(after, PAGE)):
        searched, after = searched + PAGE, page[-1].hip_id
        found += [one for one in page if one != exact and _has(one, typed)]
        if len(found) > FOUND_MAX:
            return found[: FOUND_MAX + 1]
    return found


def _has(facility: Facility, typed: list[str]) -> bool:
    parts = (facility.hip_id, facility.name, *facility.names.values(), facility.district, facility.state)
    text = "\n".join(parts).casefold()
    return all(part in text for part in typed)
