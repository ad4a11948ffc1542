"""Faults on demand: what the gateway does wrong, to whom, and how often.

Whether a call meets a fault depends on the seed, the endpoint, the share and the number of the attempt, and on nothing
else: two runs with one seed hurt the same shares in the same way, however the machine schedules them.
"""

import hashlib
from collections import Counter
from enum import Enum
from typing import Literal

from msgspec import Struct


class Act(Enum):
    """What becomes of one call."""

    GOOD = "good"
    RESET = "reset"
    """The line is cut before anything is read."""
    LOST = "lost"
    """Accepted, then the line is cut: the caller cannot know."""
    HANG = "hang"
    """Nothing is read and nothing is said."""
    BROKEN = "5xx"
    BUSY = "429"
    UNAUTHORISED = "401"
    GARBAGE = "garbage"
    """Accepted, and the answer's body is rubbish."""
    PAGE = "page"
    """Not accepted: a firewall answers 200 with a web page."""
    ERROR = "error"
    """Not accepted: 200 with an error for a body."""
    REDIRECT = "redirect"
    """Not accepted: a redirect to a page for signing in."""


class EndpointFaults(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """For one endpoint. Rates are shares of 1 and add up to at most 1."""

    slow_ms: int = 0
    """Every answer is this late."""
    reset_rate: float = 0.0
    lost_rate: float = 0.0
    hang_rate: float = 0.0
    broken_rate: float = 0.0
    busy_rate: float = 0.0
    retry_after_s: int = 1
    unauthorised_rate: float = 0.0
    """Never twice in a row for one share: the caller is meant to come back with a new token."""
    garbage_rate: float = 0.0
    page_rate: float = 0.0
    error_rate: float = 0.0
    redirect_rate: float = 0.0
    unauthorised_once: int = 0
    """The next so many calls are answered 401 and the token they bring is void from then on."""


class DeliveryFaults(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """For what we send to the bridge."""

    copies: tuple[int, int] = (1, 1)
    """Each share is delivered this often: at least, at most."""
    copy_delay_ms: int = 0
    """A copy comes up to this much later."""
    reorder_ms: int = 0
    """Every delivery waits a drawn moment up to this, so that they overtake each other."""
    repeat_after_s: float = 0.0
    """A refused share is repeated once, so long after its TIMESTAMP, with the same token and TIMESTAMP, whether or not
    its phone still waits. Seen in the sandbox: 963 to 965 s. 0: repeats come soon and often."""
    wire: Literal["v3", "v1.0", "v0.5"] = "v3"
    """In which generation of the protocol shares are told."""


class Faults(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that is wrong at the moment."""

    endpoints: dict[str, EndpointFaults] = {}
    """By name: ``on_share``, ``on_status``, ``sessions``, ``certs``, ``share``, ``status``."""
    deliveries: DeliveryFaults = DeliveryFaults()
    clock_offset_s: int = 0
    """How wrong our clock is in what we say: TIMESTAMP, ``iat``, ``exp``. What we check is checked by the true time."""
    token_s: int | None = None
    """Access tokens live only so long."""


class Order(Faults, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What ``POST /_sim/faults`` takes: a whole new state of wrong, and things to do once."""

    refuse_s: float = 0.0
    """Stop listening for so long, and cut every line."""
    rotate_keys: Literal["", "keep", "drop"] = ""
    """Sign with a new key from now on; the old one stays published (``keep``) or vanishes (``drop``)."""


def lot(seed: int, *words: object) -> float:
    """A number in [0, 1) that belongs to these words."""
    digest = hashlib.blake2b(":".join(map(str, (seed, *words))).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


class Mischief:
    """Decides, call by call."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.faults = Faults()
        self._attempts: Counter[tuple[str, str]] = Counter()
        self._once: Counter[str] = Counter()
        self._refused: set[tuple[str, str]] = set()
        self.done: Counter[tuple[str, str]] = Counter()

    def set(self, faults: Faults) -> None:
        """From now on this is what is wrong."""
        self.faults = faults
        self._attempts.clear()
        self._refused.clear()
        self._once = Counter({name: wrong.unauthorised_once for name, wrong in faults.endpoints.items()})

    def at(self, endpoint: str) -> EndpointFaults | None:
        """What is wrong with this endpoint; nothing is the usual case and costs one look."""
        return self.faults.endpoints.get(endpoint)

    def act(self, endpoint: str, key: str) -> Act:
        """What becomes of this call; ``key`` names the share, the attempt is counted here."""
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
        """Whether this call is one of the next few that are refused and whose token is void."""
        if self._once[endpoint] <= 0:
            return False
        self._once[endpoint] -= 1
        self.done[endpoint, "void"] += 1
        return True

    def copies(self, request_id: str) -> list[int]:
        """When each delivery of this share is due, ms from now; the first entry is the first delivery."""
        deliveries = self.faults.deliveries
        least, most = deliveries.copies
        count = least + int(lot(self.seed, "copies", request_id) * (most - least + 1))
        waits = [int(lot(self.seed, "order", request_id, n) * deliveries.reorder_ms) for n in range(count)]
        return [
            wait + (int(lot(self.seed, "copy", request_id, n) * deliveries.copy_delay_ms) if n else 0)
            for n, wait in enumerate(waits)
        ]
