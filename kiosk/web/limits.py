"""The largest request bodies, in bytes, and the longest id in one. A larger body gets 413, never a cut connection."""

from typing import Final

GATEWAY_BODY_MAX: Final = 512 * 1024
"""A share of the gateway. Older forms carry a photo of up to 300 kB."""
BODY_MAX: Final = 16 * 1024
"""Every other endpoint: a form with a name and an address fits four times."""
SCREEN_REPORT_MAX: Final = 1024
"""What a paired screen says of itself: three short values."""
PHONE_FORM_MAX: Final = 8 * 1024
"""The form for phones without an ABHA app: filled in, it is under a kilobyte."""
PUSH_BODY_MAX: Final = 2 * 1024
"""A browser's push subscription: an address of 500 characters at most, and three keys."""
RECORDING_BODY_MAX: Final = 360 * 1024
"""A recording of six seconds (``kiosk.voice.sound``) as base64: 345 kB, and the name of its phrase."""
ID_MAX: Final = 64
"""Characters of an id in a request of the console: a ticket, counter, queue or screen. Ours have 32 at most."""
LENGTH_DIGITS: Final = 18
"""A longer Content-Length is larger than every limit."""
