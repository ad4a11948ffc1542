"""Which clock is wrong: that of this machine or that of the store's. The gateway's and the time service decide.

A store on this machine has this machine's clock, so only the gateway can tell that it is wrong.
"""

import ctypes
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal

from msgspec import Struct

APART_S: Final = 5.0
"""Between this machine and the store's: numbers are given by the store's clock, codes by ours, a minute each."""
GATEWAY_APART_S: Final = 60.0
"""The gateway refuses replies whose time is wrong by more. Its ``Date`` is late where the network is slow."""
SET_RIGHT: Final = "sudo chronyc makestep"
"""The command that sets a clock right at once (docs/operations.md, Clock)."""

Wrong = Literal["", "here", "store", "one", "both"]
"""Whose clock is wrong. ``one``: this machine's or the store's, and nothing tells which."""


class Clocks(Struct, frozen=True, kw_only=True):
    """What each clock showed at the same moment, unix seconds."""

    here: str
    """The name of this machine."""
    own_s: float
    store: str
    """Where the store is; empty when it is on this machine."""
    store_s: float
    gateway_s: float | None = None
    """None: the gateway was not reached since this machine started."""
    synchronized: bool = False
    """Whether a time service keeps this machine's clock right."""

    @property
    def apart_s(self) -> float:
        """Between this machine and the store's."""
        return abs(self.own_s - self.store_s)

    @property
    def place(self) -> str:
        """Of the store."""
        return self.store or "on this machine"

    @property
    def wrong(self) -> Wrong:
        own_differs = self.gateway_s is not None and abs(self.own_s - self.gateway_s) > GATEWAY_APART_S
        if self.apart_s <= APART_S:
            return "" if not own_differs else "both" if self.store else "here"
        if self.gateway_s is None:
            return "store" if self.synchronized else "one"
        own_s, store_s = abs(self.own_s - self.gateway_s), abs(self.store_s - self.gateway_s)
        if own_differs and store_s > GATEWAY_APART_S:
            return "both"
        return "here" if own_s > store_s else "store"

    @property
    def words(self) -> str:
        """What is wrong, for an operator; empty when nothing is."""
        wrong = self.wrong
        if not wrong:
            return ""
        if wrong == "store":
            witness = "is kept right by a time service" if self.gateway_s is None else "agrees with the gateway's"
            ahead = far_words(self.store_s - self.own_s)
            return f"the clock of the store ({self.place}) is {ahead}; the one here, on {self.here}, {witness}"
        if wrong == "one":
            return (
                f"the clocks of this machine ({self.here}: {shown(self.own_s)}) and of the store ({self.place}:"
                f" {shown(self.store_s)}) are {length_words(self.apart_s)} apart: compare both with a watch"
            )
        if wrong == "here" and self.apart_s > APART_S:
            ahead = far_words(self.own_s - self.store_s)
            return f"the clock of this machine ({self.here}) is {ahead}, beside the store's and the gateway's"
        ahead = far_words(self.own_s - (self.gateway_s or 0))
        machines = f"the clock of this machine ({self.here})"
        if wrong == "both":
            machines = f"the clocks of this machine ({self.here}) and of the store ({self.place})"
            return f"{machines} are wrong: this one is {ahead}, beside the gateway's"
        return f"{machines} is {ahead}, beside the gateway's"

    @property
    def todo(self) -> str:
        """What to type, and where; empty when nothing is wrong."""
        wrong = self.wrong
        if not wrong:
            return ""
        where = {
            "here": f"on {self.here}",
            "store": f"on {self.place}" if self.store else self.place,
            "both": "on both",
        }
        return f"{where.get(wrong, 'on the wrong one')} type: {SET_RIGHT}"

    @property
    def sentence(self) -> str:
        """Both as one line; empty when nothing is wrong."""
        return f"{self.words}; {self.todo}" if self.wrong else ""


def shown(at_s: float) -> str:
    """A clock's time as a person compares it with a watch."""
    try:
        return f"{datetime.fromtimestamp(at_s, UTC):%d %b %Y %H:%M:%S} UTC"
    except (OverflowError, ValueError, OSError):
        return "a year that nobody lives in"


def length_words(seconds: float) -> str:
    """How long that is, in the largest unit that says it well."""
    hours = abs(seconds) / 3_600
    if hours >= 2 * 365 * 24:
        return f"{hours / 24 / 365.25:.0f} years"
    if hours >= 48:
        return f"{hours / 24:.0f} days"
    if hours >= 1:
        return f"{hours:.1f} h"
    return f"{hours * 60:.0f} min" if hours * 60 >= 2 else f"{abs(seconds):.0f} s"


def far_words(ahead_s: float) -> str:
    """By how much a clock is ahead, or behind."""
    return f"{length_words(ahead_s)} {'ahead' if ahead_s > 0 else 'behind'}"


def is_synchronized() -> bool:
    """Whether the kernel says that a time service keeps this machine's clock right (``adjtimex``: STA_UNSYNC)."""
    if sys.platform != "linux":
        return False
    buffer = ctypes.create_string_buffer(256)  # struct timex, all zero: read, change nothing
    state = ctypes.CDLL(None).adjtimex(buffer)
    unsync = bool(int.from_bytes(buffer.raw[40:44], sys.byteorder) & 0x40)
    return state >= 0 and not unsync


def running_s() -> float:
    """Seconds since this machine started. Nobody can set this clock; it also counts the time in which it slept."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if sys.platform == "linux" else time.monotonic()


def this_start() -> str:
    """Names the time from this machine's start to its end: ``running_s`` of all its processes can be compared."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return ""
