"""Faults on demand: what the gateway does wrong, at which endpoint, and how often.

Only the seed, the endpoint, the share and the number of the attempt decide whether a call gets a fault. So two runs
with the same seed make the same faults for the same shares, whatever the machine's timing.
"""

import hashlib
from collections import Counter
from enum import Enum
from typing import Literal

from msgspec import Struct


class Act(Enum):
    """What happens to one call."""

    GOOD = "good"
    RESET = "reset"
    """The connection is cut before the request is handled."""
    LOST = "lost"
    """The request is accepted, then the connection is cut: the caller cannot know."""
    HANG = "hang"
    """The request is not handled and no answer is sent."""
    BROKEN = "5xx"
    BUSY = "429"
    UNAUTHORISED = "401"
    GARBAGE = "garbage"
    """The request is accepted, and the body of the answer is garbage."""
    PAGE = "page"
    """Not accepted: a 200 with a web page, as from a firewall."""
    ERROR = "error"
    """Not accepted: a 200 with an error as its body."""
    REDIRECT = "redirect"
    """Not accepted: a redirect to a sign-in page."""


class EndpointFaults(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Faults of one endpoint. Rates are parts of 1, and together at most 1."""

    slow_ms: int = 0
    """Every answer is delayed by this time."""
    reset_rate: float = 0.0
    lost_rate: float = 0.0
    hang_rate: float = 0.0
    broken_rate: float = 0.0
    busy_rate: float = 0.0
    retry_after_s: int = 1
    unauthorised_rate: float = 0.0
    """Never twice in a row for one share, so that the caller can try again with a new token."""
    garbage_rate: float = 0.0
    page_rate: float = 0.0
    error_rate: float = 0.0
    redirect_rate: float = 0.0
    unauthorised_once: int = 0
    """This many next calls get a 401, and their token is void from then on."""


class DeliveryFaults(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Faults of what we send to the bridge."""

    copies: tuple[int, int] = (1, 1)
    """How often each share is delivered: at least, at most."""
    copy_delay_ms: int = 0
    """A copy comes at most this much later."""
    reorder_ms: int = 0
    """Every delivery waits a random time up to this, so that deliveries overtake each other."""
    repeat_after_s: float = 0.0
    """A refused share is repeated once, this long after its TIMESTAMP, with the same token and TIMESTAMP, even when its
    phone has stopped waiting. The sandbox did it after 963 to 965 s. 0: repetitions come soon and often."""
    wire: Literal["v3", "v1.0", "v0.5"] = "v3"
    """The protocol version in which shares are sent."""


class Faults(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All faults at the moment."""

    endpoints: dict[str, EndpointFaults] = {}
    """By name: ``on_share``, ``on_status``, ``sessions``, ``certs``, ``share``, ``status``."""
    deliveries: DeliveryFaults = DeliveryFaults()
    clock_offset_s: int = 0
    """How wrong our clock is in what we send: TIMESTAMP, ``iat``, ``exp``. Checks always use the true time."""
    token_s: int | None = None
    """Access tokens live only this long."""


class Order(Faults, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of ``POST /_sim/faults``: the new faults, which replace all others, and actions to do once."""

    refuse_s: float = 0.0
    """Stop listening for this long, and cut every connection."""
    rotate_keys: Literal["", "keep", "drop"] = ""
    """Sign with a new key from now on. The old one stays published (``keep``) or is removed (``drop``)."""


def lot(seed: int, *names: object) -> float:
    """A number in [0, 1) that is always the same for the same seed and words."""
    digest = hashlib.blake2b(":".join(map(str, (seed, *names))).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


class FaultPlan:
    """Decides for each call whether it gets a fault."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.faults = Faults()
        self._attempts: Counter[tuple[str, str]] = Counter()
        self._once: Counter[str] = Counter()
        self._refused: set[tuple[str, str]] = set()
        self.done: Counter[tuple[str, str]] = Counter()

    def set(self, faults: Faults) -> None:
        """Use these faults from now on."""
        self.faults = faults
        self._attempts.clear()
        self._refused.clear()
        self._once = Counter({name: wrong.unauthorised_once for name, wrong in faults.endpoints.items()})

    def at(self, endpoint: str) -> EndpointFaults | None:
        """The faults of this endpoint. Usually there are none, which costs one look-up."""
        return self.faults.endpoints.get(endpoint)

    def act(self, endpoint: str, key: str) -> Act:
        """What happens to this call. ``key`` names the share; the number of the attempt is counted here."""
        wrong = self.faults.endpoints.get(endpoint)
        if wrong is None:
            return Act.GOOD
        act = self._drawn(wrong, endpoint, key)
        if act is not Act.GOOD:
            self.done[endpoint, act.value] += 1
        return act

    def _drawn(self, wrong: EndpointFaults, endpoint: str, key: str) -> Act:
        attempt = self._attempts[endpoint, key]
        self._attempts[endpoint, key] += 1
        drawn = lot(self.seed, endpoint, key, attempt)
        for rate, act in (
            (wrong.reset_rate, Act.RESET), (wrong.lost_rate, Act.LOST), (wrong.hang_rate, Act.HANG),
            (wrong.broken_rate, Act.BROKEN), (wrong.busy_rate, Act.BUSY), (wrong.garbage_rate, Act.GARBAGE),
            (wrong.page_rate, Act.PAGE), (wrong.error_rate, Act.ERROR), (wrong.redirect_rate, Act.REDIRECT),
        ):  # fmt: skip
            if drawn < rate:
                return act
            drawn -= rate
        refused = (endpoint, key) in self._refused
        self._refused.discard((endpoint, key))
        if drawn < wrong.unauthorised_rate and not refused:
            self._refused.add((endpoint, key))
            return Act.UNAUTHORISED
        return Act.GOOD

    def void(self, endpoint: str) -> bool:
        """Whether this call is one of those that are refused and whose token becomes void."""
        if self._once[endpoint] <= 0:
            return False
        self._once[endpoint] -= 1
        self.done[endpoint, "void"] += 1
        return True

    def copies(self, request_id: str) -> list[int]:
        """When each delivery of this share is due, in ms from now, the first delivery first."""
        deliveries = self.faults.deliveries
        least, most = deliveries.copies
        count = least + int(lot(self.seed, "copies", request_id) * (most - least + 1))
        waits = [int(lot(self.seed, "order", request_id, n) * deliveries.reorder_ms) for n in range(count)]
        return [
            wait + (int(lot(self.seed, "copy", request_id, n) * deliveries.copy_delay_ms) if n else 0)
            for n, wait in enumerate(waits)
        ]
