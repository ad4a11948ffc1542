"""The cases of ``loadtests.delivery.load``: how soon events arrive, what dead webhooks cost, how quick the API is."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from itertools import cycle
from random import Random
from typing import Final

import httpx
import msgspec
from msgspec import Struct

from loadtests.bench.machine import cpu_s, tree, words
from loadtests.bench.setup import BenchSetup, Figures, RoundResult, Size, middle, prepared
from loadtests.delivery.api_client import ApiClient, BuildRequest
from loadtests.delivery.setup import PRIVATE, add_half_dead, new_key, new_webhook
from loadtests.delivery.webhook_receivers import Deliveries, Receivers, running_receivers
from loadtests.simulator.people.share_client import percentile

ARRIVE_PER_S, ARRIVE_WEBHOOKS = 200.0, 10
DEAD_PER_S: Final = 200.0
API_PER_S, API_SCANS_PER_S = 500.0, 100.0
POLL_EACH_S, POLLERS, POLLED_SCANS_PER_S = 30.0, 1_000, 5.0
HOSPITALS: Final = 100
"""Of the API's case. Each begins with a hundred people of the day, and gets one more each second."""
ALL_DELIVERED_WITHIN_S: Final = 60.0
KINDS: Final = ("queues", "tickets", "tickets_with_etag", "one_ticket", "events")


class Length(Struct, frozen=True, kw_only=True):
    """How long things last: in a whole run, and in a quick one that only looks for faults."""

    arrive_s: float
    webhooks: int
    rounds: int
    """Pairs of rounds of the dead webhooks' case, short so that both of a pair meet the same moment of the machine."""
    round_s: float
    api_s: float
    before: int
    """People that each hospital of the API's case has before it begins."""
    poll_s: float
    quiet_s: float
    """Without scans, to see what dead webhooks cost by themselves."""


WHOLE: Final = Length(arrive_s=30, webhooks=1_000, rounds=16, round_s=4, api_s=30, before=100, poll_s=60, quiet_s=60)
QUICK: Final = Length(arrive_s=10, webhooks=200, rounds=4, round_s=3, api_s=10, before=30, poll_s=31, quiet_s=10)


def _size(facilities: int) -> Size:
    return Size(
        rounds=0, round_scans=0, facilities=facilities, deep_facilities=0, deep_from=0, deep_round=0, spread=(),
        listeners=(), calls=0,
    )  # fmt: skip


@asynccontextmanager
async def _kiosk(facilities: int, seed: int) -> AsyncIterator[BenchSetup]:
    """A kiosk whose parts have all worked once."""
    async with prepared(_size(facilities), seed=seed, more=PRIVATE) as setup:
        await _scan(setup, 100.0, 3.0)
        await setup.settled()
        yield setup


async def _scan(setup: BenchSetup, per_s: float, seconds: float) -> RoundResult:
    """Scans at a steady rate, in each facility in turn."""
    turn = cycle(range(len(setup.stack.hips)))
    return await setup.send(setup.shares(int(per_s * seconds), lambda: next(turn)), per_s=per_s)


def _deliver_s(setup: BenchSetup) -> float:
    """Processor seconds of the delivery role."""
    return sum(cpu_s(pid) for pid in tree(setup.stack.pid) if " kiosk deliver" in words(pid))


@contextmanager
def _spent(setup: BenchSetup) -> Iterator[dict[str, float]]:
    """Processor seconds of each part, the delivery role among them; filled at the end of the context."""
    before = _deliver_s(setup)
    with setup.parts.spent() as taken:
        yield taken
    taken["deliver"] = _deliver_s(setup) - before


async def _wait_for_deliveries(deliveries: Deliveries, wanted: int) -> None:
    deadline = time.monotonic() + ALL_DELIVERED_WITHIN_S
    while len(deliveries.created_s) < wanted and time.monotonic() < deadline:  # noqa: ASYNC110  another process
        await asyncio.sleep(0.1)


def _milliseconds(seconds: Sequence[float]) -> dict[str, float]:
    return {name: round(percentile(seconds, part) * 1000, 1) for name, part in (("p50", 0.5), ("p99", 0.99))}


async def arrive(length: Length, seed: int) -> Figures:
    """(a) 200 scans a second, ten webhooks: one for each of ten facilities, then ten that each hear everything."""
    figures: Figures = {}
    for name, facilities in (("one_each", None), ("all_hear_all", ["*"] * ARRIVE_WEBHOOKS)):
        async with _kiosk(ARRIVE_WEBHOOKS, seed) as setup, running_receivers() as receivers:
            for number, facility in enumerate(facilities or setup.stack.hips):
                await new_webhook(setup.stack, f"{receivers.urls.base}/{number}", facility)
            figures[name] = await _arrived(setup, receivers, length, 1 if facilities is None else ARRIVE_WEBHOOKS)
    return figures


