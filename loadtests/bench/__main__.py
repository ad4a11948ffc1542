"""``python -m loadtests.bench``: one run of every case, side by side, with a report; exits 1 when an answer was lost.

Starts a kiosk, a gateway and a yardstick of its own on free ports, and ends them. Rates depend on the machine and on
what else runs there; ratios are medians over rounds that alternate.
"""

import argparse
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from loadtests import ending
from loadtests.bench import halls, report, scans
from loadtests.bench.ground import QUICK, WHOLE, Ground, middle, prepared, yardstick
from loadtests.bench.machine import described

COSTS = Path(__file__).resolve().parents[2] / "kiosk" / "capacity" / "costs.json"
CASES = ("yardstick", "half", "queues", "facilities", "moves", "fan_out")


async def bench(size_name: str, cases: list[str], seed: int, progress: Progress) -> dict[str, Any]:
    """Every case, in an order in which later ones use what earlier ones found."""
    machine, began = described(), time.monotonic()
    step = progress.add_task("starting", total=len(cases) + 1)
    told: dict[str, Any] = {}
    async with prepared(QUICK if size_name == "quick" else WHOLE, seed=seed) as ground:
        await scans.warm(ground)
        progress.advance(step)
        limit = 0.0
        for case in cases:
            progress.update(step, description=case)
            told[case] = await _case(case, ground, limit)
            if case == "yardstick":
                limit = middle(told[case]["loop_per_s"])
            progress.advance(step)
        await ground.settled()
        verdict = ground.receipts.verdict()
        faults = await ground.stack.simulator.faults()
        share = ground.shares(1, ground.by_size)
        return {
            "at": datetime.now(UTC).isoformat(timespec="seconds"), "quick": size_name == "quick", "machine": machine,
            "took_s": time.monotonic() - began, "cases": told, "receipts": msgspec.to_builtins(verdict),
            "protocol_faults": faults["protocol_faults_total"], "memory_mb": ground.parts.memory_mb(),
            "idle_mb": ground.idle_mb,
            "scan_bytes": len(ground.requests(share)[0]), "good": verdict.good and not faults["protocol_faults_total"],
        }  # fmt: skip


async def _case(case: str, ground: Ground, limit: float) -> dict[str, Any]:
    if case == "yardstick":
        async with yardstick() as yard:
            return await scans.against_yardstick(ground, yard)
    if case == "queues":
        return await scans.long_queues(ground)
    if case == "facilities":
        return await scans.many_facilities(ground)
    if not limit:
        raise SystemExit(f"{case} presses at a part of the loop's rate: let it follow the case `yardstick`")
    if case == "half":
        return await scans.at_half(ground, limit)
    return await (halls.staff_moves if case == "moves" else halls.fan_out)(ground, limit / 4)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m loadtests.bench", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--quick", action="store_true", help="about two minutes instead of ten")
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES), help="only these (default: all)")
    parser.add_argument("--seed", type=int, default=int(time.time()) & 0xFFFFFF, help="draws follow from it")
    parser.add_argument("--reports", type=Path, default=Path("reports"), help="where the report goes")
    parser.add_argument("--costs", action="store_true", help="keep the measured costs for `kiosk plan`")
    asked = parser.parse_args()
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TextColumn("{task.completed}/{task.total}"))
    with Progress(*columns, TimeElapsedColumn()) as progress:
        told = ending.run(bench("quick" if asked.quick else "whole", asked.cases, asked.seed, progress))
    verdict = told["receipts"]
    broken = verdict["lost"] + verdict["repeated"] + verdict["number_twice"]
    words, _ = report.write(told, broken, asked.reports)
    sys.stdout.write(words)
    costs = report.costs_of(told)
    if asked.costs and costs is not None:
        COSTS.write_bytes(msgspec.json.format(msgspec.json.encode(costs)) + b"\n")
        sys.stdout.write(f"costs written to {COSTS.name}\n")
    sys.exit(0 if told["good"] else 1)


if __name__ == "__main__":
    main()
