"""``python -m loadtests.bench.turns OTHER``: this checkout beside another one, on one machine in the same minutes.

Both kiosks run at once and take rounds in turn, so what other guests of the machine do meets both alike. Two benches
one after the other differ by 0.05 where nothing changed; rounds in turn differ by about 0.02. ``OTHER`` is the folder
of a checkout with a ``.venv`` of its own (``git worktree add``, then ``.ci/setup dev`` in it).

``--webhooks 1000`` compares this checkout with itself: both kiosks have as many facilities, and one of them has a
webhook for each, of which half are dead.
"""

import argparse
import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import msgspec
from msgspec import Struct, structs
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from loadtests import graceful_run
from loadtests.bench import scans
from loadtests.bench.setup import QUICK, BenchSetup, Yardstick, middle, prepared, running_yardstick
from loadtests.delivery.setup import PRIVATE, add_half_dead
from loadtests.delivery.webhook_receivers import receivers_elsewhere

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = 20
ROUND_SCANS = 2_000
READY_WITHIN_S = 240.0
ROUND_WITHIN_S = 120.0


class Round(Struct, frozen=True):
    """One round of scans: how many a second, and processor microseconds of web and store for each."""

    per_s: float
    web_us: float
    store_us: float


class Compared(Struct, frozen=True):
    """One round of each checkout and the yardstick beside them."""

    yardstick_per_s: float
    here: Round
    other: Round

    def ratios(self) -> tuple[float, float]:
        """Callback ÷ yardstick, of this checkout and of the other."""
        return self.here.per_s / self.yardstick_per_s, self.other.per_s / self.yardstick_per_s


async def serve(seed: int, facilities: int, webhooks: int) -> None:
    """Runs one round for each line of standard input, and writes its result as a line."""
    loop = asyncio.get_running_loop()
    lines = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    async with _setup(seed, facilities, webhooks) as setup, running_yardstick() as yardstick:
        await scans.warm(setup)
        await setup.settled()
        print("ready", flush=True)
        while line := (await lines.readline()).decode().strip():
            result = await (_yardstick_round(setup, yardstick) if line == "yardstick" else _callback_round(setup))
            print(msgspec.json.encode(result).decode(), flush=True)


@asynccontextmanager
async def _setup(seed: int, facilities: int, webhooks: int) -> AsyncIterator[BenchSetup]:
    """A kiosk, and with ``webhooks`` a webhook for each of its facilities, half of them dead."""
    async with AsyncExitStack() as layers:
        size = structs.replace(QUICK, facilities=facilities or QUICK.facilities)
        setup = await layers.enter_async_context(prepared(size, seed=seed, more=PRIVATE if webhooks else None))
        if webhooks:
            await add_half_dead(setup.stack, await layers.enter_async_context(receivers_elsewhere()))
        yield setup


async def _yardstick_round(setup: BenchSetup, yardstick: Yardstick) -> Round:
    sent, spent_s = await yardstick.send(setup.requests(setup.shares(ROUND_SCANS, setup.by_size)))
    return _round(sent.per_s, spent_s)


async def _callback_round(setup: BenchSetup) -> Round:
    with setup.relay_paused():
        result = await setup.send(setup.shares(ROUND_SCANS, setup.by_size))
    await setup.settled()
    return _round(result.sent.per_s, result.spent_s)


def _round(per_s: float, spent_s: dict[str, float]) -> Round:
    return Round(per_s, spent_s["web"] / ROUND_SCANS * 1e6, spent_s["store"] / ROUND_SCANS * 1e6)


@asynccontextmanager
async def _checkout(folder: Path, *options: str) -> AsyncIterator[Process]:
    """The program of one checkout that runs rounds when asked."""
    command = (str(folder / ".venv/bin/python"), "-m", "loadtests.bench.turns", "--serve", *options)
    child = await asyncio.create_subprocess_exec(*command, cwd=folder, stdin=PIPE, stdout=PIPE)
    try:
        if await _line_of(child, READY_WITHIN_S) != b"ready":
            raise SystemExit(f"{folder}: the bench did not start there")
        yield child
    finally:
        if child.stdin is not None:
            child.stdin.close()
        await child.wait()


