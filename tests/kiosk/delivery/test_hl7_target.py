"""An HL7 receiver hears who came: A04, then A08 for each change, in order, and again after AE."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import hl7
import pytest

from kiosk.delivery import courier
from kiosk.delivery import role as role_module
from queueing.store.store import Store
from queueing.targets import Target, TargetKind, Targets, new_id
from tests.kiosk.delivery.running import MEENA, reached, role, until
from tests.kiosk.delivery.test_role import visits
from tests.queueing.a_facility import HIP, arrival, build, open_desk

pytestmark = pytest.mark.anyio


class Engine:
    """What the hospital's engine was sent, and what it answers."""

    def __init__(self) -> None:
        self.messages: list[hl7.Message] = []
        self.code = "AA"
        self.port = 0

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        frame = await reader.readuntil(b"\x1c\r")
        message = hl7.parse(frame.strip(b"\x0b\x1c\r").decode() + "\r")
        if self.code == "AA":
            self.messages.append(message)
        writer.write(b"\x0b" + str(message.create_ack(self.code)).encode() + b"\x1c\r")
        await writer.drain()
        writer.close()

    def triggers(self) -> list[str]:
        return [str(message.segment("MSH")[9][0][1]) for message in self.messages]


@asynccontextmanager
async def engine() -> AsyncIterator[Engine]:
    one = Engine()
    server = await asyncio.start_server(one.answer, "127.0.0.1", 0)
    one.port = server.sockets[0].getsockname()[1]
    async with server:
        yield one


async def added(store: Store, port: int, *, allowed: bool) -> Target:
    target = Target(
        id=new_id(TargetKind.HL7), kind=TargetKind.HL7, facility=HIP, address=f"127.0.0.1:{port}",
        wants_profiles=True, profiles_on={HIP: "admin"} if allowed else {},
    )  # fmt: skip
    await Targets(store).add(target)
    return target


async def test_messages_name_the_person_once_an_administrator_allowed_it(store: Store) -> None:
    await build(store)
    async with engine() as quiet, engine() as open_engine:
        await added(store, quiet.port, allowed=False)
        await added(store, open_engine.port, allowed=True)
        async with role(store):
            await visits(store, 1)
            await until(lambda: quiet.triggers() == open_engine.triggers() == ["A04", "A08", "A08"])
    assert MEENA.name in str(open_engine.messages[0].segment("PID"))
    assert not re.search(f"{MEENA.name}|{MEENA.abha_number}|{MEENA.phone}", "".join(map(str, quiet.messages)))


async def test_a_cancelled_visit_and_an_engine_that_was_in_trouble(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(courier, "PACE_MS", (50, 100, 200))
    monkeypatch.setattr(courier, "LAST_PACE_MS", 300)
    monkeypatch.setattr(role_module, "TICK_S", 0.02)
    await build(store)
    desk = open_desk(store)
    async with engine() as one:
        one.code = "AE"
        target = await added(store, one.port, allowed=True)
        async with role(store):
            place = await desk.enqueue(arrival())
            await desk.cancel(HIP, place.ticket, by="clerk")
            state = await reached(store, target, lambda now: bool(now.deliveries))
            assert {(row.result, row.status) for row in state.deliveries} == {("failed", "error")}
            one.code = "AA"
            await until(lambda: one.triggers() == ["A04", "A11"])
