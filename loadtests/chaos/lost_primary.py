"""A cluster loses a primary for good while shares come: no share is lost, and the other shards serve on.

With two replicas for each primary, one of them takes over and has the other as its replica. With one, the replica takes
over and has no replica itself: it gives no numbers until it is safe to go on alone. Until then the gateway delivers the
shares of that shard again and again.
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
"""How long shares come. With one replica the shard goes on alone some sixteen seconds after the strike."""
STRIKE_AFTER_S: Final = 10
FACILITIES: Final = 300
CONNECTIONS: Final = 1_000
"""Shares of the shard that stands still occupy their connections; shares of the others must find a free one."""
ANSWERED_WITHIN_S: Final = 30.0
"""How long the protocol allows from a share to its answer."""


async def lose_a_primary(kind: str, seed: int, settings: dict[str, str], workers: int) -> dict[str, Any]:
    """One run on a fresh cluster. Returns its part of the report."""
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
        setup.acknowledgements.record_answers(shares, run.sent)
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
        "faults": 1, "per_s": PER_S, "late": late, "facilities_struck": len(struck),
        "deliveries": dict(Counter(run.statuses)),
        "whole_p50_s": round(percentile(after, 0.5), 3), "whole_p99_s": round(percentile(after, 0.99), 3),
        "whole_max_s": round(max(after, default=0.0), 2), "whole_answers": len(theirs),
        "struck_p50_s": round(percentile(others, 0.5), 3), "struck_max_s": round(max(others, default=0.0), 2),
        "struck_late": sum(wait_s > ANSWERED_WITHIN_S for wait_s in others), "struck_answers": len(others),
        "acknowledgements": msgspec.to_builtins(verdict),
        "good": not any(faults) and not late and bool(theirs) and bool(others),
    }  # fmt: skip


def times(one: dict[str, Any]) -> str:
    """The answer times for people. ``late`` of the report counts the other shards only, as the struck one
    stands still.
    """
    return (
        f"other shards after the strike p50 {one['whole_p50_s']:.3f}, p99 {one['whole_p99_s']:.3f}, "
        f"max {one['whole_max_s']:.2f} s; struck shard max {one['struck_max_s']:.2f} s, "
        f"{one['struck_late']} of {one['struck_answers']:,} over {ANSWERED_WITHIN_S:.0f} s"
    )
