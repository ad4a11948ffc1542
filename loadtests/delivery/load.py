"""``python -m loadtests.delivery.load``: loads of deliveries and of the API, each on a fresh kiosk on loopback.

The load generator, the receivers, the gateway and the kiosk share one machine. Writes
``reports/delivery-load.json`` and ``.txt``; exits with 1 when a promise was missed or an event did not arrive.
"""

import argparse
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from msgspec import json

from loadtests import graceful_run
from loadtests.bench.machine import described
from loadtests.budget import judge, table
from loadtests.delivery.cases import CASES, QUICK, WHOLE

REPORT: Final = Path("reports/delivery-load.json")


async def run(names: list[str], *, quick: bool, seed: int) -> dict[str, Any]:
    """Run these cases one after the other."""
    began, machine = time.monotonic(), described()
    cases: dict[str, Any] = {}
    for name in names:
        sys.stderr.write(f"{name} …\n")
        cases[name] = await CASES[name](QUICK if quick else WHOLE, seed)
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"), "quick": quick, "machine": machine,
        "took_s": round(time.monotonic() - began), "cases": cases,
    }  # fmt: skip


def figures_of(cases: dict[str, Any]) -> dict[str, float]:
    """The figures that have a promise."""
    found: dict[str, float] = {}
    if arrive := cases.get("arrive"):
        found["delivered_p99_ms"] = arrive["one_each"]["delivered_ms"]["p99"]
        found["not_delivered"] = sum(one["missing"] for one in arrive.values())
    if dead := cases.get("dead"):
        found |= {"dead_on_share": dead["on_share_ratio"], "dead_callback": dead["callback_ratio"]}
        found["dead_living_p99_ms"] = dead["living"]["p99"]
        found["not_delivered"] = found.get("not_delivered", 0) + dead["living"]["missing"]
    if api := cases.get("api"):
        found["api_p99_ms"] = api["api_ms"]["p99"]
    return found


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m loadtests.delivery.load")
    parser.add_argument(
        "--cases", nargs="+", choices=list(CASES), default=list(CASES), help="only these (default: all)"
    )
    parser.add_argument("--quick", action="store_true", help="short, to find faults; its figures say little")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    report = graceful_run.run(run(args.cases, quick=args.quick, seed=args.seed))
    findings = judge(figures_of(report["cases"]))
    report["promises"] = [finding.report() for finding in findings]
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_bytes(json.format(json.encode(report)))
    text = json.format(json.encode(report["cases"])).decode() + "\n\n" + "\n".join(table(findings)) + "\n"
    REPORT.with_suffix(".txt").write_text(text)
    sys.stdout.write(text)
    sys.exit(0 if all(finding.is_met for finding in findings) else 1)


if __name__ == "__main__":
    main()
