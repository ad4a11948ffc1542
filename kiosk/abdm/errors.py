"""Failures between the gateway and us. ``kiosk.abdm.error_form`` says how our endpoints answer them.

No text here repeats a patient's data.
"""

from typing import Final

SEEN_MAX: Final = 120
"""Characters of a refused token's claim that are shown. Issuers have about 60."""
SEEN_TEXTS: Final = 4
"""Of a claim that is a list, such as several audiences."""


class GatewayError(Exception):
    """The gateway did not take what we sent."""


class GatewaySilent(GatewayError):
    """No usable answer: refused, cut, too slow or too large. It is unknown whether the gateway took the message."""


class GatewayRefused(GatewayError):
    """The gateway answered with an error."""

    def __init__(self, status: int, code: str, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(f"the gateway answered {status} {code}".rstrip())
        self.status = status
        self.code = code
        """Trimmed: ``ABDM-1006``, ``900901``, or empty."""
        self.message = message
        """The gateway's own words, bounded. They may repeat what we sent: never store or log them."""
        self.retry_after_s = retry_after_s


class NotAcknowledged(GatewayRefused):
    """The status is 2xx or a redirect, but the content is not an acknowledgement."""

    def __init__(self, status: int, kind: str, *, code: str = "", message: str = "") -> None:
        super().__init__(status, code, message)
        self.kind = kind
        """``page`` (of a firewall or a proxy), ``error``, ``redirect`` or ``unreadable``; the label of a metric."""


class NoAccessToken(GatewayError):
    """The gateway gave us no access token, so nothing was sent."""


class GatewayAddressWrong(ValueError):
    """The gateway's address is neither https nor on this machine."""


class NotTheGateway(Exception):
    """The caller did not prove that it is the gateway."""

    def __init__(self, reason: str, seen: object = None) -> None:
        super().__init__(reason)
        self.reason = reason
        """One of the words of ``kiosk.abdm.callers.NEXT_STEPS``; the label of a metric."""
        self.seen = _shown(seen)
        """What the token says there, for the operator who compares it with the settings."""


class CallerOutside(NotTheGateway):
    """The caller's address is outside the networks that may call."""

    def __init__(self) -> None:
        super().__init__("address")


class KeysUnknown(Exception):
    """The gateway's keys were never fetched, so no caller can be checked yet. A later try may succeed."""


def _shown(seen: object) -> str:
    """A bounded text without spaces or control characters; empty for anything but a text or a list of texts."""
    texts = seen if isinstance(seen, list) else [seen]
    joined = ",".join(text for text in texts[:SEEN_TEXTS] if isinstance(text, str))
    return "".join(char for char in joined if "!" <= char <= "~")[:SEEN_MAX]


class WrongMethod(Exception):
    """The gateway uses POST only."""


class NoRequestId(Exception):
    """The REQUEST-ID is missing or unusable. Such a message cannot be answered, and a repetition is not recognised."""

    def __init__(self) -> None:
        super().__init__("the REQUEST-ID is missing, or longer than 100 printable characters")
