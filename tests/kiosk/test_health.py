"""Readiness says why not, in words; and nobody's silence is taken for health."""

import asyncio
import shutil
import time
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import msgspec
import pytest
from msgspec.structs import replace

from kiosk import health
from kiosk.abdm import connection_watch
from kiosk.app import create_app
from kiosk.observability.metrics import Facts
from kiosk.services.web import Services, web_services
from kiosk.settings import load
from queueing.embedded.server import EmbeddedValkey
from queueing.store.store import open_store

pytestmark = pytest.mark.anyio


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[EmbeddedValkey]:
    """A store of this test's own, to be taken away."""
    async with EmbeddedValkey(tmp_path / "data") as running:
        yield running


@pytest.fixture
async def services(server: EmbeddedValkey) -> AsyncIterator[Services]:
    async with web_services(load({"KIOSK_DATA_DIR": str(server.folder)})) as opened:
        yield opened


def reasons(found: health.Readiness) -> dict[str, bool]:
    return {reason.what: reason.fatal for reason in found.reasons}


async def test_a_healthy_worker_is_ready_and_names_its_promise(services: Services) -> None:
    found = (await health.look(services)).readiness
    assert (found.ready, found.promise, found.reasons) == (True, "disk", ())


async def test_a_store_that_is_away_makes_the_worker_not_ready_but_healthy(server: EmbeddedValkey) -> None:
    app = create_app(load({"KIOSK_DATA_DIR": str(server.folder)}))
    async with app.lifespan():
        server.stop()
        transport = httpx.ASGITransport(app=app)  # type: ignore[arg-type]  # both mean ASGI, by other names
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as operator:
            answer = await operator.get("/readyz")
            assert answer.status_code == 503
            body = answer.json()
            assert (body["ready"], body["promise"], body["reasons"][0]["what"]) == (False, "none", "store")
            assert (await operator.get("/healthz")).status_code == 200
            metrics = await operator.get("/metrics")
            assert metrics.status_code == 200
            assert "kiosk_store_up 0.0" in metrics.text


async def test_that_every_callback_was_refused_is_a_warning_with_the_next_step(server: EmbeddedValkey) -> None:
    environ = {
        "KIOSK_DATA_DIR": str(server.folder),
        "KIOSK_GATEWAY_URL": "http://127.0.0.1:9",
        "KIOSK_GATEWAY_CLIENT_ID": "SBX_1",
        "KIOSK_GATEWAY_CLIENT_SECRET": "s",
    }
    async with web_services(load(environ)) as services:
        services.callers.refuse("iss", time.time())
        [reason] = [one for one in (await health.look(services)).readiness.reasons if one.what == "callbacks"]
        assert not reason.fatal
        assert "KIOSK_GATEWAY_ISSUER" in reason.words
        services.callers.accepted_s = time.time()
        assert "callbacks" not in reasons((await health.look(services)).readiness)


async def test_a_store_without_durability_makes_the_worker_not_ready(
    services: Services, server: EmbeddedValkey
) -> None:
    other = await open_store(server.operator_url)
    await other.call("x", "CONFIG", "SET", "appendfsync", "everysec")
    await other.call("x", "CLIENT", "KILL", "TYPE", "normal")  # a promise is read anew at each connection
    await other.close()
    async with asyncio.timeout(30):
        while "promise" not in reasons(found := (await health.look(services)).readiness):  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.05)
    assert not found.ready
    assert found.promise == "none"


async def test_a_store_that_evicts_is_a_reason_that_names_the_setting(
    services: Services, server: EmbeddedValkey
) -> None:
    operator = await open_store(server.operator_url)
    client = operator.client()
    await client.config_set("maxmemory-policy", "volatile-ttl")
    found = (await health.look(services)).readiness
    assert not found.ready
    assert any("set maxmemory-policy noeviction" in reason.words for reason in found.reasons), found.reasons
    await client.config_set("maxmemory-policy", "noeviction")
    async with asyncio.timeout(30):
        while not (await health.look(services)).readiness.ready:  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.05)
    await operator.close()


async def test_a_disk_that_is_almost_full_is_a_reason(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    free = shutil.disk_usage(services.settings.data_dir).free
    monkeypatch.setattr(health, "DISK_ROOM_BYTES", free * 2)
    assert reasons((await health.look(services)).readiness) == {"disk": True}


async def test_clocks_that_differ_are_a_reason(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_watch, "time", SimpleNamespace(time=lambda: 1e9, monotonic=lambda: 0.0))
    assert reasons((await health.look(services)).readiness) == {"clock": True}


@pytest.mark.parametrize(("ahead_s", "fatal"), [(600, False), (30 * 3_600, True)])
async def test_a_wrong_clock_of_the_store_takes_no_machine_out_of_service_before_the_store_refuses(
    services: Services, monkeypatch: pytest.MonkeyPatch, ahead_s: int, fatal: bool
) -> None:
    monkeypatch.setattr(connection_watch, "is_synchronized", lambda: True)
    monkeypatch.setattr(connection_watch, "time", SimpleNamespace(time=lambda: time.time() - ahead_s))
    readiness = (await health.look(services)).readiness
    assert reasons(readiness) == {"clock": fatal}
    assert "type: sudo chronyc makestep" in readiness.reasons[0].words


async def test_a_gateway_that_is_away_is_a_warning_and_patients_still_get_numbers(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "BACKLOG_MANY", -1)
    services = replace(services, settings=replace(services.settings, gateway_client_id="me"))
    found = (await health.look(services)).readiness
    assert found.ready
    assert reasons(found) == {"gateway": False, "outbox": False}


async def test_many_probes_in_a_second_check_once(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[object] = []

    async def counted(of: Services, _: health.ClockAhead, _archive: object) -> health.Health:
        looks.append(of)
        return health.Health(health.Readiness(True, "disk", ()), Facts(True, "disk", 0))

    monkeypatch.setattr(health, "look", counted)
    look_once = health.Look(lambda: services)
    assert {(await look_once()).readiness.ready for _ in range(100)} == {True}
    assert len(looks) == 1


async def test_the_answer_has_our_fields_only(services: Services) -> None:
    body: dict[str, Any] = msgspec.json.decode(msgspec.json.encode((await health.look(services)).readiness))
    assert body.keys() == {"ready", "promise", "reasons"}
