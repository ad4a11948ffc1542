"""``/.well-known/security.txt`` (RFC 9116): whom to tell about a weakness of this installation."""

from datetime import UTC, datetime, timedelta
from typing import Final

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.types import ControllerRouterHandler

from kiosk.settings import Settings

VALID: Final = timedelta(days=180)
"""The RFC recommends less than a year. The date is worked out at each request, so it never passes while we run."""
KEPT_S: Final = 86_400
"""How long readers may keep it: a day, so that a changed contact is known the next day."""
NOT_SET: Final = (
    "This installation names no contact for security reports.\n"
    "Its operator sets one with KIOSK_SECURITY_CONTACT. The software's own contact is in its SECURITY.md.\n"
)


def security_text(contact: str, public_url: str, now: datetime) -> str:
    """The file's text. ``Expires`` is a midnight, so the text changes once a day."""
    expires = (now + VALID).replace(hour=0, minute=0, second=0, microsecond=0)
    return (
        f"Contact: {contact}\n"
        f"Expires: {expires:%Y-%m-%dT%H:%M:%SZ}\n"
        "Preferred-Languages: en, hi\n"
        f"Canonical: {public_url}/.well-known/security.txt\n"
    )


@get("/.well-known/security.txt", media_type="text/plain", sync_to_thread=False)
def security_txt(settings: NamedDependency[Settings]) -> Response[str]:
    """The contact for security reports; 404 in words while none is set."""
    if settings.security_contact is None:
        return Response(NOT_SET, status_code=404, media_type="text/plain")
    text = security_text(settings.security_contact, settings.public_url, datetime.now(UTC))
    return Response(text, media_type="text/plain", headers={"Cache-Control": f"public, max-age={KEPT_S}"})


def routes() -> list[ControllerRouterHandler]:
    return [security_txt]