async def _line_of(child: Process, within_s: float) -> bytes:
    assert child.stdout is not None  # noqa: S101  it was asked for as a pipe; narrows the type
    async with asyncio.timeout(within_s):
        return (await child.stdout.readline()).strip()


async def _run_round(child: Process, kind: str) -> Round:
    assert child.stdin is not None  # noqa: S101  as above
    child.stdin.write(f"{kind}\n".encode())
    line = await _line_of(child, ROUND_WITHIN_S)
    if not line:
        raise SystemExit("a bench ended in the middle of a round")
    return msgspec.json.decode(line, type=Round)


async def compare(other: Path, rounds: int, seed: int, webhooks: int, progress: Progress) -> list[Compared]:
    """Rounds in turn. The order changes with each round, and the yardstick runs before and after both. Only this
    checkout has the webhooks.
    """
    options = ("--seed", str(seed), *(("--facilities", str(webhooks)) if webhooks else ()))
    compared = list[Compared]()
    step = progress.add_task("rounds", total=rounds)
    async with AsyncExitStack() as layers:
        here = await layers.enter_async_context(_checkout(ROOT, *options, "--webhooks", str(webhooks)))
        there = await layers.enter_async_context(_checkout(other, *options))
        for number in range(rounds):
            before = await _run_round(here, "yardstick")
            results = {child: await _run_round(child, "callback") for child in _order(here, there, number)}
            after = await _run_round(there, "yardstick")
            compared.append(Compared((before.per_s + after.per_s) / 2, results[here], results[there]))
            progress.advance(step)
    return compared


def _order(here: Process, there: Process, number: int) -> tuple[Process, Process]:
    return (here, there) if number % 2 == 0 else (there, here)


def described(compared: list[Compared]) -> str:
    """Medians of both checkouts, and of the differences round by round."""
    pairs = [one.ratios() for one in compared]
    lines = [f"{'':8}{'ratio':>8}{'per s':>8}{'web µs':>8}{'store µs':>9}"]
    for name, ratios, rounds in (
        ("here", [pair[0] for pair in pairs], [one.here for one in compared]),
        ("other", [pair[1] for pair in pairs], [one.other for one in compared]),
    ):
        rate, web, store = (middle([getattr(one, field) for one in rounds]) for field in Round.__struct_fields__)
        lines.append(f"{name:8}{middle(ratios):8.3f}{rate:8.0f}{web:8.1f}{store:9.1f}")
    difference = middle([mine - theirs for mine, theirs in pairs])
    lines.append(f"here - other, callback ÷ yardstick, median of {len(pairs)} rounds: {difference:+.3f}")
    return "\n".join(lines) + "\n"


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(
        prog="python -m loadtests.bench.turns", description=(__doc__ or "").split("\n\n")[0]
    )
    parser.add_argument("other", type=Path, nargs="?", help="folder of the other checkout; with --webhooks this one")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--seed", type=int, default=5, help="seed of people and facilities; both have the same")
    parser.add_argument(
        "--webhooks", type=int, default=0, metavar="N", help="N facilities, and a webhook for each in this checkout"
    )
    parser.add_argument("--facilities", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--serve", action="store_true", help="run rounds when standard input asks")
    args = parser.parse_args()
    if args.serve:
        graceful_run.run(serve(args.seed, args.facilities, args.webhooks))
        return
    other = args.other or (ROOT if args.webhooks else None)
    if other is None or not (other / ".venv/bin/python").exists():
        parser.error("name the folder of another checkout that has a .venv")
    with Progress(SpinnerColumn(), TextColumn("{task.completed}/{task.total}"), TimeElapsedColumn()) as progress:
        compared = graceful_run.run(compare(other.resolve(), args.rounds, args.seed, args.webhooks, progress))
    sys.stdout.write(described(compared))


if __name__ == "__main__":
    main()
