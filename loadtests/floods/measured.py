"""One flood beside the shares of the gateway: what the shares met."""

import asyncio
from random import Random
from typing import Any, Final
from urllib.parse import urlsplit

from msgspec import Struct
from pyreqwest.client import ClientBuilder

from loadtests.acknowledgements import Verdict
from loadtests.bench.setup import BenchSetup, Size
from loadtests.floods import attacker
from loadtests.floods.kinds import Target

SMALL: Final = Size(
    rounds=1, round_scans=1, facilities=3, deep_facilities=0, deep_from=0, deep_round=0, spread=(), listeners=(),
    calls=0,
)  # fmt: skip
AS_SHIPPED: Final = {
    # One hospital's own limits as they are by default: a flood must not use them up.
    "KIOSK_FACILITY_RATE": "20",
    "KIOSK_FACILITY_BURST": "200",
    "KIOSK_LOG_LEVEL": "error",
}
HEAD_START_S: Final = 1.0
"""The flood is at its height when the shares begin."""


MOST_WITHIN_S: Final = 90.0
"""For a flood of a given size, on a machine that is busy otherwise."""


class Result(Struct, frozen=True, kw_only=True):
    """One flood."""

    kind: str
    shares: int
    taken: int
    numbers: int
    """Shares whose phone got a number."""
    p50_ms: float
    p99_ms: float
    attack: dict[str, int]
    """What the attacker got, by status."""
    load: float
    """Of the machine when it began."""

    @property
    def good(self) -> bool:
        return self.shares == self.taken == self.numbers


async def target_of(setup: BenchSetup, seconds: float, most: int = 0) -> Target:
    """What a stranger in the hall sees of the first hospital."""
    url, hip = urlsplit(setup.stack.kiosk_url), setup.stack.hips[0]
    async with ClientBuilder().no_proxy().build() as client:
        code: Any = await (await client.get(f"{setup.stack.kiosk_url}/kiosk/{hip}/M1/qr").build().send()).json()
    form_path = urlsplit(str(code["camera"]["text"])).path
    return Target(url.hostname or "", url.port or 0, hip, form_path, seconds, most)


async def under(kind: str, setup: BenchSetup, *, shares: int, per_s: float, load: float, most: int = 0) -> Result:
    """Bring ``shares`` to the flooded hospital at a steady pace while the flood lasts.

    ``most``: the flood ends after so many requests, also when they take longer than the shares.
    """
    seconds = HEAD_START_S + shares / per_s + (MOST_WITHIN_S if most else 1)
    target = await target_of(setup, seconds, most)
    setup.token = await setup.stack.simulator.callback_token()
    attack = asyncio.create_task(attacker.run(kind, target))
    await asyncio.sleep(HEAD_START_S)
    draw = Random(kind)
    # Half of them for the flooded hospital, half for its neighbour.
    pressed = await setup.press(setup.shares(shares, lambda: draw.randrange(2)), per_s=per_s)
    statuses = await attack
    await setup.settled()
    first = pressed.shares[0].index
    delivered, _ = setup.acknowledgements.delivered(first, pressed.shares[-1].index)
    return Result(
        kind=kind, shares=shares, taken=pressed.went.statuses.get(202, 0), numbers=delivered - refused(setup),
        p50_ms=round(pressed.went.percentile_ms(0.5), 1), p99_ms=round(pressed.went.percentile_ms(0.99), 1),
        attack=dict(sorted(statuses.items())), load=round(load, 2),
    )  # fmt: skip


def refused(setup: BenchSetup) -> int:
    """Shares that were told "busy" or another refusal, in all of this run."""
    verdict: Verdict = setup.acknowledgements.verdict()
    return verdict.refused + verdict.number_twice
