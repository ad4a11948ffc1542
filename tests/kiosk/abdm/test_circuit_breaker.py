"""How many attempts may run at once: a budget, a breaker with one probe, and a pace after an outage."""

import asyncio

import pytest

from kiosk.abdm.circuit_breaker import FAILURES_TO_OPEN, RECOVERY_RATE, TICK_S, CircuitBreaker, Flow
from tests.kiosk.abdm.fake_gateway import until

pytestmark = pytest.mark.anyio

PAUSE_S = 0.02
PATIENCE_S = 30


def waiting(breaker: CircuitBreaker, *ranks: tuple[int, int]) -> tuple[list[tuple[int, int]], list[asyncio.Task[None]]]:
    """Tasks that want to enter, and the list of those that did, in order."""
    entered: list[tuple[int, int]] = []

    async def wait(rank: tuple[int, int]) -> None:
        await breaker.enter(rank)
        entered.append(rank)

    return entered, [asyncio.create_task(wait(rank)) for rank in ranks]


async def stopped(breaker: CircuitBreaker) -> None:
    """Let attempts fail until the breaker stops."""
    for number in range(FAILURES_TO_OPEN):
        await breaker.enter((0, number))
        breaker.leave(well=False)


async def cancelled(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_attempts_within_the_budget_start_at_once_and_others_wait() -> None:
    breaker = CircuitBreaker(3)
    entered, tasks = waiting(breaker, *((0, number) for number in range(5)))
    await asyncio.sleep(0)
    assert len(entered) == 3
    breaker.leave(well=True)
    await asyncio.sleep(0)
    assert len(entered) == 4
    await cancelled(tasks)


async def test_replies_in_time_go_before_late_ones_and_the_oldest_goes_first() -> None:
    breaker = CircuitBreaker(1)
    await breaker.enter((0, 0))
    entered, tasks = waiting(breaker, (1, 1), (0, 9), (0, 5), (1, 0))
    for _ in range(4):
        await asyncio.sleep(0)
        breaker.leave(well=True)
        await asyncio.sleep(0)
    assert entered == [(0, 5), (0, 9), (1, 0), (1, 1)]
    await cancelled(tasks)


async def test_a_cancelled_wait_costs_no_other_reply_its_turn() -> None:
    breaker = CircuitBreaker(1)
    await breaker.enter((0, 0))
    _, quitters = waiting(breaker, (0, 1))
    await asyncio.sleep(0)
    entered, tasks = waiting(breaker, (0, 2))
    await asyncio.sleep(0)
    quitters[0].cancel()
    breaker.leave(well=True)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert entered == [(0, 2)]
    await cancelled([*tasks, *quitters])


async def test_scattered_failures_stop_nothing() -> None:
    breaker = CircuitBreaker()
    for number in range(200):
        await breaker.enter((0, number))
        breaker.leave(well=number % 5 == 0)
    assert breaker.flow is Flow.FREE


async def test_failures_in_a_row_stop_everything_but_one_probe_at_a_time() -> None:
    breaker = CircuitBreaker(pauses_s=[PAUSE_S])
    await stopped(breaker)
    assert breaker.flow is Flow.STOPPED
    entered, tasks = waiting(breaker, *((0, number) for number in range(10)))
    await asyncio.sleep(0)
    assert entered == []
    for probes in (1, 2, 3):
        await until(lambda probes=probes: len(entered) >= probes)  # type: ignore[misc]  # bound in each turn
        await asyncio.sleep(PAUSE_S * 3)  # for what must not happen
        assert entered == [(0, number) for number in range(probes)]
        breaker.leave(well=False)
    await cancelled(tasks)


async def test_after_a_good_probe_replies_go_out_at_a_pace_and_later_freely() -> None:
    breaker = CircuitBreaker(pauses_s=[PAUSE_S])
    await stopped(breaker)
    entered, tasks = waiting(breaker, *((0, number) for number in range(60)))
    await until(lambda: bool(entered))
    breaker.leave(well=True)
    assert breaker.flow is Flow.RECOVERING
    assert len(entered) <= 1 + RECOVERY_RATE * TICK_S * 2, "no storm"
    await asyncio.gather(*tasks)
    assert [rank for _, rank in entered] == list(range(60)), "oldest first"
    await until(lambda: breaker.flow is Flow.FREE)


async def test_an_idle_breaker_that_stopped_probes_with_the_next_reply() -> None:
    breaker = CircuitBreaker(pauses_s=[PAUSE_S])
    await stopped(breaker)
    await asyncio.sleep(PAUSE_S * 3)
    await breaker.enter((0, 1))
    breaker.leave(well=True)
    await asyncio.wait_for(breaker.enter((0, 2)), PATIENCE_S)


async def test_a_probe_without_a_result_leaves_the_breaker_stopped() -> None:
    breaker = CircuitBreaker(pauses_s=[PAUSE_S])
    await stopped(breaker)
    await asyncio.sleep(PAUSE_S * 3)
    await breaker.enter((0, 1))
    breaker.leave(well=None)
    assert breaker.flow is Flow.STOPPED
    await asyncio.wait_for(breaker.enter((0, 2)), PATIENCE_S)
