"""Cases about scans: endpoint and complete loop against the yardstick, long queues, many facilities, memory."""

from collections.abc import Callable
from itertools import cycle
from random import Random

from loadtests.bench.machine import data_bytes, journal_bytes, store_info
from loadtests.bench.setup import BenchSetup, Figures, Pressed, Yardstick, mean_us, middle
from loadtests.simulator.people.share_client import percentile

WINDOW = 512
"""Shares not yet acknowledged while the loop is measured: enough that no part waits for another, and few enough that
phones still get their answers in time."""
HALF_S = 6.0
WARM_SCANS = 1_500


async def warm(setup: BenchSetup) -> None:
    """Let every part work once before anything is timed: imports, sessions, key sets, caches."""
    await setup.press(setup.shares(WARM_SCANS, setup.by_size), window=WINDOW)


async def against_yardstick(setup: BenchSetup, yard: Yardstick) -> Figures:
    """(a), (b) and (g): yardstick, endpoint only, complete loop, in turn, round by round."""
    scans = setup.size.round_scans
    yards, share_clients, loops = list[float](), list[Pressed](), list[Pressed]()
    yard_spent = list[dict[str, float]]()
    loop_rates = list[float]()
    for _ in range(setup.size.rounds):
        went, spent = await yard.press(setup.requests(setup.shares(scans, setup.by_size)))
        yards.append(went.per_s)
        yard_spent.append(spent)
        with setup.relay_paused():
            share_clients.append(await setup.press(setup.shares(scans, setup.by_size)))
        await setup.settled()
        looped = await setup.press(setup.shares(scans, setup.by_size), window=WINDOW)
        loops.append(looped)
        await setup.settled()
        loop_rates.append(_loop_rate(setup, looped))
    doors_per_s = [one.went.per_s for one in share_clients]
    return {
        "yardstick_per_s": yards,
        "callback_per_s": doors_per_s,
        "loop_per_s": loop_rates,
        "callback_ratio": middle([mine / theirs for mine, theirs in zip(doors_per_s, yards, strict=True)]),
        "callback_ratios": [round(mine / theirs, 3) for mine, theirs in zip(doors_per_s, yards, strict=True)],
        "loop_ratio": middle([mine / theirs for mine, theirs in zip(loop_rates, yards, strict=True)]),
        "loop_ratios": [round(mine / theirs, 3) for mine, theirs in zip(loop_rates, yards, strict=True)],
        "callback_ms": {"p50": middle([one.went.percentile_ms(0.5) for one in share_clients]),
                        "p99": middle([one.went.percentile_ms(0.99) for one in share_clients])},
        "yardstick_us": mean_us(yard_spent, scans),
        "callback_us": mean_us([one.spent_s for one in share_clients], scans),
        "loop_us": mean_us([one.spent_s for one in loops], scans),
        "connections": 64, "scans_per_round": scans, "window": WINDOW,
    }  # fmt: skip


def _loop_rate(setup: BenchSetup, looped: Pressed) -> float:
    """Scans a second from the first share sent to the last acknowledgement."""
    delivered, last_s = setup.acknowledgements.delivered(looped.shares[0].index, looped.shares[-1].index)
    return delivered / (last_s - min(looped.went.due_s)) if delivered else 0.0


async def at_half(setup: BenchSetup, loop_per_s: float) -> Figures:
    """On-share times at half of what the loop sustains, at a constant rate."""
    rate = loop_per_s / 2
    pressed = await setup.press(setup.shares(int(rate * HALF_S), setup.by_size), per_s=rate)
    await setup.settled()
    waits = setup.acknowledgements.waits_s(pressed.shares[0].index, pressed.shares[-1].index)
    return {
        "rate_per_s": rate,
        "callback_p50_ms": pressed.went.percentile_ms(0.5),
        "callback_p99_ms": pressed.went.percentile_ms(0.99),
        "on_share_p50_ms": percentile(waits, 0.5) * 1000,
        "on_share_p99_ms": percentile(waits, 0.99) * 1000,
        "on_share_max_ms": max(waits, default=0.0) * 1000,
    }


async def long_queues(setup: BenchSetup) -> Figures:
    """(e) and (f): the cost of a scan with few and with many people waiting, and the memory of each ticket."""
    size = setup.size
    last = len(setup.stack.hips)
    deep = list(range(last - size.deep_facilities, last))
    shallow = list(range(last - size.deep_facilities - 200, last - size.deep_facilities))
    await setup.settled()
    before = _deep_tickets(setup)
    filled = size.deep_from * size.deep_facilities
    await setup.press(setup.shares(filled, _in_turn(deep)), window=WINDOW)
    await setup.settled()
    after = _deep_tickets(setup)
    await setup.press(setup.shares(10 * len(shallow), _in_turn(shallow)), window=WINDOW)
    few, many = list[float](), list[float]()
    for _ in range(size.rounds):
        for facilities, costs in ((shallow, few), (deep, many)):
            with setup.relay_paused():
                costs.append((await setup.press(setup.shares(size.deep_round, _in_turn(facilities)))).served_us)
            await setup.settled()
    reached = size.deep_from + size.rounds * size.deep_round // size.deep_facilities
    return {
        "few_us": few, "many_us": many, "growth": middle(many) / middle(few),
        "few_waiting": 10, "many_waiting": [size.deep_from, reached],
        "ticket_bytes": (after[0] - before[0]) / filled, "journal_bytes": (after[1] - before[1]) / filled,
    }  # fmt: skip


def _deep_tickets(setup: BenchSetup) -> tuple[int, int]:
    """Bytes of memory that hold keys, and of journal written so far."""
    info = store_info(setup.stack.data)
    return data_bytes(info), journal_bytes(setup.parts.pids["store"][0], info)


async def many_facilities(setup: BenchSetup) -> Figures:
    """(e): the cost of a scan with few and with many facilities. Each has had its first scan of the day."""
    spread = setup.size.spread
    await setup.press(setup.shares(spread[-1], _in_turn(list(range(spread[-1])))), window=WINDOW)
    await setup.settled()
    costs: dict[int, list[float]] = {facilities: [] for facilities in spread}
    for _ in range(setup.size.rounds):
        for facilities in spread:
            order = list(range(facilities))
            Random(f"order:{setup.seed}").shuffle(order)
            with setup.relay_paused():
                pressed = await setup.press(setup.shares(setup.size.round_scans // 2, _in_turn(order)))
            costs[facilities].append(pressed.served_us)
            await setup.settled()
    fewest = middle(costs[spread[0]])
    return {
        "us": {str(facilities): one for facilities, one in costs.items()},
        "growth": {str(facilities): middle(one) / fewest for facilities, one in costs.items()},
        "largest": spread[-1],
    }


def _in_turn(facilities: list[int]) -> Callable[[], int]:
    """A function that returns the facilities in turn, without end."""
    turn = cycle(facilities)
    return lambda: next(turn)
