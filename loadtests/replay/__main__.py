"""``python -m loadtests.replay``: sends J&K's tokens to the real endpoint as fast as possible, and checks the result.

The history is cut into chapters of whole days. Each chapter has a fresh kiosk and gateway. The store knows only the
present day, so each institution and day of the past is a facility of its own, with numbers from 1 as on a real day. At
the end of a chapter the gateway's journal must have one acknowledgement for every accepted share, and the numbers 1 to
n, each once, for every institution and day. Results are stored: an interrupted run continues with the chapter it was
in.
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

from loadtests import graceful_run
from loadtests.acknowledgements import Acknowledgements, Verdict, in_batches
from loadtests.bench.machine import described
from loadtests.replay.history import Day, chapters, days, shares, some
from loadtests.simulator.people.crowd import Crowd, Share
from loadtests.simulator.people.share_client import ShareClient, post, timestamp
from loadtests.stack import Stack, fresh_stack

CHAPTER_TOKENS = 50_000
"""Tokens of a chapter: about a minute. An interrupted run loses this much, and store and ledger must hold
it at once.
"""
BATCH = 2_000
WINDOW = 512
"""The most shares that are not yet acknowledged."""
SETTLED_WITHIN_S = 60.0
CONNECTIONS = 64


class Chapter(Struct, frozen=True, kw_only=True):
    """The result of one chapter."""

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
        """Whether no share was lost, no number was given twice and no number is missing."""
        return self.verdict.good and self.verdict.tokens == self.tokens and not self.protocol_faults


class Book:
    """The stored results of earlier runs of the same plan."""

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
        return {number: json.decode(report, type=Chapter) for number, report in rows}

    def keep(self, number: int, chapter: Chapter) -> None:
        """Store a result for the next run and the report."""
        with self._base:
            row = (self._plan, number, json.encode(chapter))
            self._base.execute("INSERT OR REPLACE INTO chapters VALUES (?, ?, ?)", row)

    def close(self) -> None:
        """Close the file."""
        self._base.close()


async def live_through(chapter: list[Day], number: int, seed: int, report: Callable[[int], None]) -> Chapter:
    """Run one chapter, from an empty store to the verdict. ``report`` is called after every batch."""
    hospitals = sum(len(day.tokens) for day in chapter)
    crowd = Crowd(seed=seed, run=(seed << 12 | number) & 0xFFFFFFFF)
    async with fresh_stack(seed=seed, facilities=hospitals, counters=1, staffed=0, strangers=True) as stack:
        with tempfile.TemporaryDirectory(prefix="replay-") as folder:
            with closing(Acknowledgements(crowd, Path(folder) / "acknowledgements.sqlite")) as acknowledgements:
                began = time.monotonic()
                await _send(stack, crowd, acknowledgements, in_batches(shares(chapter, 0, seed), BATCH), report)
                seconds = time.monotonic() - began
                await _settled(acknowledgements, stack.journal)
                faults = await stack.simulator.faults()
                return Chapter(
                    first=chapter[0].date.isoformat(), last=chapter[-1].date.isoformat(), days=len(chapter),
                    institution_days=hospitals, tokens=sum(day.total for day in chapter), seconds=seconds,
                    verdict=acknowledgements.verdict(), protocol_faults=faults["protocol_faults_total"],
                )  # fmt: skip


async def _send(
    stack: Stack,
    crowd: Crowd,
    acknowledgements: Acknowledgements,
    batches: Iterator[list[Share]],
    report: Callable[[int], None],
) -> None:
    """Send batch after batch, with at most ``WINDOW`` shares not yet acknowledged."""
    sent = 0
    async with ShareClient(stack.kiosk_url, connections=CONNECTIONS) as share_client:
        for batch in batches:
            token, now = await stack.simulator.callback_token(), timestamp()
            requests = [
                post(share_client.authority, token, stack.hips[one.facility], crowd.request_id(one),
                     crowd.body(one, stack.hips[one.facility]), now=now)
                for one in batch
            ]  # fmt: skip
            result = await share_client.send_in_window(
                requests, partial(_room, acknowledgements, stack.journal, WINDOW - sent)
            )
            acknowledgements.record_answers(batch, result)
            sent += len(batch)
            report(len(batch))


def _room(acknowledgements: Acknowledgements, journal: Path, ahead: int) -> int:
    return acknowledgements.follow(journal) + ahead


async def _settled(acknowledgements: Acknowledgements, journal: Path) -> None:
    deadline = time.monotonic() + SETTLED_WITHIN_S
    acknowledgements.follow(journal)
    while acknowledgements.undelivered() and time.monotonic() < deadline:
        await asyncio.sleep(0.2)
        acknowledgements.follow(journal)


def _report(done: dict[int, Chapter], machine: dict[str, object]) -> dict[str, object]:
    report = list(done.values())
    tokens, seconds = sum(one.tokens for one in report), sum(one.seconds for one in report)
    names = ("lost", "repeated", "number_twice", "holes", "refused", "wrong", "not_taken")
    return {
        "tokens": tokens, "days": sum(one.days for one in report),
        "institution_days": sum(one.institution_days for one in report), "seconds": round(seconds, 1),
        "tokens_per_s": round(tokens / seconds, 1) if seconds else 0.0,
        **{name: sum(getattr(one.verdict, name) for one in report) for name in names},
        "protocol_faults": sum(one.protocol_faults for one in report), "good": all(one.good for one in report),
        "machine": machine, "chapters": msgspec.to_builtins(report),
    }  # fmt: skip


async def replay(args: argparse.Namespace) -> bool:
    """Run every chapter that is not done yet. Returns whether all are good."""
    chosen = some(days(), args.one_in)
    parts = chapters(chosen, args.chapter)
    plan, machine = f"1/{args.one_in} in {args.chapter}, seed {args.seed}", described()
    with closing(Book(args.reports / "replay", plan, fresh=args.fresh)) as book:
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
                    done[number] = await live_through(part, number, args.seed, partial(progress.advance, bar))
                    book.keep(number, done[number])
        report = _report(done, machine)
    (args.reports / "replay" / "replay.json").write_bytes(json.format(json.encode(report)))
    short = {name: value for name, value in report.items() if name not in ("chapters", "machine")}
    sys.stdout.write("".join(f"{name.replace('_', ' '):18} {value}\n" for name, value in short.items()))
    return bool(report["good"])


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m loadtests.replay", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument(
        "--one-in", type=int, default=200, help="replay one day in this many; 1: all (default %(default)s)"
    )
    parser.add_argument("--chapter", type=int, default=CHAPTER_TOKENS, help="tokens (default %(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--fresh", action="store_true", help="ignore results of earlier runs and start again")
    parser.add_argument("--reports", type=Path, default=Path("reports"))
    args = parser.parse_args()
    sys.exit(0 if graceful_run.run(replay(args)) else 1)


if __name__ == "__main__":
    main()
