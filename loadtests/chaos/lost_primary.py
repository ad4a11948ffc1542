"""A cluster loses a primary for good while shares come: nothing is lost, and the other shards do not notice.

With two replicas a shard the lost one is replaced. With one, its replica takes over and has none itself: it holds, and
goes on alone once that is safe. Meanwhile the gateway delivers the shares of that shard again and again.
"""

import asyncio
import time
from collections import Counter
from typing import Any, Final

import msgspec

from loadtests.bench.setup import QUICK, BenchSetup, prepared
from loadtests.chaos.cluster import Node, cluster, facilities_on
from loadtests.chaos.redelivery import Redelivery
from loadtests.simulator.people.share_client import percentile

REPLICAS: Final = {"3+3": 1, "3+6": 2}
"""Kinds, by the replicas of each of three primaries."""
PER_S: Final = 300
SECONDS: Final = 60
"""Of shares. With one replica the shard goes on alone some sixteen seconds after the strike."""
STRIKE_AFTER_S: Final = 10
FACILITIES: Final = 300
CONNECTIONS: Final = 1_000
"""The shares of a shard that stands still wait on their connections; those of the others must find one."""
ANSWERED_WITHIN_S: Final = 30.0
"""What the protocol gives an answer, from the share."""


async def lose_a_primary(kind: str, seed: int, settings: dict[str, str], workers: int) -> dict[str, Any]:
    """One run on a cluster of its own; what came of it."""
    size = msgspec.structs.replace(QUICK, facilities=FACILITIES)
    async with cluster(REPLICAS[kind]) as nodes:
        url = "redis+cluster://" + ",".join(f"127.0.0.1:{node.port}" for node in nodes)
        more = settings | {"KIOSK_REDIS_URL": url}
        async with prepared(size, seed=seed, workers=workers, more=more) as setup:
            return await _under(setup, nodes[0])


async def _under(setup: BenchSetup, victim: Node) -> dict[str, Any]:
    struck = facilities_on(victim)
    shares = setup.shares(PER_S * SECONDS, setup.by_size)

    async def strike() -> float:
        await asyncio.sleep(STRIKE_AFTER_S)
        await asyncio.to_thread(victim.kill)
        return time.time()

    async with Redelivery(setup.stack.kiosk_url, connections=CONNECTIONS) as gateway:
        striking = asyncio.create_task(strike())
        run = await gateway.deliver(setup.requests(shares), PER_S)
        setup.acknowledgements.handed_over(shares, run.went)
        struck_s = await striking
    await setup.settled()
    whole = {number for number, hip in enumerate(setup.stack.hips) if hip not in struck}
    verdict = setup.acknowledgements.verdict()
    waits = setup.acknowledgements.waits_by_facility()
    theirs = [wait_s for facility, _, wait_s in waits if facility in whole]
    after = [wait_s for facility, due_s, wait_s in waits if facility in whole and due_s > struck_s - 1]
    others = [wait_s for facility, _, wait_s in waits if facility not in whole]
    late = sum(wait_s > ANSWERED_WITHIN_S for wait_s in theirs)
    faults = (
        verdict.lost,
        verdict.number_twice,
        verdict.two_numbers,
        verdict.wrong,
        verdict.refused,
        verdict.not_taken,
    )
    return {
        "facilities_struck": len(struck), "deliveries": dict(Counter(run.statuses)),
        "whole_p50_s": round(percentile(after, 0.5), 3), "whole_p99_s": round(percentile(after, 0.99), 3),
        "whole_max_s": round(max(after, default=0.0), 2), "whole_late": late, "whole_answers": len(theirs),
        "struck_p50_s": round(percentile(others, 0.5), 3), "struck_max_s": round(max(others, default=0.0), 2),
        "struck_late": sum(wait_s > ANSWERED_WITHIN_S for wait_s in others), "struck_answers": len(others),
        "acknowledgements": msgspec.to_builtins(verdict),
        "good": not any(faults) and not late and bool(theirs) and bool(others),
    }  # fmt: skip


def line(kind: str, one: dict[str, Any]) -> str:
    """For people."""
    book = one["acknowledgements"]
    return (
        f"{kind:8}{book['taken']:8,} {book['lost']:5} {book['number_twice']:6} {book['two_numbers']:4} "
        f"{book['holes']:6} {book['wrong'] + book['refused'] + book['not_taken']:6} {one['whole_late']:5} "
        f"{book['repeated']:6}  whole shards after the strike p50 {one['whole_p50_s']:.3f}, "
        f"p99 {one['whole_p99_s']:.3f}, max {one['whole_max_s']:.2f} s; "
        f"struck shard max {one['struck_max_s']:.2f} s, {one['struck_late']} of "
        f"{one['struck_answers']:,} over 30 s  {one['deliveries']}  {'is_met' if one['good'] else 'BROKEN'}"
    )
