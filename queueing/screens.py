"""Screens that an administrator paired, and the codes by which they are paired. Each method is one call to the store.

A screen is known by the digest of a secret in its browser. An unpaired browser shows a code of six letters; the code
is bound to that browser's secret and ends after ten minutes. Whoever is signed in as an administrator and types the
code gives the screen to their facility. The rows of a facility's screens lie under the facility's root.
"""

import secrets
from enum import StrEnum
from hashlib import blake2b
from typing import Annotated, Any, Final, NewType

import msgspec
from msgspec import Meta, Struct

from queueing import library
from queueing.audit import Act
from queueing.limits import COUNTER_NAME_MAX, COUNTER_QUEUES_MAX, QueueId
from queueing.redis_keys import facility_root
from queueing.registry import RegistryError, within_limits
from queueing.store.store import Store

ScreenId = NewType("ScreenId", str)
"""Hex digest of a screen's secret."""

SLOT: Final = "pairing:{pairing}"
"""Every key of a pairing begins with this; ``functions/pairing.lua`` lists them."""
ALPHABET: Final = "BCDFGHJKMNPRSTVWXYZ"
"""Nineteen letters without look-alikes (I and L, O and Q, U and V) and without vowels, so that no code is a word."""
CODE_LENGTH: Final = 6
"""47 million codes: with 5,000 of them shown at once, one guess in 9,400 would find a screen."""
CODE_S: Final = 600
"""Time to walk from the television to the administrator's desk."""
CODES_AT_ONCE: Final = 5_000
"""In the whole service. More than the televisions that a state hangs up in ten minutes; 1 MB of the store."""
CODES_OF_ADDRESS: Final = 60
"""In ten minutes from one address: a hospital hangs up all its screens behind one address."""
COLLISIONS_MAX: Final = 5
"""Codes drawn until one is free: with 5,000 in use even a second draw is rare."""
TRIES_OF_LOGIN: Final = 10
"""Wrong codes in ten minutes. A person who sees the screen types it wrong once or twice."""
TRIES_OF_ADDRESS: Final = 30
"""Wrong codes in ten minutes from one address: three administrators at once."""
SCREENS_MAX: Final = 200
"""Of one facility: the largest hospitals have some hundred counters, and as many boards are never needed."""
REPORT_MS: Final = 60_000
"""A screen's report is written once a minute at most; its page shows when the screen was seen last."""
SCREEN_NAME_MAX: Final = 80
"""Characters of a name with a place, in one line of the page."""
LANGUAGES_MAX: Final = 16
"""Languages that take turns on one screen."""
REPORT_TEXT_MAX: Final = 40
"""Characters of what a screen reports of itself: a release such as 0.1.0, a word for its sound."""


class ScreenKind(StrEnum):
    """What hangs there."""

    BOARD = "board"
    """Calls of some or all queues."""
    COUNTER = "counter"
    """The codes of one counter."""


class Screen(Struct, frozen=True, kw_only=True):
    """A paired screen, as the administrator set it up."""

    name: Annotated[str, Meta(min_length=1, max_length=SCREEN_NAME_MAX)]
    """Name and place, such as *Hall, beside the door*."""
    kind: ScreenKind
    counter: Annotated[str, Meta(max_length=COUNTER_NAME_MAX)] = ""
    """Counter whose codes it shows; empty for a board."""
    queues: Annotated[tuple[QueueId, ...], Meta(max_length=COUNTER_QUEUES_MAX)] = ()
    """Queue ids of a board; empty: all."""
    languages: Annotated[tuple[str, ...], Meta(max_length=LANGUAGES_MAX)] = ()
    """Languages that take turns; empty: all."""
    volume: Annotated[int, Meta(ge=0, le=100)] = 100
    """Per cent of the loudest sound of this screen."""
    look: Annotated[str, Meta(max_length=16)] = "day"
    paired_ms: int = 0
    paired_by: str = ""
    """Login of the administrator."""


class Report(Struct, frozen=True, array_like=True):
    """What a screen last said of itself; ``functions/screens.lua`` packs it in this order."""

    seen_ms: int
    release: str = ""
    """Release of the page that it shows."""
    sound: str = ""
    """``on``, ``off`` (the browser waits for a touch), or empty."""
    sounded_ms: int = 0
    """When it last sounded; 0: never since its page was loaded."""


class PairedScreen(Struct, frozen=True, kw_only=True):
    """One screen of a facility."""

    id: ScreenId
    screen: Screen
    report: Report | None
    """None while it has said nothing yet."""


class ShownCode(Struct, frozen=True, kw_only=True):
    """The code that an unpaired browser shows; empty when too many are shown."""

    code: str
    left_s: int
    """Seconds for which it is valid, or to wait for one."""


class TakenCode(Struct, frozen=True, kw_only=True):
    """What became of a typed code."""

    wait_s: int = 0
    """Too many wrong ones were typed; the next try is allowed after so many seconds."""
    screen: ScreenId = ScreenId("")
    """The screen that showed it; empty when none did."""


