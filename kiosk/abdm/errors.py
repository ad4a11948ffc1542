"""Failures between the gateway and us: their classes, how the gateway's error bodies are read, and what a failure means
for the reply that was sent. ``kiosk.abdm.error_form`` says how our endpoints answer failures.

No text here repeats a patient's data.
"""

import re
from enum import Enum
from typing import Final

import msgspec

SEEN_MAX: Final = 120
"""Characters of a refused token's claim that are shown. Issuers have about 60."""
SEEN_TEXTS: Final = 4
"""Of a claim that is a list, such as several audiences."""
CODE_MAX, MESSAGE_MAX = 40, 200
_CODE_KEYS: Final = ("code", "errorCode")
_MESSAGE_KEYS: Final = ("message", "description", "error_description")
_ANY: Final = msgspec.json.Decoder()
_RETRIED: Final = frozenset({408, 425, 429})
_ANSWERED_CODES: Final = frozenset({"ABDM-1087"})
_ANSWERED_WORDS: Final = re.compile(
    r"\bduplicate|\balready\s+(?:been\s+)?(?:answered|acknowledged|processed|received|responded|shared|sent|exists)",
    re.IGNORECASE,
)
_UNCLEAR: Final = {
    "page": "a web page instead of an acknowledgement: a firewall or proxy stands between",
    "error": "an error",
    "redirect": "a redirect, which is not followed",
    "unreadable": "a text instead of an acknowledgement",
}


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


def read_error(body: bytes) -> tuple[str, str]:
    """Code and words of an error, in any of the gateway's shapes; both empty when there is none.

    The shapes: ``{"error": {...}}``, a list of such, a flat object, message with timestamp, one member per wrong
    field, the API manager's object with a numeric code, and an empty body. Codes may end in ``": "``.
    """
    try:
        found = _ANY.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return "", ""
    for _ in range(3):
        if isinstance(found, list) and found:
            found = found[0]
        elif isinstance(found, dict) and isinstance(found.get("error"), dict | list):
            found = found["error"]
    if isinstance(found, str):
        return "", _message(found)
    if not isinstance(found, dict):
        return "", ""
    code = next((found[key] for key in _CODE_KEYS if isinstance(found.get(key), str | int)), "")
    message = next((found[key] for key in _MESSAGE_KEYS if isinstance(found.get(key), str)), None)
    if message is None:
        named = [key for key in found if key not in ("timestamp", *_CODE_KEYS)]
        message = "; ".join(found[key] for key in named[:5] if isinstance(found[key], str))
    return str(code).strip().rstrip(":").strip()[:CODE_MAX], _message(message)


def _message(text: str) -> str:
    return "".join(char if char.isprintable() else " " for char in text[:MESSAGE_MAX]).strip()


class Verdict(Enum):
    """What happens to a pending reply after one attempt."""

    DELIVERED = "delivered"
    RETRY = "retry"
    RENEW = "renew"
    PARKED = "parked"


def verdict(error: GatewayError) -> Verdict:
    """What happens to the pending reply after this failure."""
    if not isinstance(error, GatewayRefused):
        return Verdict.RETRY
    if error.status == 401:
        return Verdict.RENEW
    if isinstance(error, NotAcknowledged) and (error.code in _ANSWERED_CODES or _ANSWERED_WORDS.search(error.message)):
        return Verdict.DELIVERED
    if not 400 <= error.status < 500 or error.status in _RETRIED:
        return Verdict.RETRY
    if error.code in _ANSWERED_CODES or _ANSWERED_WORDS.search(error.message):
        return Verdict.DELIVERED
    return Verdict.PARKED


def reason_of(error: GatewayError) -> str:
    """For the administrator: our words with the gateway's status and code. The gateway's own text may repeat what we
    sent, so it is left out.
    """
    if isinstance(error, NotAcknowledged):
        return f"the gateway answered {error.status} with {_UNCLEAR[error.kind]} {error.code}".rstrip()
    if isinstance(error, GatewayRefused):
        return f"the gateway answered {error.status} {error.code}".rstrip()
    return str(error)
