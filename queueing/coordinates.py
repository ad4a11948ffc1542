"""Where a hospital can be: coordinates that cannot be right must not make every phone look far away."""

from typing import Final

SOUTH, NORTH = 6.0, 37.5
"""Degrees: Indira Point lies at 6.75, the north of Ladakh at 37.1."""
WEST, EAST = 68.0, 97.5
"""Degrees: Gujarat begins at 68.1, Arunachal Pradesh ends at 97.4."""

OUTSIDE: Final = "latitude and longitude lie outside India"
SWAPPED: Final = "latitude and longitude are swapped"
NOUGHT: Final = "latitude and longitude are 0, which means unknown"


def place_fault(latitude: float, longitude: float) -> str:
    """Why these degrees are not the place of a hospital in India; empty when they may be."""
    if _is_in_india(latitude, longitude):
        return ""
    if abs(latitude) < 0.01 and abs(longitude) < 0.01:
        return NOUGHT
    return SWAPPED if _is_in_india(longitude, latitude) else OUTSIDE


def _is_in_india(latitude: float, longitude: float) -> bool:
    return SOUTH <= latitude <= NORTH and WEST <= longitude <= EAST
