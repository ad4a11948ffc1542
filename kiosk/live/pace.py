"""Limits of the live screens. The capacity model (``kiosk.capacity.model``) calculates with them too."""

from typing import Final

REDRAW_S: Final = 0.2
"""The longest pause after a frame: people in a hall cannot follow more than five changes a second."""
MOST_LISTENERS: Final = 20_000
"""Open streams of one process. With more, memory would run out before processor time."""
