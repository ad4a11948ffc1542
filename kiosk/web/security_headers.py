"""What every page of ours tells the browser: nothing from elsewhere, nothing inline, nothing framed, nothing kept."""

from typing import Final

CONTENT_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "media-src 'self'",
        "manifest-src 'self'",
        "worker-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)

SECURITY: Final[dict[str, str]] = {
    "Content-Security-Policy": CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
"""For every answer a browser reads. ``Referrer-Policy``: links are secrets of a kind and leave to no other site; with
``no-referrer`` browsers would send ``Origin: null`` with our own forms."""

PAGE: Final[dict[str, str]] = {**SECURITY, "Cache-Control": "no-store"}
"""For pages: they show this moment."""

FORM: Final[dict[str, str]] = {**SECURITY, "Cache-Control": "private, no-cache"}
"""For forms: the browser's back button brings back what was written, and with it the request id that was sent."""
