"""``python -m loadtests.floods``: every kind of flood against a fresh kiosk, while shares come at a steady pace.

Exits 1 when a share was not answered with 202, when it got no number, when one in a hundred waited longer than a
second, or when the attacker met an error of the service (500).
"""

import argparse
import os
import resource
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec
from rich.progress import Progress

from loadtests import graceful_run
from loadtests.bench.machine import described
from loadtests.bench.setup import prepared
from loadtests.floods.kinds import KINDS
from loadtests.floods.measured import DEFAULT_LIMITS, SMALL_SIZE, Result, measured_under

FILES: Final = 4_096
"""Open files of each process, as many systems allow by default. Floods of connections must reach this limit."""
OPEN_TO_THE_NETWORK: Final = {"KIOSK_HOST": "0.0.0.0"}  # noqa: S104 - limits by address do not hold on loopback alone
P99_MAX_MS: Final = 1_000


async def floods(kinds: list[str], shares: int, per_s: float, seed: int, progress: Progress) -> list[Result]:
    """Run each flood on a fresh kiosk, so that no flood suffers from the one before."""
    shown = progress.add_task("floods", total=len(kinds))
    results = []
    for kind in kinds:
        load = os.getloadavg()[0]
        async with prepared(SMALL_SIZE, seed=seed, workers=1, more=DEFAULT_LIMITS | OPEN_TO_THE_NETWORK) as setup:
            results.append(await measured_under(kind, setup, shares=shares, per_s=per_s, load=load))
        progress.advance(shown)
    return results


def meets_promise(result: Result) -> bool:
    return result.good and not result.errors and result.p99_ms <= P99_MAX_MS


def table(results: list[Result]) -> list[str]:
    """The rows of the table in docs/security.md."""
    lines = [
        "| flood | shares answered 202, with a number | p50, p99 | what the attacker got | load before |",
        "| --- | --- | --- | --- | --- |",
    ]
    for result in results:
        meaning = KINDS[result.kind][0]
        attack = ", ".join(f"{status} × {count:,}" for status, count in result.attack.items()) or "nothing"
        lines.append(
            f"| {meaning} | {result.taken} and {result.numbers} of {result.shares} "
            f"| {result.p50_ms:.0f} ms, {result.p99_ms:.0f} ms | {attack} | {result.load:.1f} |"
        )
    return lines


def write(results: list[Result], per_s: float, folder: Path) -> str:
    """Write text and JSON into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    machine = described()
    head = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {machine['cores']} cores {machine['cpu']}, one worker, {per_s:g}/s"
    written = "\n".join([head, "", *table(results), ""])
    report: dict[str, Any] = {"at": head, "machine": machine, "results": msgspec.to_builtins(results)}
    (folder / "floods.json").write_bytes(msgspec.json.format(msgspec.json.encode(report)))
    (folder / "floods.txt").write_text(written)
    return written


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m loadtests.floods", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--kind", action="append", choices=list(KINDS), help="one kind; again for more (default: all)")
    parser.add_argument("--shares", type=int, default=200, help="shares beside each flood (default %(default)s)")
    parser.add_argument("--per-s", type=float, default=10, help="shares a second (default %(default)s)")
    parser.add_argument(
        "--seed", type=int, default=int(time.time()) & 0xFFFFFF, help="decides which people are invented"
    )
    parser.add_argument("--reports", type=Path, default=Path("reports"), help="folder for the report")
    options = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
    with Progress() as progress:
        work = floods(options.kind or list(KINDS), options.shares, options.per_s, options.seed, progress)
        results = graceful_run.run(work)
    sys.stdout.write(write(results, options.per_s, options.reports))
    sys.exit(0 if all(map(meets_promise, results)) else 1)


if __name__ == "__main__":
    main()
