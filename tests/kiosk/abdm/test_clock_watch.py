"""A process compares its clock with the store's and the gateway's, and logs which one is wrong."""

import asyncio
import time
from types import SimpleNamespace

import pytest
from structlog.testing import capture_logs

from kiosk.abdm import connection, connection_watch
from kiosk.abdm.connection_watch import ConnectionWatch
from kiosk.observability import clocks
from queueing.store.store import Store
from tests.kiosk.abdm.fake_gateway import until

pytestmark = pytest.mark.anyio


@pytest.fixture
def off_s(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """How far this process's clock is ahead; a test changes it."""
    off = {"s": 0.0}
    moved = SimpleNamespace(time=lambda: time.time() + off["s"], monotonic=time.monotonic)
    monkeypatch.setattr(connection_watch, "time", moved)
    monkeypatch.setattr(connection_watch, "CLOCKS_EVERY_S", 0.01)
    monkeypatch.setattr(connection_watch, "is_synchronized", lambda: False)
    return off


async def test_a_wrong_clock_is_logged_once_until_it_moves_again_or_is_right(
    store: Store, off_s: dict[str, float]
) -> None:
    watch = ConnectionWatch(store, "web-1", None, store_place="10.0.0.5:6379")
    with capture_logs() as lines:
        watching = asyncio.create_task(watch.watch_clocks())
        for ahead_s in (10 * 365 * 86_400.0, 40.0):
            seen, off_s["s"] = len(lines), ahead_s
            await until(lambda seen=seen: len(lines) > seen)  # type: ignore[misc]  # the default is the value at hand
            assert watch.clock_is_wrong
        off_s["s"] = 0.0
        await until(lambda: not watch.clock_is_wrong)
        watching.cancel()
    assert [line["event"] for line in lines] == ["clock_wrong", "clock_wrong", "clocks_agree"]
    assert "10 years apart" in lines[0]["reason"]
    assert "40 s apart" in lines[1]["reason"]


async def test_administrators_read_it_with_abdm_switched_off_too(store: Store, off_s: dict[str, float]) -> None:
    watch = ConnectionWatch(store, "web-1", None)
    row = (await watch.report())[-1]
    assert (row.what, row.verdict) == ("clock", "ok")
    off_s["s"] = 3 * 86_400.0
    row = (await watch.report())[-1]
    assert (row.what, row.verdict, "3 days apart" in row.words) == ("clock", "wrong", True)
    assert "sudo chronyc makestep" in row.todo


async def test_only_processes_of_this_machine_tell_its_clock_from_the_gateways() -> None:
    here, now_s = clocks.this_start(), time.time() - clocks.running_s()
    own = connection.Facts(written_s=1, start=here, gateway_clock_s=now_s)
    other = connection.Facts(written_s=2, start="another machine", gateway_clock_s=now_s - 500)
    silent = connection.Facts(written_s=3, start=here)
    found = connection.merged([own, other, silent]).gateway_s
    assert found is not None
    assert abs(found - time.time()) < 60
    assert connection.merged([other, silent]).gateway_s is None