async def _arrived(setup: BenchSetup, receivers: Receivers, length: Length, copies: int) -> Figures:
    await asyncio.sleep(2)  # the role takes new webhooks within a second
    await _scan(setup, 50.0, 2.0)
    await asyncio.sleep(3)
    receivers.deliveries.created_s.clear()
    receivers.deliveries.others = 0
    with _spent(setup) as spent:
        result = await _scan(setup, ARRIVE_PER_S, length.arrive_s)
        wanted = len(result.shares) * copies
        await _wait_for_deliveries(receivers.deliveries, wanted)
    await setup.settled()
    waits = list(receivers.deliveries.created_s.values())
    return {
        "delivered_ms": _milliseconds(waits), "longest_ms": round(max(waits, default=0) * 1000),
        "missing": wanted - len(waits), "again": receivers.deliveries.again,
        "deliveries_per_s": round((len(waits) + receivers.deliveries.others) / length.arrive_s),
        "callback_p99_ms": round(result.sent.percentile_ms(0.99), 1),
        "deliver_core": round(spent["deliver"] / length.arrive_s, 2),
    }  # fmt: skip


async def dead(length: Length, seed: int) -> Figures:
    """(b) Two kiosks with as many facilities; one has a webhook at each, of which half are dead. Short rounds of scans
    go to each in turn, and every second pair begins with the other one. The ratios are medians of the pairs.
    """
    count = length.webhooks
    async with running_receivers() as receivers, _kiosk(count, seed) as without, _kiosk(count, seed + 1) as with_them:
        await add_half_dead(with_them.stack, receivers.urls)
        pair = (("without", without), ("with", with_them))
        rounds: dict[str, list[dict[str, float]]] = {"without": [], "with": []}
        wanted, before = 0, receivers.deliveries.all
        with _spent(with_them) as spent:
            for turn in range(length.rounds):
                for name, setup in pair if turn % 2 == 0 else reversed(pair):
                    figures, result = await _dead_round(setup, length.round_s)
                    rounds[name].append(figures)
                    wanted += sum(share.facility % 2 == 0 for share in result.shares if name == "with")
            await _wait_for_deliveries(receivers.deliveries, wanted)
        waits = list(receivers.deliveries.created_s.values())
        delivered = receivers.deliveries.all - before
        with _spent(with_them) as quiet:
            await asyncio.sleep(length.quiet_s)
    return {
        "webhooks": count, "scans_per_s": DEAD_PER_S, "rounds": rounds,
        "middle": {name: {key: middle([one[key] for one in each]) for key in each[0]} for name, each in rounds.items()},
        "on_share_ratio": _middle_ratio(rounds, "on_share_p99_ms"),
        "callback_ratio": _middle_ratio(rounds, "callback_p99_ms"),
        "deliver_us_a_delivery": round(spent["deliver"] / max(1, delivered) * 1e6),
        "deliver_ms_a_quiet_minute_of_a_webhook": round(quiet["deliver"] / length.quiet_s * 60_000 / count, 2),
        "living": _milliseconds(waits) | {"events": len(waits), "missing": wanted - len(waits)},
    }  # fmt: skip


def _middle_ratio(rounds: dict[str, list[dict[str, float]]], key: str) -> float:
    """With webhooks ÷ without, the median of the pairs."""
    pairs = zip(rounds["without"], rounds["with"], strict=True)
    return middle([theirs[key] / max(mine[key], 0.001) for mine, theirs in pairs])


async def _dead_round(setup: BenchSetup, seconds: float) -> tuple[dict[str, float], RoundResult]:
    with _spent(setup) as spent:
        result = await _scan(setup, DEAD_PER_S, seconds)
        await setup.settled()
    waits = setup.acknowledgements.waits_s(result.shares[0].index, result.shares[-1].index)
    figures = {
        "on_share_p99_ms": percentile(waits, 0.99) * 1000, "callback_p99_ms": result.sent.percentile_ms(0.99),
        "on_share_p50_ms": percentile(waits, 0.5) * 1000, "callback_p50_ms": result.sent.percentile_ms(0.5),
    }  # fmt: skip
    cores = {f"{part}_core": round(spent[part] / seconds, 4) for part in ("web", "store", "relay", "deliver")}
    return figures | cores, result


