"""Cases about scans: endpoint and complete loop against the yardstick, long queues, many facilities, memory."""

from collections.abc import Callable
from itertools import cycle
from random import Random

from loadtests.bench.machine import data_bytes, journal_bytes, store_info
from loadtests.bench.setup import BenchSetup, Figures, RoundResult, Yardstick, mean_us, middle
from loadtests.simulator.people.share_client import percentile

WINDOW = 512
"""Shares not yet acknowledged while the loop is measured: enough that no part waits for another, and few enough that
phones still get their answers in time."""
HALF_S = 6.0
WARM_SCANS = 1_500


async def warm(setup: BenchSetup) -> None:
    """Let every part work once before anything is timed: imports, sessions, key sets, caches."""
    await setup.send(setup.shares(WARM_SCANS, setup.by_size), window=WINDOW)


async def against_yardstick(setup: BenchSetup, yardstick: Yardstick) -> Figures:
    """(a), (b) and (g): yardstick, endpoint only, complete loop, in turn, round by round."""
    scans = setup.size.round_scans
    yardstick_per_s, callback_rounds, loop_rounds = list[float](), list[RoundResult](), list[RoundResult]()
    yardstick_spent = list[dict[str, float]]()
    loop_per_s = list[float]()
    for _ in range(setup.size.rounds):
        sent, spent = await yardstick.send(setup.requests(setup.shares(scans, setup.by_size)))
        yardstick_per_s.append(sent.per_s)
        yardstick_spent.append(spent)
        with setup.relay_paused():
            callback_rounds.append(await setup.send(setup.shares(scans, setup.by_size)))
        await setup.settled()
        looped = await setup.send(setup.shares(scans, setup.by_size), window=WINDOW)
        loop_rounds.append(looped)
        await setup.settled()
        loop_per_s.append(_loop_rate(setup, looped))
    callbacks_per_s = [one.sent.per_s for one in callback_rounds]
    callback_ratios, loop_ratios = _ratios(callbacks_per_s, yardstick_per_s), _ratios(loop_per_s, yardstick_per_s)
    return {
        "yardstick_per_s": yardstick_per_s,
        "callback_per_s": callbacks_per_s,
        "loop_per_s": loop_per_s,
        "callback_ratio": middle(callback_ratios),
        "callback_ratios": [round(ratio, 3) for ratio in callback_ratios],
        "loop_ratio": middle(loop_ratios),
        "loop_ratios": [round(ratio, 3) for ratio in loop_ratios],
        "callback_ms": {"p50": middle([one.sent.percentile_ms(0.5) for one in callback_rounds]),
                        "p99": middle([one.sent.percentile_ms(0.99) for one in callback_rounds])},
        "yardstick_us": mean_us(yardstick_spent, scans),
        "callback_us": mean_us([one.spent_s for one in callback_rounds], scans),
        "loop_us": mean_us([one.spent_s for one in loop_rounds], scans),
        "connections": 64, "scans_per_round": scans, "window": WINDOW,
    }  # fmt: skip


def _ratios(rates: list[float], yardstick_rates: list[float]) -> list[float]:
    """Each rate as a part of the yardstick's in the same round."""
    return [rate / yardstick for rate, yardstick in zip(rates, yardstick_rates, strict=True)]


def _loop_rate(setup: BenchSetup, looped: RoundResult) -> float:
    """Scans a second from the first share sent to the last acknowledgement."""
    delivered, last_s = setup.acknowledgements.delivered(looped.shares[0].index, looped.shares[-1].index)
    return delivered / (last_s - min(looped.sent.due_s)) if delivered else 0.0


async def at_half(setup: BenchSetup, loop_per_s: float) -> Figures:
    """On-share times at half of what the loop sustains, at a constant rate."""
    rate = loop_per_s / 2
    result = await setup.send(setup.shares(int(rate * HALF_S), setup.by_size), per_s=rate)
    await setup.settled()
    waits = setup.acknowledgements.waits_s(result.shares[0].index, result.shares[-1].index)
    return {
        "rate_per_s": rate,
        "callback_p50_ms": result.sent.percentile_ms(0.5),
        "callback_p99_ms": result.sent.percentile_ms(0.99),
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
    await setup.send(setup.shares(filled, _in_turn(deep)), window=WINDOW)
    await setup.settled()
    after = _deep_tickets(setup)
    await setup.send(setup.shares(10 * len(shallow), _in_turn(shallow)), window=WINDOW)
    few, many = list[float](), list[float]()
    for _ in range(size.rounds):
        for facilities, costs in ((shallow, few), (deep, many)):
            with setup.relay_paused():
                costs.append((await setup.send(setup.shares(size.deep_round, _in_turn(facilities)))).served_us)
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
    await setup.send(setup.shares(spread[-1], _in_turn(list(range(spread[-1])))), window=WINDOW)
    await setup.settled()
    costs: dict[int, list[float]] = {facilities: [] for facilities in spread}
    for _ in range(setup.size.rounds):
        for facilities in spread:
            order = list(range(facilities))
            Random(f"order:{setup.seed}").shuffle(order)
            with setup.relay_paused():
                result = await setup.send(setup.shares(setup.size.round_scans // 2, _in_turn(order)))
            costs[facilities].append(result.served_us)
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
