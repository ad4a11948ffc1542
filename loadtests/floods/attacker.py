"""``python -m loadtests.floods.attacker``: one flood in a separate process, as if from another machine."""

import asyncio
import os
import sys

import msgspec
import uvloop

from loadtests.floods.kinds import KINDS, Flood, Target

NICE = 10
"""The niceness of the attacker. A real attacker has its own machine; here it only gets processor time left over."""


class Order(msgspec.Struct, frozen=True):
    kind: str
    target: Target


class AttackFailed(Exception):
    """The attacker's process failed."""


async def run(kind: str, target: Target) -> dict[str, int]:
    """Run the flood in another process. Returns the number of answers by status."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "loadtests.floods.attacker",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        printed, _ = await child.communicate(msgspec.json.encode(Order(kind, target)))
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    if child.returncode:
        raise AttackFailed(f"{kind}: the attacker ended with {child.returncode}")
    return msgspec.json.decode(printed, type=dict[str, int])


def main() -> None:
    os.nice(NICE)
    order = msgspec.json.decode(sys.stdin.buffer.read(), type=Order)
    flood = Flood(order.target)

    async def attack() -> None:
        async with asyncio.timeout(order.target.seconds + 20):
            await KINDS[order.kind][1](flood)

    uvloop.run(attack())
    sys.stdout.buffer.write(msgspec.json.encode(flood.statuses))


if __name__ == "__main__":
    main()
