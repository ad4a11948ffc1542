"""``python -m loadtests.bench``: runs every case on the same machine and writes a report. Exits 1 if an answer was
lost.

It starts a kiosk, a gateway and a yardstick on free ports, and ends them. Rates depend on the machine and on other
programs that run there. Ratios are medians of alternating rounds.
"""

import argparse
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from loadtests import graceful_run
from loadtests.bench import moves_and_screens, report, scans
from loadtests.bench.machine import described
from loadtests.bench.setup import QUICK, WHOLE, BenchSetup, middle, prepared, running_yardstick

COSTS = Path(__file__).resolve().parents[2] / "kiosk" / "capacity" / "costs.json"
CASES = ("yardstick", "half", "queues", "facilities", "moves", "fan_out")


async def bench(size_name: str, cases: list[str], seed: int, progress: Progress) -> dict[str, Any]:
    """Run the cases in order: later cases use figures of earlier ones."""
    machine, began = described(), time.monotonic()
    step = progress.add_task("starting", total=len(cases) + 1)
    figures: dict[str, Any] = {}
    async with prepared(QUICK if size_name == "quick" else WHOLE, seed=seed) as setup:
        await scans.warm(setup)
        progress.advance(step)
        limit = 0.0
        for case in cases:
            progress.update(step, description=case)
            figures[case] = await _case(case, setup, limit)
            if case == "yardstick":
                limit = middle(figures[case]["loop_per_s"])
            progress.advance(step)
        await setup.settled()
        verdict = setup.acknowledgements.verdict()
        faults = await setup.stack.simulator.faults()
        share = setup.shares(1, setup.by_size)
        return {
            "at": datetime.now(UTC).isoformat(timespec="seconds"), "quick": size_name == "quick", "machine": machine,
            "took_s": time.monotonic() - began, "cases": figures, "acknowledgements": msgspec.to_builtins(verdict),
            "protocol_faults": faults["protocol_faults_total"], "memory_mb": setup.parts.memory_mb(),
            "idle_mb": setup.idle_mb,
            "scan_bytes": len(setup.requests(share)[0]), "good": verdict.good and not faults["protocol_faults_total"],
        }  # fmt: skip


async def _case(case: str, setup: BenchSetup, limit: float) -> dict[str, Any]:
    if case == "yardstick":
        async with running_yardstick() as yardstick:
            return await scans.against_yardstick(setup, yardstick)
    if case == "queues":
        return await scans.long_queues(setup)
    if case == "facilities":
        return await scans.many_facilities(setup)
    if not limit:
        raise SystemExit(f"{case} sends scans at a part of the loop's rate: run the case `yardstick` before it")
    if case == "half":
        return await scans.at_half(setup, limit)
    return await (moves_and_screens.staff_moves if case == "moves" else moves_and_screens.fan_out)(setup, limit / 4)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m loadtests.bench", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--quick", action="store_true", help="about two minutes instead of ten")
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES), help="only these (default: all)")
    parser.add_argument("--seed", type=int, default=int(time.time()) & 0xFFFFFF, help="seed of all random choices")
    parser.add_argument("--reports", type=Path, default=Path("reports"), help="folder for the report")
    parser.add_argument("--costs", action="store_true", help="store the measured costs for `kiosk plan`")
    args = parser.parse_args()
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TextColumn("{task.completed}/{task.total}"))
    with Progress(*columns, TimeElapsedColumn()) as progress:
        results = graceful_run.run(bench("quick" if args.quick else "whole", args.cases, args.seed, progress))
    verdict = results["acknowledgements"]
    broken = verdict["lost"] + verdict["repeated"] + verdict["number_twice"]
    written, _ = report.write(results, broken, args.reports)
    sys.stdout.write(written)
    costs = report.costs_of(results)
    if args.costs and costs is not None:
        COSTS.write_bytes(msgspec.json.format(msgspec.json.encode(costs)) + b"\n")
        sys.stdout.write(f"costs written to {COSTS.name}\n")
    sys.exit(0 if results["good"] else 1)


if __name__ == "__main__":
    main()
