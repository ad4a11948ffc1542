"""``python -m loadtests.day``: one morning of a few thousand patients, run fast, and judged by the gateway's ledger.

Phones scan posters, share through the simulated gateway and wait; clerks call patients. The gateway delivers some
shares twice and out of order, refuses a token, fails sometimes and loses replies. At the end four things must be true:
every accepted share has one reply, no two patients have the same number, no patient has two numbers of a queue, and the
kiosk kept to the protocol. Prints a report as one JSON line; exits with 1 when a promise was broken.

Without addresses a kiosk and a gateway are started for the day (``loadtests.stack``).
"""

import argparse
import asyncio
import contextlib
import os
import sys
import time
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import uvloop
from msgspec import Struct, json

from loadtests.reconcile import audit, holes
from loadtests.simulator.gateway.launch import Announced, Simulator
from loadtests.simulator.people.clerks import Clerk, Habits, Seat
from loadtests.simulator.people.invented import Patient, invent
from loadtests.simulator.people.morning import arrivals, scaled
from loadtests.simulator.people.phones import GatewayRefused, Phones, Received
from loadtests.stack import fresh_stack

PHONES_AT_ONCE = 256
"""Phones that wait at the same time when the day runs at full speed."""
BUSY = "ABDM-1024"
RESCANS_WHEN_BUSY = 20
SETTLE_S = 35
"""Thirty seconds for the last share, and some more to write it to the ledger."""
MISCHIEF: dict[str, Any] = {
    "endpoints": {
        "on_share": {
            "unauthorised_once": 1,
            "broken_rate": 0.02,
            "busy_rate": 0.01,
            "lost_rate": 0.02,
            "reset_rate": 0.01,
        }
    },
    "deliveries": {"copies": [1, 3], "copy_delay_ms": 3000, "reorder_ms": 300},
}


class Hospital(Struct, frozen=True, kw_only=True):
    """One hospital of the day."""

    hip_id: str
    counters: tuple[str, ...]
    """The text in the QR code of each counter."""
    clerks: tuple[Seat, ...] = ()


class Plan(Struct, frozen=True, kw_only=True):
    """The parameters of the day."""

    patients: int
    seed: int
    speed: float
    """How many times faster than real time; 0: as fast as possible."""
    rescans: float = 0.1
    """The part of the patients who scan again right after they got a number."""
    run: str | None = None


