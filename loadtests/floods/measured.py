"""Measures the gateway's shares during one flood."""

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

SMALL_SIZE: Final = Size(
    rounds=1, round_scans=1, facilities=3, deep_facilities=0, deep_from=0, deep_round=0, spread=(), listeners=(),
    calls=0,
)  # fmt: skip
DEFAULT_LIMITS: Final = {
    # The default limits of one hospital: a flood must not use them up.
    "KIOSK_FACILITY_RATE": "20",
    "KIOSK_FACILITY_BURST": "200",
    "KIOSK_LOG_LEVEL": "error",
}
HEAD_START_S: Final = 1.0
"""Seconds before the first share, so that the flood has its full strength by then."""


MOST_WITHIN_S: Final = 90.0
"""Time limit for a flood of a given number of requests, on a machine that is busy with other work."""


class Result(Struct, frozen=True, kw_only=True):
    """The result of one flood."""

    kind: str
    shares: int
    taken: int
    numbers: int
    """Shares whose phone got a number."""
    p50_ms: float
    p99_ms: float
    attack: dict[str, int]
    """The attacker's answers, by status."""
    load: float
    """The machine's load at the beginning."""

    @property
    def errors(self) -> int:
        """Answers that admit a fault of the service. 503 is a refusal with a time to come again."""
        return self.attack.get("500", 0)

    @property
    def good(self) -> bool:
        return self.shares == self.taken == self.numbers


async def target_of(setup: BenchSetup, seconds: float, most: int = 0) -> Target:
    """What a stranger in the waiting hall of the first hospital can see."""
    url, hip = urlsplit(setup.stack.kiosk_url), setup.stack.hips[0]
    async with ClientBuilder().no_proxy().build() as client:
        code: Any = await (await client.get(f"{setup.stack.kiosk_url}/kiosk/{hip}/M1/qr").build().send()).json()
    form_path = urlsplit(str(code["camera"]["text"])).path
    return Target(url.hostname or "", url.port or 0, hip, form_path, seconds, most)


async def measured_under(
    kind: str, setup: BenchSetup, *, shares: int, per_s: float, load: float, most: int = 0
) -> Result:
    """Send ``shares`` at a steady pace while the flood lasts.

    ``most``: the flood ends after this many requests, also when they take longer than the shares.
    """
    seconds = HEAD_START_S + shares / per_s + (MOST_WITHIN_S if most else 1)
    target = await target_of(setup, seconds, most)
    setup.token = await setup.stack.simulator.callback_token()
    attack = asyncio.create_task(attacker.run(kind, target))
    await asyncio.sleep(HEAD_START_S)
    draw = Random(kind)
    # Half of the shares are for the flooded hospital, half for another one.
    result = await setup.send(setup.shares(shares, lambda: draw.randrange(2)), per_s=per_s)
    statuses = await attack
    await setup.settled()
    first = result.shares[0].index
    delivered, _ = setup.acknowledgements.delivered(first, result.shares[-1].index)
    return Result(
        kind=kind, shares=shares, taken=result.sent.statuses.get(202, 0), numbers=delivered - refused(setup),
        p50_ms=round(result.sent.percentile_ms(0.5), 1), p99_ms=round(result.sent.percentile_ms(0.99), 1),
        attack=dict(sorted(statuses.items())), load=round(load, 2),
    )  # fmt: skip


def refused(setup: BenchSetup) -> int:
    """Shares of this run that got "busy" or another refusal."""
    verdict: Verdict = setup.acknowledgements.verdict()
    return verdict.refused + verdict.number_twice