class TooManyScreens(RegistryError):
    """The facility has as many screens as it may have."""


_pack = msgspec.msgpack.Encoder().encode
_read_screen = msgspec.msgpack.Decoder(Screen).decode
_read_report = msgspec.msgpack.Decoder(Report).decode


def new_secret() -> str:
    """For the cookie of a browser that wants to become a screen: 256 random bits."""
    return secrets.token_urlsafe(32)


def screen_id(secret: str) -> ScreenId:
    """What the store knows a browser with this secret by."""
    return ScreenId(_digest("screen\0" + secret))


def as_code(typed: str) -> str:
    """The code as the screen shows it, from what a person typed; empty when it can be none."""
    code = "".join(typed[:40].upper().split()).replace("-", "")
    return code if len(code) == CODE_LENGTH and set(code) <= set(ALPHABET) else ""


class Screens:
    """Pairs, lists and removes screens. Raises ``QueueingError`` when the store cannot answer."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def show_code(self, screen: ScreenId, *, address: str) -> ShownCode:
        """The code of this browser: the one it shows already, or a new one."""
        for _ in range(COLLISIONS_MAX):
            code = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))
            shown, left_s = await library.call(
                self._store, "pairing_show", SLOT, screen, code, CODE_S, _digest("address\0" + address),
                CODES_OF_ADDRESS, CODES_AT_ONCE,
            )  # fmt: skip
            if shown or left_s:
                return ShownCode(code=shown.decode(), left_s=left_s)
        return ShownCode(code="", left_s=1)

    async def shown_code(self, screen: ScreenId) -> bool:
        """Whether this browser shows a code that is still valid."""
        found: Any = await self._store.call(SLOT, "EXISTS", f"{SLOT}:shows:{screen}")
        return bool(found)

    async def take_code(self, code: str, hip: str, *, login: str, address: str) -> TakenCode:
        """Give the screen that shows this code to a facility. A wrong code counts as a try. Durable when it returns."""
        wait_s, screen = await library.call(
            self._store, "pairing_take", SLOT, code, hip, CODE_S, _digest("login\0" + login), TRIES_OF_LOGIN,
            _digest("address\0" + address), TRIES_OF_ADDRESS,
        )  # fmt: skip
        await self._store.durable(SLOT)
        return TakenCode(wait_s=wait_s, screen=ScreenId(screen.decode()))

    async def put(self, hip: str, screen: ScreenId, row: Screen, *, act: Act) -> None:
        """Write a screen of this facility; the act is recorded in the same step. Raises TooManyScreens, or DoesNotFit
        for a value outside its limits.
        """
        root = facility_root(hip)
        done = await library.call(
            self._store, "screen_put", root, screen, _pack(within_limits(row)), SCREENS_MAX, *act.parts()
        )
        if not done:
            raise TooManyScreens
        await self._store.durable(root)

    async def remove(self, hip: str, screen: ScreenId, *, act: Act) -> bool:
        """End a screen of this facility: its next request is that of a stranger. The act is recorded in the same step.
        False: there is no such screen, and nothing is recorded.
        """
        root = facility_root(hip)
        if not await library.call(self._store, "screen_remove", root, screen, *act.parts()):
            return False
        await self._store.durable(root)
        await self._store.call(SLOT, "DEL", f"{SLOT}:screen:{screen}")
        return True

    async def of(self, hip: str) -> list[PairedScreen]:
        """The screens of a facility by name."""
        flat = await library.call(self._store, "screen_list", facility_root(hip))
        found = [
            PairedScreen(
                id=ScreenId(screen.decode()), screen=_read_screen(row), report=_read_report(report) if report else None
            )
            for screen, row, report in zip(flat[::3], flat[1::3], flat[2::3], strict=True)
        ]
        return sorted(found, key=lambda one: (one.screen.name.casefold(), one.id))

    async def facility_of(self, screen: ScreenId) -> str:
        """HIP id of the facility that paired this screen; empty for an unpaired one."""
        key = f"{SLOT}:screen:{screen}"
        hip: Any = await self._store.call(key, "GET", key)
        return hip.decode() if hip else ""

    async def one(self, hip: str, screen: ScreenId) -> Screen | None:
        """The screen, if it is paired with this facility."""
        root = facility_root(hip)
        row: Any = await self._store.call(root, "HGET", f"{root}:s", screen)
        return _read_screen(row) if row else None

    async def report(
        self, hip: str, screen: ScreenId, *, release: str, sound: str, silent_s: int | None
    ) -> Screen | None:  # fmt: skip
        """Note what a screen says of itself; returns what it is to show, or None when it is not paired here."""
        row = await library.call(
            self._store, "screen_report", facility_root(hip), screen, release[:REPORT_TEXT_MAX],
            sound[:REPORT_TEXT_MAX], "" if silent_s is None else silent_s, REPORT_MS,
        )  # fmt: skip
        return _read_screen(row) if row else None


def _digest(text: str) -> str:
    return blake2b(text.encode("utf-8", "replace"), digest_size=16).hexdigest()
