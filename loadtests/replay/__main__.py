"""``python -m loadtests.replay``: J&K's tokens through the real door, as fast as the machine can, judged from outside.

The history is cut into chapters of whole days. Each has a kiosk and a gateway of its own, for the store's clock says
today: an institution on one day of the past is a facility of the chapter, with numbers from 1 as on a real day. At the
end of a chapter the gateway's journal must hold one acknowledgement for every share that was taken, and for every
institution and day the numbers 1 to n, each once. What was found is kept; a run that was broken off goes on with the
chapter it was in.
"""

import argparse
import asyncio
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import msgspec
from msgspec import Struct, json
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from loadtests import ending
from loadtests.bench.machine import described
from loadtests.receipts import Receipts, Verdict, in_batches
from loadtests.replay.history import Day, chapters, days, shares, some
from loadtests.simulator.people.crowd import Crowd, Share
from loadtests.simulator.people.door import Door, post, timestamp
from loadtests.stack import Stack, fresh_stack

CHAPTER_TOKENS = 50_000
"""A minute or so: what is lost when a run is broken off, and what store and ledger must hold at once."""
BATCH = 2_000
WINDOW = 512
"""Shares not yet acknowledged."""
SETTLED_WITHIN_S = 60.0
CONNECTIONS = 64


class Chapter(Struct, frozen=True, kw_only=True):
    """One chapter as it went."""

    first: str
    last: str
    days: int
    institution_days: int
    tokens: int
    seconds: float
    verdict: Verdict
    protocol_faults: int

    @property
    def good(self) -> bool:
        """Nothing lost, nothing twice, every number there."""
        return self.verdict.good and self.verdict.tokens == self.tokens and not self.protocol_faults


class Book:
    """What earlier runs of the same plan have done."""

    def __init__(self, folder: Path, plan: str, *, fresh: bool) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._base = sqlite3.connect(folder / "replay.sqlite")
        self._base.execute(
            "CREATE TABLE IF NOT EXISTS chapters (plan TEXT, n INTEGER, told BLOB, PRIMARY KEY (plan, n))"
        )
        self._plan = plan
        if fresh:
            with self._base:
                self._base.execute("DELETE FROM chapters WHERE plan = ?", (plan,))

    def done(self) -> dict[int, Chapter]:
        """Chapters by number."""
        rows = self._base.execute("SELECT n, told FROM chapters WHERE plan = ? ORDER BY n", (self._plan,))
        return {number: json.decode(told, type=Chapter) for number, told in rows}

    def keep(self, number: int, chapter: Chapter) -> None:
        """For the next run and the report."""
        with self._base:
            row = (self._plan, number, json.encode(chapter))
            self._base.execute("INSERT OR REPLACE INTO chapters VALUES (?, ?, ?)", row)

    def close(self) -> None:
        """Close the book."""
        self._base.close()


async def live_through(chapter: list[Day], number: int, seed: int, told: Callable[[int], None]) -> Chapter:
    """One chapter, from an empty store to the verdict; ``told`` hears of every batch."""
    halls = sum(len(day.tokens) for day in chapter)
    crowd = Crowd(seed=seed, run=(seed << 12 | number) & 0xFFFFFFFF)
    async with fresh_stack(seed=seed, facilities=halls, counters=1, staffed=0, strangers=True) as stack:
        with tempfile.TemporaryDirectory(prefix="replay-") as folder:
            with closing(Receipts(crowd, Path(folder) / "receipts.sqlite")) as receipts:
                began = time.monotonic()
                await _press(stack, crowd, receipts, in_batches(shares(chapter, 0, seed), BATCH), told)
                seconds = time.monotonic() - began
                await _settled(receipts, stack.journal)
                faults = await stack.simulator.faults()
                return Chapter(
                    first=chapter[0].date.isoformat(), last=chapter[-1].date.isoformat(), days=len(chapter),
                    institution_days=halls, tokens=sum(day.total for day in chapter), seconds=seconds,
                    verdict=receipts.verdict(), protocol_faults=faults["protocol_faults_total"],
                )  # fmt: skip


