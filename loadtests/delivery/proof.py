"""``python -m loadtests.delivery.proof``: a day with faults, told to four programs, while the delivery role is killed.

2,000 patients come through the simulated gateway, which delivers copies, loses replies and answers with errors
(``loadtests.day``). Meanwhile four programs write down what they hear: webhooks of each facility, one webhook of all
facilities, pull (``GET …/events``), and HL7. The delivery role is killed ten times. For the middle third of the day the
first webhook receiver and the puller are dead. At the end each program must know from its own journal the final state
of every ticket, as the queue itself lists it; each must have heard every event, those of a ticket in their order; and
from HL7 alone must follow who came, as the gateway's ledger has it.

Writes ``reports/delivery-proof.json``; exits with 1 when anything differs. A receiver that comes back is tried again at
the pace of the contract, so the end may be five minutes after the last patient.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import httpx
import msgspec
from msgspec import Struct, json

from loadtests import graceful_run
from loadtests.bench.machine import described
from loadtests.day import MISCHIEF, Day, Hospital, Plan
from loadtests.delivery.pictures import Ticket, TicketKey, brief, differences, picture_of, unlike_ledger, who_came
from loadtests.delivery.setup import PRIVATE, administrator, new_key, new_webhook, waiting
from loadtests.role_trouble import KILLS, Trouble, make_trouble
from loadtests.stack import Stack, fresh_stack

SPEED: Final = 120.0
"""Times faster than the clock: the morning takes four minutes."""
KNOWN_WITHIN_S: Final = 660.0
"""After the day: two pauses of five minutes, which a receiver has earned that was dead for long, and a minute."""
READY_WITHIN_S: Final = 30.0
REPORT: Final = Path("reports/delivery-proof.json")


class Program(Struct):
    """One of the other programs, with its journal; it may be killed and started again."""

    journal: Path
    words: Sequence[str]
    typed: str
    """What it reads from the standard input."""
    port: int = 0
    process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        more = ("--port", str(self.port)) if self.port else ()
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", *self.words, *more, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )
        assert self.process.stdin is not None  # noqa: S101  it was asked for as a pipe; narrows the type
        assert self.process.stdout is not None  # noqa: S101  as above
        self.process.stdin.write(self.typed.encode())
        self.process.stdin.close()
        if "loadtests.delivery.receiver" in self.words:
            async with asyncio.timeout(READY_WITHIN_S):
                self.port = int((await self.process.stdout.readline()).split()[1])

    async def kill(self) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.kill()
            await self.process.wait()


@asynccontextmanager
async def dead(programs: Sequence[Program]) -> AsyncIterator[None]:
    """These programs are dead meanwhile."""
    for program in programs:
        await program.kill()
    yield
    for program in programs:
        await program.start()


async def end_state(stack: Stack, key: str) -> dict[TicketKey, Ticket]:
    """Every ticket as the queue lists it."""
    tickets: dict[TicketKey, Ticket] = {}
    headers = {"authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(base_url=stack.kiosk_url, headers=headers, timeout=30) as client:
        for hip in stack.hips:
            query: dict[str, str] = {}
            while True:
                answer = await client.get(f"/api/v1/facilities/{hip}/tickets", params=query)
                page = json.decode(answer.raise_for_status().content)
                tickets |= {(hip, ticket["id"]): ticket for ticket in page["items"]}
                if not page["next"]:
                    break
                query = {"cursor": page["next"]}
    return tickets


class Programs(Struct):
    """The four programs by name."""

    by_name: dict[str, Program]

    def journal(self, name: str) -> Path:
        return self.by_name[name].journal


@asynccontextmanager
async def listening(stack: Stack, folder: Path, key: str) -> AsyncIterator[Programs]:
    """Start the programs and connect them."""
    async with AsyncExitStack() as ends:

        async def started(name: str, module: str, *more: str, typed: str = "") -> Program:
            journal = folder / f"{name}.journal"
            program = Program(journal, (f"loadtests.delivery.{module}", *more[:1], str(journal), *more[1:]), typed)
            await program.start()
            ends.push_async_callback(program.kill)
            return program

        hl7 = await started("hl7", "receiver", "hl7")
        async with administrator(stack) as admin:
            for hip in stack.hips:
                await admin.add_hl7(hip, f"127.0.0.1:{hl7.port}")
        by_name = {"hl7": hl7}
        for name, facilities in (("webhooks", stack.hips), ("webhook_of_all", ["*"])):
            by_name[name] = await _webhooks(stack, folder / f"{name}.journal", facilities)
            ends.push_async_callback(by_name[name].kill)
        by_name["pull"] = await started("pull", "puller", stack.kiosk_url, *stack.hips, typed=f"{key}\n")
        yield Programs(by_name)


async def _webhooks(stack: Stack, journal: Path, facilities: Sequence[str]) -> Program:
    """A receiver with a webhook for each of these facilities. Its port is known before its secrets are."""
    program = Program(journal, ("loadtests.delivery.receiver", "webhooks", str(journal)), "")
    await program.start()
    for number, facility in enumerate(facilities):
        webhook = await new_webhook(stack, f"http://127.0.0.1:{program.port}/{number}", facility)
        program.typed += f"/{number} {webhook['secret']}\n"
    await program.kill()
    await program.start()
    return program


async def all_known(stack: Stack, programs: Programs) -> float:
    """Wait until nothing waits any more, and each program has heard as much as the puller. Seconds that it took."""
    began = time.monotonic()
    while time.monotonic() - began < KNOWN_WITHIN_S:
        heard = [set(picture_of(programs.journal(name)).events) for name in ("pull", "webhooks", "webhook_of_all")]
        if not await waiting(stack) and heard[0] == heard[1] == heard[2]:
            break
        await asyncio.sleep(2)
    return time.monotonic() - began


async def judged(stack: Stack, programs: Programs, key: str) -> dict[str, Any]:
    """What each program knows, beside what is true."""
    took_s = await all_known(stack, programs)
    queue, ledger = await end_state(stack, key), await stack.simulator.shares()
    report: dict[str, Any] = {"all_known_after_s": round(took_s, 1), "tickets": len(queue)}
    pictures = {name: picture_of(programs.journal(name)) for name in ("pull", "webhooks", "webhook_of_all")}
    every: dict[str, str] = {}
    for picture in pictures.values():
        every |= picture.events
    for name, picture in pictures.items():
        wrong = differences(picture, queue)
        wrong += [
            f"never heard of {kind} {event_id}" for event_id, kind in every.items() if event_id not in picture.events
        ]
        report[name] = {"events": len(picture.events), "lines": picture.deliveries} | brief(wrong)
    came, messages = who_came(programs.journal("hl7"))
    report["hl7"] = {"messages": messages, "came": len(came)} | brief(unlike_ledger(came, ledger))
    settled = sum(bool(share["settled_ms"]) for share in ledger)
    kinds = Counter(every.values())
    acknowledged = kinds["acknowledgement.delivered"]
    report["acknowledgements"] = {"settled": settled, "events": acknowledged} | brief(
        [f"{settled} shares were settled, events tell of {acknowledged}"] if acknowledged < settled else []
    )
    report["kinds"] = dict(sorted(kinds.items()))
    return report


CHECKED: Final = ("pull", "webhooks", "webhook_of_all", "hl7", "acknowledgements")


async def prove(patients: int, seed: int, speed: float) -> dict[str, Any]:
    """One day, and what came of it."""
    with tempfile.TemporaryDirectory(prefix="kiosk-delivery-") as folder:
        async with fresh_stack(seed=seed, facilities=3, counters=3, more=PRIVATE) as stack:
            key = await new_key(stack)
            async with listening(stack, Path(folder), key) as programs:
                await stack.simulator.order(**MISCHIEF)
                hospitals = [msgspec.convert(hospital, Hospital) for hospital in stack.hospitals]
                day, trouble = (
                    Day(Plan(patients=patients, seed=seed, speed=speed), hospitals, stack.simulator, stack.kiosk_url),
                    Trouble(),
                )
                victims = [programs.by_name["webhooks"], programs.by_name["pull"]]
                async with asyncio.TaskGroup() as together:
                    together.create_task(make_trouble(stack, "deliver", dead(victims), patients, trouble))
                    running = together.create_task(day.run(stack.simulator.announced))
                report = await judged(stack, programs, key)
    report |= {"kills": trouble.kills, "away_s": round(trouble.away_s, 1), "day_is_good": running.result()["good"]}
    report["good"] = trouble.kills == KILLS and not any(report[name]["differences"] for name in CHECKED)
    return report


async def run(patients: int, seed: int, speed: float) -> bool:
    head: dict[str, Any] = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": described(),
        "patients": patients,
        "seed": seed,
    }
    report = head | await prove(patients, seed, speed)
    text = json.format(json.encode(report))
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_bytes(text)
    sys.stdout.write(text.decode() + "\n")
    return bool(report["good"])


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m loadtests.delivery.proof")
    parser.add_argument("--patients", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--speed", type=float, default=SPEED, help="times faster than the clock (default %(default)s)")
    args = parser.parse_args()
    sys.exit(0 if graceful_run.run(run(args.patients, args.seed, args.speed)) else 1)


if __name__ == "__main__":
    main()
