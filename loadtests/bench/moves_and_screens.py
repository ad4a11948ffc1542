"""Benchmark cases: the cost of staff moves under load, and the time from a call to ten thousand screens."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from msgspec import json

from loadtests.bench.listeners import PHONE, ListenerPlan, ListenerReport
from loadtests.bench.setup import BenchSetup, Figures, RoundResult
from loadtests.simulator.people.clerks import Clerk
from loadtests.simulator.people.share_client import percentile

MOVES_S = 4.0
CALL_EVERY_S = 0.25
"""Seconds between two calls of the timed clerks: each facility gets a call every half second, as a large one does at
its busiest.
"""
BOARDS_PER_FACILITY = 3
"""Displays in each facility of a state. All other listeners are phones in the two facilities whose clerks call."""
AFTER_LAST_CALL_S = 2.0
FULL = 400
"""Waiting patients in each staffed hospital before its clerks begin."""


@asynccontextmanager
async def at_work(setup: BenchSetup) -> AsyncIterator[list[tuple[str, str, Clerk]]]:
    """Signed-in clerks of the staffed hospitals: facility, counter, clerk."""
    async with AsyncExitStack() as offices:
        seats = []
        for hospital in setup.stack.hospitals:
            for seat in hospital["clerks"]:
                signed_in = Clerk.signed_in(setup.stack.kiosk_url, seat["login"], seat["password"])
                clerk = await offices.enter_async_context(signed_in)
                # The clerk has changed the first password: the next sign-in needs the new one.
                seat["password"] = clerk.password
                seats.append((hospital["hip_id"], seat["counter"], clerk))
        yield seats


async def staff_moves(setup: BenchSetup, quarter_per_s: float) -> Figures:
    """(c): every clerk presses *next* as fast as the desk answers, without scans and with a quarter of the highest
    rate.
    """
    await _fill_queues(setup)
    async with at_work(setup) as seats:
        alone = await _press_next(seats, MOVES_S)
        await _fill_queues(setup)
        scans = asyncio.create_task(_scans(setup, quarter_per_s, MOVES_S + 1))
        loaded = await _press_next(seats, MOVES_S)
        await scans
    await setup.settled()
    return {"clerks": len(seats), "alone": _report(alone), "under_load": _report(loaded), "scans_per_s": quarter_per_s}


def _report(took_s: list[float]) -> dict[str, float]:
    return {
        "moves_per_s": len(took_s) / MOVES_S,
        "p50_ms": percentile(took_s, 0.5) * 1000,
        "p99_ms": percentile(took_s, 0.99) * 1000,
    }


async def _fill_queues(setup: BenchSetup) -> None:
    """Fill every staffed facility with patients to call."""
    hospitals = [setup.stack.hips.index(hospital["hip_id"]) for hospital in setup.stack.hospitals]
    turn = iter(hospitals * FULL)
    await setup.send(setup.shares(FULL * len(hospitals), lambda: next(turn)), window=256)


async def _press_next(seats: list[tuple[str, str, Clerk]], for_s: float) -> list[float]:
    ends = time.perf_counter() + for_s
    took = await asyncio.gather(*(_one_clerk(clerk, counter, ends) for _, counter, clerk in seats))
    return [one for clerk in took for one in clerk]


async def _one_clerk(clerk: Clerk, counter: str, ends: float) -> list[float]:
    took = []
    while (began := time.perf_counter()) < ends:
        await clerk.move("next", counter)
        took.append(time.perf_counter() - began)
    return took


async def _scans(setup: BenchSetup, per_s: float, for_s: float) -> RoundResult:
    return await setup.send(setup.shares(int(per_s * for_s), setup.by_size), per_s=per_s)


async def fan_out(setup: BenchSetup, quarter_per_s: float) -> Figures:
    """(d): call to screen, with few and with many listeners, while scans come at a quarter of the limit."""
    report = {}
    for listeners in setup.size.listeners:
        await _fill_queues(setup)
        report[str(listeners)] = await _fan_out(setup, listeners, quarter_per_s)
    return report


async def _fan_out(setup: BenchSetup, listeners: int, per_s: float) -> dict[str, Any]:
    timed = [hospital["hip_id"] for hospital in setup.stack.hospitals]
    places = _places(setup, timed, listeners)
    memory = setup.parts.memory_mb()["web"]
    async with screens(setup, places, timed) as close_streams:
        opened = setup.parts.memory_mb()["web"]
        with setup.parts.spent() as spent:
            called, result = await _calls_under_load(setup, per_s)
            await asyncio.sleep(AFTER_LAST_CALL_S)
        report = await close_streams()
    await setup.settled()
    waits = [at - called[key] for key, times in report.calls.items() if key in called for at in times]
    hips = [place.removesuffix(PHONE) for place in places]
    expected = sum(hips.count(key.split(" ")[0]) for key in called)
    return {
        "calls": len(called), "sightings": len(waits), "sightings_expected": expected, "streams_lost": report.lost,
        "p50_ms": percentile(waits, 0.5) * 1000, "p99_ms": percentile(waits, 0.99) * 1000,
        "max_ms": max(waits, default=0.0) * 1000, "frames": report.frames, "bytes": report.bytes,
        "kb_per_listener": (opened - memory) * 1024 / listeners, "web_s": spent["web"],
        "scans": len(result.shares), "scans_per_s": per_s, "callback_p99_ms": result.sent.percentile_ms(0.99),
    }  # fmt: skip


@asynccontextmanager
async def screens(
    setup: BenchSetup, hips: list[str], timed: Sequence[str] = ()
) -> AsyncIterator[Callable[[], Awaitable[ListenerReport]]]:
    """Open a stream for each of ``hips``, in a separate process. Yields a function that closes the streams and returns
    what they received, with the time of each call in the ``timed`` facilities.
    """
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "loadtests.bench.listeners", stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE, limit=1 << 26,
    )  # fmt: skip
    assert child.stdin is not None  # noqa: S101  asked for as pipes; narrows the type
    assert child.stdout is not None  # noqa: S101  as above
    commands, output = child.stdin, child.stdout

    async def close_streams() -> ListenerReport:
        commands.close()
        return json.decode(await output.readline(), type=ListenerReport)

    try:
        commands.write(json.encode(ListenerPlan(url=setup.stack.kiosk_url, hips=hips, watched=list(timed))) + b"\n")
        if (await output.readline()).strip() != b"ready":
            raise RuntimeError(f"{len(hips)} streams did not all open")
        yield close_streams
    finally:
        if child.returncode is None:
            child.terminate()
        await child.wait()


def _places(setup: BenchSetup, timed: list[str], listeners: int) -> list[str]:
    """The facility of each listener: boards in all facilities, phones where calls are timed."""
    hospitals = setup.stack.hips[: max(1, int(listeners * 0.9) // BOARDS_PER_FACILITY)]
    boards = [hip for hip in hospitals[:3_607] for _ in range(BOARDS_PER_FACILITY)][: int(listeners * 0.9)]
    phones = [timed[place % len(timed)] + PHONE for place in range(listeners - len(boards))]
    return boards + phones


async def _calls_under_load(setup: BenchSetup, per_s: float) -> tuple[dict[str, float], RoundResult]:
    """Clerks call in turn while scans come. Returns when each call was requested, by facility and token."""
    called: dict[str, float] = {}
    async with at_work(setup) as seats:
        length_s = setup.size.calls * CALL_EVERY_S
        scans = asyncio.create_task(_scans(setup, per_s, length_s + 1))
        await asyncio.sleep(0.5)
        for number in range(setup.size.calls):
            hip, counter, clerk = seats[number % len(seats)]
            requested_s = time.time()
            moved = await clerk.move("next", counter)
            if moved["outcome"] == "MOVED":
                called[f"{hip} {moved['ticket']['token']}"] = requested_s
            await asyncio.sleep(max(0.0, CALL_EVERY_S - (time.time() - requested_s)))
        return called, await scans