async def _press(
    stack: Stack, crowd: Crowd, receipts: Receipts, batches: Iterator[list[Share]], told: Callable[[int], None]
) -> None:
    """Batch after batch, never more than ``WINDOW`` ahead of the acknowledgements."""
    sent = 0
    async with Door(stack.kiosk_url, connections=CONNECTIONS) as door:
        for batch in batches:
            token, now = await stack.simulator.callback_token(), timestamp()
            requests = [
                post(door.authority, token, stack.hips[one.facility], crowd.request_id(one),
                     crowd.body(one, stack.hips[one.facility]), now=now)
                for one in batch
            ]  # fmt: skip
            went = await door.windowed(requests, partial(_room, receipts, stack.journal, WINDOW - sent))
            receipts.handed_over(batch, went)
            sent += len(batch)
            told(len(batch))


def _room(receipts: Receipts, journal: Path, ahead: int) -> int:
    return receipts.follow(journal) + ahead


async def _settled(receipts: Receipts, journal: Path) -> None:
    deadline = time.monotonic() + SETTLED_WITHIN_S
    receipts.follow(journal)
    while receipts.undelivered() and time.monotonic() < deadline:
        await asyncio.sleep(0.2)
        receipts.follow(journal)


def _told(done: dict[int, Chapter], machine: dict[str, object]) -> dict[str, object]:
    told = list(done.values())
    tokens, seconds = sum(one.tokens for one in told), sum(one.seconds for one in told)
    names = ("lost", "repeated", "number_twice", "holes", "refused", "wrong", "not_taken")
    return {
        "tokens": tokens, "days": sum(one.days for one in told),
        "institution_days": sum(one.institution_days for one in told), "seconds": round(seconds, 1),
        "tokens_per_s": round(tokens / seconds, 1) if seconds else 0.0,
        **{name: sum(getattr(one.verdict, name) for one in told) for name in names},
        "protocol_faults": sum(one.protocol_faults for one in told), "good": all(one.good for one in told),
        "machine": machine, "chapters": msgspec.to_builtins(told),
    }  # fmt: skip


async def replay(asked: argparse.Namespace) -> bool:
    """Every chapter that is not done yet; whether all of them are good."""
    chosen = some(days(), asked.one_in)
    parts = chapters(chosen, asked.chapter)
    plan, machine = f"1/{asked.one_in} in {asked.chapter}, seed {asked.seed}", described()
    with closing(Book(asked.reports / "replay", plan, fresh=asked.fresh)) as book:
        done = book.done()
        total = sum(day.total for day in chosen)
        columns = (
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
            TextColumn("left"), TimeRemainingColumn(),
        )  # fmt: skip
        with Progress(*columns) as progress:
            bar = progress.add_task("replay", total=total, completed=sum(one.tokens for one in done.values()))
            for number, part in enumerate(parts):
                if number not in done:
                    progress.update(bar, description=f"{part[0].date} to {part[-1].date}")
                    done[number] = await live_through(part, number, asked.seed, partial(progress.advance, bar))
                    book.keep(number, done[number])
        told = _told(done, machine)
    (asked.reports / "replay" / "replay.json").write_bytes(json.format(json.encode(told)))
    short = {name: value for name, value in told.items() if name not in ("chapters", "machine")}
    sys.stdout.write("".join(f"{name.replace('_', ' '):18} {value}\n" for name, value in short.items()))
    return bool(told["good"])


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m loadtests.replay", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--one-in", type=int, default=200, help="one day in so many; 1: all (default %(default)s)")
    parser.add_argument("--chapter", type=int, default=CHAPTER_TOKENS, help="tokens (default %(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--fresh", action="store_true", help="forget what earlier runs have done")
    parser.add_argument("--reports", type=Path, default=Path("reports"))
    asked = parser.parse_args()
    sys.exit(0 if ending.run(replay(asked)) else 1)


if __name__ == "__main__":
    main()