async def api(length: Length, seed: int) -> Figures:
    """(c) 500 requests a second beside 100 scans a second."""
    async with _kiosk(HOSPITALS, seed) as setup:
        key = await new_key(setup.stack)
        await _scan(setup, 400.0, HOSPITALS * length.before / 400.0)
        await setup.settled()
        async with ApiClient(setup.stack.kiosk_url, key) as client:
            build = _mix(client, setup.stack.hips, await _first_tickets(setup, key), seed)
            requests = client.requests(int(API_PER_S * length.api_s), build)
            with _spent(setup) as spent:
                calls, result = await asyncio.gather(
                    client.send_at_rate(requests, API_PER_S), _scan(setup, API_SCANS_PER_S, length.api_s)
                )
        await setup.settled()
        took: dict[str, list[float]] = {kind: [] for kind in KINDS}
        for place, seconds in enumerate(calls.took_s):
            took[KINDS[place % len(KINDS)]].append(seconds)
        return {
            "api_ms": _milliseconds(calls.took_s),
            "by_kind_ms": {kind: _milliseconds(one) for kind, one in took.items()},
            "statuses": calls.statuses, "callback_p99_ms": round(result.sent.percentile_ms(0.99), 1),
            "cores": {part: round(one / length.api_s, 2) for part, one in spent.items()},
        }  # fmt: skip


def _mix(client: ApiClient, hips: Sequence[str], tickets: dict[str, str], seed: int) -> BuildRequest:
    """The kinds in turn, each of a drawn hospital; a list is asked for with the ETag of its last answer."""
    draw, last = Random(f"api:{seed}"), dict[str, int]()

    def build(place: int) -> bytes:
        hip, kind = draw.choice(hips), KINDS[place % len(KINDS)]
        base = f"/facilities/{hip}"
        if kind == "one_ticket":
            return client.get(f"{base}/tickets/{tickets[hip]}")
        if kind == "events":
            return client.get(f"{base}/events?after=latest&limit=100")
        if kind == "queues":
            return client.get(f"{base}/queues")
        tag = client.tags.get(last.get(hip, -1), "") if kind == "tickets_with_etag" else ""
        last[hip] = place
        return client.get(f"{base}/tickets", tag)

    return build


async def _first_tickets(setup: BenchSetup, key: str) -> dict[str, str]:
    """A ticket of each hospital."""
    found: dict[str, str] = {}
    headers = {"authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(base_url=setup.stack.kiosk_url, headers=headers, timeout=30) as client:
        for hip in setup.stack.hips:
            answer = await client.get(f"/api/v1/facilities/{hip}/tickets", params={"limit": 1})
            found[hip] = msgspec.json.decode(answer.raise_for_status().content)["items"][0]["id"]
    return found


async def pollers(length: Length, seed: int) -> Figures:
    """(d) A thousand programs that ask for the tickets of their facility each half minute, with the ETag they have."""
    per_s = POLLERS / POLL_EACH_S
    async with _kiosk(POLLERS, seed) as setup:
        key = await new_key(setup.stack)
        async with ApiClient(setup.stack.kiosk_url, key, connections=8) as client:
            hips = setup.stack.hips

            def build(place: int) -> bytes:
                tag = client.tags.pop(place - POLLERS, "")
                return client.get(f"/facilities/{hips[place % POLLERS]}/tickets", tag)

            async def polled(seconds: float) -> dict[int, int]:
                calls = await client.send_at_rate(client.requests(int(per_s * seconds), build), per_s)
                return calls.statuses

            spent: dict[str, dict[str, float]] = {}
            statuses: dict[int, int] = {}
            for name in ("without", "with"):
                with setup.parts.spent() as taken:
                    scanning = asyncio.create_task(_scan(setup, POLLED_SCANS_PER_S, length.poll_s))
                    if name == "with":
                        statuses = await polled(length.poll_s)
                    await scanning
                spent[name] = taken
        await setup.settled()
        more_s = spent["with"]["web"] - spent["without"]["web"]
        return {
            "polls_per_s": round(per_s, 1), "scans_per_s": POLLED_SCANS_PER_S, "statuses": statuses,
            "web_core": {name: round(one["web"] / length.poll_s, 4) for name, one in spent.items()},
            "store_core": {name: round(one["store"] / length.poll_s, 4) for name, one in spent.items()},
            "web_us_a_poll": round(more_s / max(1, sum(statuses.values())) * 1e6),
        }  # fmt: skip


CASES: Final = {"arrive": arrive, "dead": dead, "api": api, "pollers": pollers}
