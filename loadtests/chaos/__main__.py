"""``python -m loadtests.chaos``: people scan while parts of the kiosk are killed. Exits 1 if a share was lost or wrong.

Every share is delivered again until it is accepted, as the gateway does. At the end the gateway's own journal is
checked: each accepted share was acknowledged with one number, no other person of its facility has this number, and no
number is missing.
"""

import argparse
import asyncio
import sys
import time
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from random import Random
from statistics import median
from typing import Any, Final

import msgspec
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from loadtests import graceful_run
from loadtests.bench.machine import described
from loadtests.bench.setup import QUICK, BenchSetup, prepared
from loadtests.chaos.faults import FAULTS
from loadtests.chaos.lost_primary import PER_S as LOST_PRIMARY_PER_S
from loadtests.chaos.lost_primary import REPLICAS, lose_a_primary
from loadtests.chaos.lost_primary import times as lost_primary_times
from loadtests.chaos.redelivery import Delivered, Redelivery
from loadtests.simulator.people.share_client import percentile

CONNECTIONS: Final = 256
WORKERS: Final = 2
"""Web workers: one is killed while the other serves."""
QUIET: Final = {"KIOSK_LOG_LEVEL": "error"}
"""Warnings of the kiosk are not shown: the faults are made on purpose."""
SERVES_AGAIN_S: Final = 0.5
"""A 202 this long after a strike proves that the kiosk serves again. An earlier one may come from before the strike."""
BACK_WITHIN_S: Final = 30.0
NOTICED_S: Final = 1.0
"""A time without a 202 that begins this soon after a strike is counted as caused by it."""
AFTER_S: Final = 3.0
BATCH_S: Final = 5.0
ANSWERED_WITHIN_S: Final = 30.0
"""How long the protocol allows from a share to its answer."""
WHOLE, SHORT = 25, 6
"""Strikes of each kind, in a whole and in a quick run. A lost primary is one strike: it never comes back."""


async def chaos(kinds: list[str], rounds: int, per_s: int, seed: int, progress: Progress) -> dict[str, Any]:
    """Run each kind of strike on a fresh kiosk. Returns the report."""
    report: dict[str, Any] = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "seed": seed,
                            "machine": described(), "kinds": {}}  # fmt: skip
    for kind in kinds:
        if kind in REPLICAS:
            step = progress.add_task(kind, total=1)
            report["kinds"][kind] = await lose_a_primary(kind, seed, QUIET, WORKERS)
            progress.advance(step)
            continue
        step = progress.add_task(kind, total=rounds)
        size = msgspec.structs.replace(QUICK, facilities=3_607)
        async with prepared(size, seed=seed, workers=WORKERS, more=QUIET) as setup:
            report["kinds"][kind] = await _under(setup, kind, rounds, per_s, partial(progress.advance, step))
    report["good"] = all(one["good"] for one in report["kinds"].values())
    return report


async def _under(setup: BenchSetup, kind: str, rounds: int, per_s: int, done: Callable[[], None]) -> dict[str, Any]:
    """Strike again and again while shares come, then check the journal."""
    struck_s: list[float] = []

    async def faults(gateway: Redelivery) -> None:
        draw, (fault, pause_s) = Random(f"faults:{setup.seed}"), FAULTS[kind]
        for _ in range(rounds):
            await asyncio.sleep(draw.uniform(*pause_s))
            struck_s.append(time.time())
            await fault(setup, draw)
            done()
            # The next strike waits until the kiosk serves again: each strike must hit a process that works.
            await gateway.taken_after(struck_s[-1] + SERVES_AGAIN_S, within_s=BACK_WITHIN_S)
        await asyncio.sleep(AFTER_S)

    async with Redelivery(setup.stack.kiosk_url, connections=CONNECTIONS) as gateway:
        striking = asyncio.create_task(faults(gateway))
        runs: list[Delivered] = []
        try:
            while not striking.done():
                setup.token = await setup.stack.simulator.callback_token()
                shares = setup.shares(int(per_s * BATCH_S), setup.by_size)
                runs.append(await gateway.deliver(setup.requests(shares), per_s))
                setup.acknowledgements.record_answers(shares, runs[-1].sent)
        finally:
            # If the run is cancelled, the fault must end too: otherwise a frozen store would stay frozen.
            striking.cancel()
            await asyncio.wait({striking})
        striking.result()
    await setup.settled()
    return _report(setup, runs, struck_s) | {"per_s": per_s}