class Day:
    """One run of a day."""

    def __init__(self, plan: Plan, hospitals: list[Hospital], simulator: Simulator, kiosk_url: str) -> None:
        self.plan, self.hospitals, self.simulator, self.kiosk_url = plan, hospitals, simulator, kiosk_url
        self.draw = Random(f"day:{plan.seed}")
        self.counts: Counter[str] = Counter()
        self.refusals: Counter[str] = Counter()
        self.changed: list[str] = []
        """Second scans that brought another number, by request id."""
        self.clerks: list[tuple[str, Clerk]] = []
        self._all_came = False

    async def run(self, announced: Announced) -> dict[str, Any]:
        """Run the whole day. Returns its report."""
        began = time.perf_counter()
        app = Phones(
            announced.url,
            app_id=announced.app_id,
            secret=announced.app_secret,
            cm_id=announced.cm_id,
            run=self.plan.run,
        )
        async with contextlib.AsyncExitStack() as offices, app as phones:
            seats = [(hospital, seat) for hospital in self.hospitals for seat in hospital.clerks]
            for hospital, seat in seats:
                clerk = await offices.enter_async_context(Clerk.signed_in(self.kiosk_url, seat.login, seat.password))
                self.clerks.append((hospital.hip_id, clerk))
            async with asyncio.TaskGroup() as together:
                for (_, clerk), (_, seat) in zip(self.clerks, seats, strict=True):
                    together.create_task(
                        clerk.work(
                            seat.counter, seed=self.plan.seed, over=lambda: self._all_came, habits=self._habits()
                        )
                    )
                await self._patients(phones)
                scanned_s = time.perf_counter() - began
                await self._settled()
                self._all_came = True
            return await self._report(phones, scanned_s)

    def _habits(self) -> Habits:
        return Habits(pace_s=0.01, idle_s=0.1) if not self.plan.speed else Habits(pace_s=120 / self.plan.speed)

    async def _patients(self, phones: Phones) -> None:
        """Let all patients come in the order of a morning and, if a speed is set, at its pace."""
        arrival_times = scaled(arrivals(self.plan.seed, self.plan.patients), self.plan.speed or 1)
        free_phones = asyncio.Semaphore(PHONES_AT_ONCE if not self.plan.speed else 10_000)
        began = time.perf_counter()
        async with asyncio.TaskGroup() as crowd:
            for index, moment in enumerate(arrival_times):
                if self.plan.speed:
                    await asyncio.sleep(max(0, began + moment - time.perf_counter()))
                await free_phones.acquire()
                hospital = self.draw.choice(self.hospitals)
                visit = self._visit(phones, index, hospital, self.draw.choice(hospital.counters), self.draw.random())
                crowd.create_task(visit).add_done_callback(lambda _: free_phones.release())

    async def _visit(self, phones: Phones, index: int, hospital: Hospital, counter: str, chance: float) -> None:
        patient = invent(self.plan.seed, index)
        first = await self._scan(phones, patient, hospital.hip_id, counter)
        if first.token and chance < self.plan.rescans:
            self.counts["rescans"] += 1
            again = await self._scan(phones, patient, hospital.hip_id, counter)
            if again.token == first.token and again.expires_s > first.expires_s:
                self.changed.append(f"{again.request_id}: expiry rose on a second scan")

    async def _scan(self, phones: Phones, patient: Patient, hip_id: str, counter: str) -> Received:
        """One scan. If the facility is busy, scan again, as people do."""
        for wait in range(RESCANS_WHEN_BUSY):
            self.counts["scans"] += 1
            try:
                received = await phones.scan(patient, hip_id, counter)
            except GatewayRefused:
                self.counts["refused_by_gateway"] += 1
                return Received(request_id="")
            if received.error != BUSY:
                break
            self.counts["busy"] += 1
            await asyncio.sleep(0.5 + 0.25 * wait)
        self.counts["token" if received.token else "refused" if received.error else "silence"] += 1
        if received.error:
            self.refusals[f"{received.error} {received.words}"] += 1
        return received

    async def _settled(self) -> None:
        """Wait until no share is in progress."""
        deadline = time.monotonic() + SETTLE_S
        while (await self.simulator.summary())["pending"] and time.monotonic() < deadline:  # noqa: ASYNC110  another process
            await asyncio.sleep(0.25)

    async def _report(self, phones: Phones, scanned_s: float) -> dict[str, Any]:
        await asyncio.sleep(MISCHIEF["deliveries"]["copy_delay_ms"] / 1000)
        summary, rows, faults = await asyncio.gather(
            self.simulator.summary(), self.simulator.shares(), self.simulator.faults()
        )
        called = {(hip, token) for hip, clerk in self.clerks for token in clerk.called}
        findings = audit(rows, called=called)
        broken = self._broken(summary, faults)
        return {
            "good": findings.good and not broken, "broken": broken, "findings": msgspec.to_builtins(findings),
            "holes": dict(holes(rows)), "plan": msgspec.to_builtins(self.plan), "run": phones.run,
            "scanned_in_s": round(scanned_s, 2), "scans_per_s": round(self.counts["scans"] / scanned_s, 1),
            "scans": dict(self.counts), "refusals": dict(self.refusals), "strays": phones.strays, "gateway": summary,
            "mischief": faults["done"], "protocol_faults": faults["protocol_faults"][:20], "called": len(called),
            "clerks": dict(sum((clerk.outcomes for _, clerk in self.clerks), Counter[str]())),
        }  # fmt: skip

    def _broken(self, summary: dict[str, Any], faults: dict[str, Any]) -> list[str]:
        """Broken promises that the rows of the ledger do not show."""
        broken = list(self.changed)
        broken += [f"{faults['protocol_faults_total']} faults of the protocol"] * bool(faults["protocol_faults_total"])
        broken += [f"{summary['unknown']} answers to nothing"] * bool(summary["unknown"])
        broken += [f"{summary['late']} answers came late"] * bool(summary["late"])
        lost = self.plan.patients - summary["tokens"]
        return broken + [f"at least {lost} patients got no number"] * (lost > 0)


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m loadtests.day", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--patients", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--speed", default="fast", help="'fast', or how many times faster than real time")
    parser.add_argument("--facilities", type=int, default=3, help="facilities of the new kiosk (default %(default)s)")
    parser.add_argument("--counters", type=int, default=3, help="counters of each (default %(default)s)")
    parser.add_argument("--bridge", help="a running kiosk; without it one is started for the day")
    parser.add_argument("--gateway", help="a running simulator, whose bridge is that kiosk")
    parser.add_argument("--hospitals", help="file: [{hip_id, counters, clerks: [{login, password, counter}]}]")
    parser.add_argument("--app-id", default="PHR_SIMULATED", help="its secret: SIMULATOR_APP_SECRET")
    parser.add_argument("--run", help="name of the run: request ids follow from it (default: a new one)")
    parser.add_argument("--no-mischief", action="store_true", help="a gateway that does nothing wrong")
    args = parser.parse_args(argv)
    if len({bool(args.bridge), bool(args.gateway), bool(args.hospitals)}) > 1:
        parser.error("--bridge, --gateway and --hospitals belong together")
    return args


async def _run(args: argparse.Namespace) -> dict[str, Any]:
    speed = 0.0 if args.speed == "fast" else float(args.speed)
    plan = Plan(patients=args.patients, seed=args.seed, speed=speed, run=args.run)
    if not args.bridge:
        async with fresh_stack(seed=args.seed, facilities=args.facilities, counters=args.counters) as stack:
            hospitals = [msgspec.convert(hospital, Hospital) for hospital in stack.hospitals]
            return await _one_day(plan, hospitals, stack.simulator, stack.kiosk_url, args)
    hospitals = json.decode(Path(args.hospitals).read_bytes(), type=list[Hospital])
    secret = os.environ.get("SIMULATOR_APP_SECRET", "")
    announced = Announced(url=args.gateway.rstrip("/"), app_id=args.app_id, app_secret=secret)
    async with Simulator.at(announced) as simulator:
        return await _one_day(plan, hospitals, simulator, args.bridge.rstrip("/"), args)


async def _one_day(
    plan: Plan, hospitals: list[Hospital], simulator: Simulator, kiosk_url: str, args: argparse.Namespace
) -> dict[str, Any]:
    if not args.no_mischief:
        await simulator.order(**MISCHIEF)
    return await Day(plan, hospitals, simulator, kiosk_url).run(simulator.announced)


def main() -> None:
    """The command."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        report = runner.run(_run(_arguments(sys.argv[1:])))
    sys.stdout.write(json.encode(report).decode() + "\n")
    sys.exit(0 if report["good"] else 1)


if __name__ == "__main__":
    main()
