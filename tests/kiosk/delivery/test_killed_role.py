"""The real program ``kiosk deliver``, killed again and again while patients come: no event is lost or out of order."""

import os
import signal
import subprocess
import sys
import time
import zlib
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from msgspec import structs

from kiosk.security.encryption import LastingSeal
from kiosk.security.keyring_file import KeysOnDisk
from queueing.store.store import Store
from queueing.targets import Targets
from tests.kiosk.delivery.receiver import Received, Receiver, receiving
from tests.kiosk.delivery.running import SECRET, until, webhook
from tests.queueing.a_facility import HIP, arrival, build, open_desk

pytestmark = pytest.mark.anyio

KILLS = 10
VISITS = 30
"""Between two kills: 90 events, of which many are on their way when the role dies."""
BEFORE_KILL = 20
"""Events that a role delivers before it is killed."""
START_S = 30.0
"""A start of the program takes seconds on a busy machine."""
WHOLE = ["ticket.created", "ticket.called", "ticket.done"]


@contextmanager
def deliver(environ: dict[str, str]) -> Iterator["subprocess.Popen[bytes]"]:
    command = [sys.executable, "-m", "kiosk", "deliver"]
    process = subprocess.Popen(command, env=environ, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def environment(valkey_url: str, data_dir: Path) -> dict[str, str]:
    plain = {name: text for name, text in os.environ.items() if not name.startswith("KIOSK_")}
    decided = {"KIOSK_REDIS_URL": valkey_url, "KIOSK_DATA_DIR": str(data_dir), "KIOSK_PRIVATE_TARGETS": "true"}
    return plain | decided


def refuse_some_once(one: Received, refused: set[str]) -> tuple[int, bytes]:
    """Each tenth event is refused when it comes first; every answer takes 5 ms."""
    time.sleep(0.005)
    if zlib.crc32(one.id.encode()) % 10 == 0 and one.id not in refused:
        refused.add(one.id)
        return 503, b"later"
    return 200, b"taken"


def has_taken(receiver: Receiver, count: int) -> bool:
    return len(receiver.taken) >= count


@pytest.mark.proof
async def test_a_role_that_is_killed_ten_times_loses_no_event_and_keeps_the_order_of_each_ticket(
    store: Store, valkey_url: str, tmp_path: Path
) -> None:
    await build(store)
    desk, data_dir = open_desk(store), tmp_path / "data"
    environ, refused, tickets = environment(valkey_url, data_dir), set[str](), list[str]()
    data_dir.mkdir(mode=0o700)
    seal = LastingSeal(KeysOnDisk(data_dir).load_or_create(int(time.time())).target_secret_key())
    with receiving() as receiver:
        receiver.answer = lambda one: refuse_some_once(one, refused)
        await desk.enqueue(arrival())  # the log has begun: this role has no archive to ask for what was before
        target = webhook(receiver.url)
        await Targets(store).add(structs.replace(target, secret=seal.close(target.id, SECRET.encode())))
        for _ in range(KILLS):
            with deliver(environ) as process:
                before = len(receiver.taken)
                for _ in range(VISITS):
                    tickets.append((await desk.enqueue(arrival())).ticket)
                    await desk.call_this(HIP, "M1", tickets[-1], by="anna")
                    await desk.finish(HIP, tickets[-1], by="anna")
                await until(partial(has_taken, receiver, before + BEFORE_KILL), START_S)
                process.send_signal(signal.SIGKILL)
                process.wait(10)
        assert len(receiver.ids()) < len(tickets) * len(WHOLE), "the last kill came after the last event"
        with deliver(environ):
            await until(lambda: len(receiver.ids()) == len(tickets) * len(WHOLE), 2 * START_S)
        receiver.verify_all(SECRET)
    assert refused, "no event was refused"
    types: dict[str, list[str]] = defaultdict(list)
    for event in {one.id: one.event for one in reversed(receiver.taken)}.values():
        types[event["data"]["ticket"]["id"]].insert(0, event["type"])
    assert types == dict.fromkeys(tickets, WHOLE)