def _report(setup: BenchSetup, runs: list[Delivered], struck_s: list[float]) -> dict[str, Any]:
    verdict = setup.acknowledgements.verdict()
    taken_s = sorted(at for run in runs for at in run.taken_s)
    silent = [_silence_s(taken_s, at) for at in struck_s]
    waits = setup.acknowledgements.waits_s(0, verdict.sent)
    statuses = sum((Counter(run.statuses) for run in runs), Counter[int]())
    errors = sum(count for status, count in statuses.items() if status >= 500 and status != 503)
    late = sum(wait > ANSWERED_WITHIN_S for wait in waits)
    return {
        "faults": len(struck_s), "deliveries": dict(statuses), "silent_p50_s": round(median(silent), 2),
        "silent_max_s": round(max(silent), 2), "answer_p50_s": round(percentile(waits, 0.5), 3),
        "answer_p99_s": round(percentile(waits, 0.99), 3), "answer_max_s": round(max(waits, default=0.0), 2),
        "late": late, "acknowledgements": msgspec.to_builtins(verdict),
        "good": verdict.sound and not late and not errors,
    }  # fmt: skip


def _silence_s(taken_s: list[float], since_s: float) -> float:
    """The longest time without a 202 that begins within ``NOTICED_S`` after a strike."""
    at = max(0, bisect_right(taken_s, since_s) - 1)
    until = bisect_right(taken_s, since_s + NOTICED_S)
    return max((later - before for before, later in zip(taken_s[at:until], taken_s[at + 1 :], strict=False)), default=0)


def text(report: dict[str, Any]) -> str:
    """The report for people: a line for each kind, with its own pace and number of faults."""
    machine = report["machine"]
    lines = [
        "chaos, {at}, seed {seed}".format(**report),
        f"machine: {machine['cores']} cores {machine['cpu']}, {machine['memory_gb']} GB, Python {machine['python']}",
        "",
        f"{'':8}{'faults':>6} {'scans/s':>8} {'scans':>8} {'lost':>5} {'twice':>6} {'two':>4} {'holes':>6} "
        f"{'wrong':>6} {'late':>5} {'again':>6}  silent p50, max   answer p50, p99, max       "
        "deliveries by status (0: cut)",
    ]
    for kind, one in report["kinds"].items():
        book = one["acknowledgements"]
        times = (
            lost_primary_times(one)
            if kind in REPLICAS
            else f"{one['silent_p50_s']:5.2f} {one['silent_max_s']:5.2f} s     "
            f"{one['answer_p50_s']:.3f} {one['answer_p99_s']:.3f} {one['answer_max_s']:.2f} s"
        )
        lines.append(
            f"{kind:8}{one['faults']:6} {one['per_s']:8,} {book['taken']:8,} {book['lost']:5} "
            f"{book['number_twice']:6} {book['two_numbers']:4} {book['holes']:6} "
            f"{book['wrong'] + book['refused'] + book['not_taken']:6} {one['late']:5} {book['repeated']:6}  "
            f"{times}  {one['deliveries']}  {'kept' if one['good'] else 'BROKEN'}"
        )
        lines += book["examples"]
    return "\n".join(lines) + "\n"


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m loadtests.chaos", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument(
        "--quick", action="store_true", help=f"{SHORT} strikes of each kind instead of {WHOLE}; one lost primary always"
    )
    parser.add_argument(
        "--kinds",
        nargs="+",
        choices=[*FAULTS, *REPLICAS],
        default=[*FAULTS, *REPLICAS],
        help="only these (default: all)",
    )
    parser.add_argument(
        "--per-s",
        type=int,
        default=1_000,
        help=f"scans a second (default %(default)s); {' and '.join(REPLICAS)} always have {LOST_PRIMARY_PER_S}",
    )
    parser.add_argument("--seed", type=int, default=int(time.time()) & 0xFFFFFF, help="seed of all random choices")
    parser.add_argument("--reports", type=Path, default=Path("reports"), help="folder for the report")
    args = parser.parse_args()
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}"))
    with Progress(*columns, TimeElapsedColumn()) as progress:
        rounds = SHORT if args.quick else WHOLE
        report = graceful_run.run(chaos(args.kinds, rounds, args.per_s, args.seed, progress))
    args.reports.mkdir(parents=True, exist_ok=True)
    written = text(report)
    (args.reports / "chaos.txt").write_text(written)
    (args.reports / "chaos.json").write_bytes(msgspec.json.format(msgspec.json.encode(report)))
    sys.stdout.write(written)
    sys.exit(0 if report["good"] else 1)


if __name__ == "__main__":
    main()
