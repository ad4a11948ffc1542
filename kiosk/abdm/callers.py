"""Callers of the gateway's endpoints in this process: the last accepted caller, and refused callers by reason.

Each refusal is counted in the metrics. The log gets one line a minute for each reason, so a stranger who calls all day
cannot fill it. Accepting a caller costs one assignment, because it happens for every scan.
"""

import logging
from typing import Final

from msgspec import Struct, field

from kiosk.observability import metrics

LOG_EVERY_S: Final = 60.0
RECENT_S: Final = 1200.0
"""The gateway repeats a refused delivery once, after some sixteen minutes. Twenty minutes show both attempts."""
NEXT_STEPS: Final = {
    "off": "ABDM is switched off here. Set KIOSK_GATEWAY_CLIENT_ID and KIOSK_GATEWAY_CLIENT_SECRET_FILE.",
    "iss": "The token names another issuer. If it is the gateway's, add it to KIOSK_GATEWAY_ISSUER.",
    "aud": "The token is for another audience. Compare it with KIOSK_GATEWAY_AUDIENCE.",
    "azp": "The token was given to another party. Compare it with KIOSK_GATEWAY_AZP. "
    "Another integrator's own token looks like this: then nothing is to be done.",
    "kid": "The key that signed is not in the gateway's key set. Check that KIOSK_GATEWAY_URL is the one that calls.",
    "alg": "The token is signed with another algorithm than its key is for. The gateway does not do this.",
    "sig": "The signature is wrong. The gateway does not do this: a stranger calls.",
    "exp": "The token had ended. Check this machine's clock; a late repetition by the gateway also looks like this.",
    "nbf": "The token is not valid yet. Check this machine's clock.",
    "iat": "The token is older than KIOSK_GATEWAY_TOKEN_AGE_MAX, or from the future. Check this machine's clock.",
    "shape": "The caller sent no token that can be read. Check that the proxy passes the Authorization header on.",
    "header": "The token's header is not one of the gateway's. A stranger calls.",
    "time": "The token's times cannot be read. A stranger calls.",
    "address": "The caller's address is outside KIOSK_GATEWAY_ADDRESSES. Add the gateway's networks there.",
}
"""Why a caller is refused, in the words of the metric's label, and what an operator does about it."""

_STRANGERS: Final = frozenset({"shape", "header", "time"})
"""Reasons that the gateway itself never causes. Scanners on the internet send such requests to every server."""
_log = logging.getLogger(__name__)


class Refusals(Struct):
    """Callers refused for one reason since this process started."""

    count: int = 0
    last_s: float = 0.0
    """Unix seconds."""
    seen: str = ""
    """What the last refused token said there, such as its issuer."""


class Callers(Struct):
    """One per process. Times are unix seconds; 0 means never."""

    accepted_s: float = 0.0
    """When a caller was accepted last."""
    refusals: dict[str, Refusals] = field(default_factory=dict)
    logged: dict[str, float] = field(default_factory=dict)

    def refuse(self, reason: str, now_s: float, seen: str = "") -> None:
        """Count a refused caller, and write one line a minute for each reason. ``seen``: what its token says there."""
        metrics.caller_rejected(reason)
        record = self.refusals.setdefault(reason, Refusals())
        record.count += 1
        record.last_s, record.seen = now_s, seen
        if not 0 <= now_s - self.logged.get(reason, 0.0) < LOG_EVERY_S:
            self.logged[reason] = now_s
            shown, step = reason_shown(reason, record), NEXT_STEPS.get(reason, "")
            _log.warning("a caller of the gateway's endpoint was refused (%s): %s", shown, step)


def reason_shown(reason: str, record: Refusals) -> str:
    """The reason with what the last refused token said there: ``iss https://…``."""
    return f"{reason} {record.seen}".rstrip()


def all_refused(accepted_s: float, refusals: dict[str, Refusals], now_s: float) -> str:
    """The latest reason when every caller of the last twenty minutes was refused; else an empty text."""
    recent = [
        (record.last_s, reason)
        for reason, record in refusals.items()
        if reason not in _STRANGERS and now_s - record.last_s < RECENT_S
    ]
    return max(recent)[1] if recent and now_s - accepted_s >= RECENT_S else ""
