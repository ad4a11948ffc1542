"""Cases about halls: what clerks' moves cost under load, and how soon a call is on ten thousand screens."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from msgspec import json

from loadtests.bench.ground import Figures, Ground, Pressed
from loadtests.bench.listeners import Crew, Heard
from loadtests.simulator.people.clerks import Clerk
from loadtests.simulator.people.door import percentile

MOVES_S = 4.0
CALL_EVERY_S = 0.25
"""Of all timed clerks in turn: each hall hears a call every half second, as a large one does at its busiest."""
BOARDS_PER_FACILITY = 3
"""Displays in each hall of a state; what is left of the listeners are phones in the two halls whose clerks call."""
AFTER_LAST_CALL_S = 2.0
FULL = 400
"""People waiting in each staffed hall before its clerks begin."""


@asynccontextmanager
async def at_work(ground: Ground) -> AsyncIterator[list[tuple[str, str, Clerk]]]:
    """Clerks of the staffed halls, signed in: facility, counter, clerk."""
    async with AsyncExitStack() as offices:
        seats = []
        for hall in ground.stack.halls:
            for seat in hall["clerks"]:
                signed_in = Clerk.signed_in(ground.stack.kiosk_url, seat["login"], seat["password"])
                clerk = await offices.enter_async_context(signed_in)
                # The next sign-in finds the new one.
                seat["password"] = clerk.password
                seats.append((hall["hip_id"], seat["counter"], clerk))
        yield seats


async def staff_moves(ground: Ground, quarter_per_s: float) -> Figures:
    """(c): every clerk presses *next* as fast as the desk answers; alone, and while scans come at a quarter."""
    await _fill(ground)
    async with at_work(ground) as seats:
        alone = await _press_next(seats, MOVES_S)
        await _fill(ground)
        scans = asyncio.create_task(_scans(ground, quarter_per_s, MOVES_S + 1))
        loaded = await _press_next(seats, MOVES_S)
        await scans
    await ground.settled()
    return {"clerks": len(seats), "alone": _told(alone), "under_load": _told(loaded), "scans_per_s": quarter_per_s}


def _told(took_s: list[float]) -> dict[str, float]:
    return {
        "moves_per_s": len(took_s) / MOVES_S,
        "p50_ms": percentile(took_s, 0.5) * 1000,
        "p99_ms": percentile(took_s, 0.99) * 1000,
    }


async def _fill(ground: Ground) -> None:
    """Somebody to call, in every staffed hall."""
    halls = [ground.stack.hips.index(hall["hip_id"]) for hall in ground.stack.halls]
    turn = iter(halls * FULL)
    await ground.press(ground.shares(FULL * len(halls), lambda: next(turn)), window=256)


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


async def _scans(ground: Ground, per_s: float, for_s: float) -> Pressed:
    return await ground.press(ground.shares(int(per_s * for_s), ground.by_size), per_s=per_s)


async def fan_out(ground: Ground, quarter_per_s: float) -> Figures:
    """(d): call to screen, with few and with many listeners, while scans come at a quarter of the limit."""
    told = {}
    for listeners in ground.size.listeners:
        await _fill(ground)
        told[str(listeners)] = await _fan_out(ground, listeners, quarter_per_s)
    return told


async def _fan_out(ground: Ground, listeners: int, per_s: float) -> dict[str, Any]:
    timed = [hall["hip_id"] for hall in ground.stack.halls]
    places = _places(ground, timed, listeners)
    memory = ground.parts.memory_mb()["web"]
    async with screens(ground, places, timed) as hang_up:
        opened = ground.parts.memory_mb()["web"]
        with ground.parts.spent() as spent:
            called, pressed = await _calls_under_load(ground, per_s)
            await asyncio.sleep(AFTER_LAST_CALL_S)
        heard = await hang_up()
    await ground.settled()
    waits = [at - called[key] for key, times in heard.calls.items() if key in called for at in times]
    expected = sum(places.count(key.split(" ")[0]) for key in called)
    return {
        "calls": len(called), "sightings": len(waits), "sightings_expected": expected, "streams_lost": heard.lost,
        "p50_ms": percentile(waits, 0.5) * 1000, "p99_ms": percentile(waits, 0.99) * 1000,
        "max_ms": max(waits, default=0.0) * 1000, "frames": heard.frames, "bytes": heard.bytes,
        "kb_per_listener": (opened - memory) * 1024 / listeners, "web_s": spent["web"],
        "scans": len(pressed.shares), "scans_per_s": per_s, "callback_p99_ms": pressed.went.percentile_ms(0.99),
    }  # fmt: skip


@asynccontextmanager
async def screens(
    ground: Ground, hips: list[str], timed: Sequence[str] = ()
) -> AsyncIterator[Callable[[], Awaitable[Heard]]]:
    """An open stream for each of ``hips``, in a process of their own; what is yielded hangs up and tells what was
    heard, calls in ``timed`` halls one by one.
    """
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "loadtests.bench.listeners", stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE, limit=1 << 26,
    )  # fmt: skip
    assert child.stdin is not None  # noqa: S101  asked for as pipes; narrows the type
    assert child.stdout is not None  # noqa: S101  as above
    line, told = child.stdin, child.stdout

    async def hang_up() -> Heard:
        line.close()
        return json.decode(await told.readline(), type=Heard)

    try:
        line.write(json.encode(Crew(url=ground.stack.kiosk_url, hips=hips, watched=list(timed))) + b"\n")
        if (await told.readline()).strip() != b"ready":
            raise RuntimeError(f"{len(hips)} streams did not all open")
        yield hang_up
    finally:
        if child.returncode is None:
            child.terminate()
        await child.wait()


def _places(ground: Ground, timed: list[str], listeners: int) -> list[str]:
    """Which hall each listener looks at: boards everywhere, phones where the calls are timed."""
    halls = ground.stack.hips[: max(1, int(listeners * 0.9) // BOARDS_PER_FACILITY)]
    boards = [hip for hip in halls[:3_607] for _ in range(BOARDS_PER_FACILITY)][: int(listeners * 0.9)]
    phones = [timed[place % len(timed)] for place in range(listeners - len(boards))]
    return boards + phones


async def _calls_under_load(ground: Ground, per_s: float) -> tuple[dict[str, float], Pressed]:
    """Clerks call in turn while scans come; when each call was asked for, by facility and token."""
    called: dict[str, float] = {}
    async with at_work(ground) as seats:
        length_s = ground.size.calls * CALL_EVERY_S
        scans = asyncio.create_task(_scans(ground, per_s, length_s + 1))
        await asyncio.sleep(0.5)
        for number in range(ground.size.calls):
            hip, counter, clerk = seats[number % len(seats)]
            asked_s = time.time()
            told = await clerk.move("next", counter)
            if told["outcome"] == "MOVED":
                called[f"{hip} {told['ticket']['token']}"] = asked_s
            await asyncio.sleep(max(0.0, CALL_EVERY_S - (time.time() - asked_s)))
        return called, await scans
