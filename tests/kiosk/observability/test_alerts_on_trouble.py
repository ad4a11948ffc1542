"""Each alert: the trouble is made on a real process tree, and the metric crosses the threshold within 15 seconds."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from redis import Redis

from queueing.embedded.store_users import operator_url
from tests.kiosk.abdm.fake_gateway import FakeGateway, Heard, Reply, SigningKey
from tests.kiosk.in_process import kiosk
from tests.kiosk.observability.hospital_tree import HIP, HospitalTree, frozen, hospital_tree
from tests.kiosk.process_tree import ROOT, until
from tests.ports import free_port

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

TRUE_WITHIN_S = 15.0
"""What operators are promised."""
RULES: list[dict[str, Any]] = yaml.safe_load((ROOT / "deploy" / "alerts.yml").read_text())["groups"][0]["rules"]
EXPRESSIONS: dict[str, str] = {rule["alert"]: rule["expr"] for rule in RULES}


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def gateway() -> AsyncIterator[FakeGateway]:
    fake = FakeGateway()
    fake.keys = [SigningKey("k1")]
    await fake.start()
    yield fake
    await fake.stop()


@pytest.fixture(scope="module")
async def hospital(gateway: FakeGateway, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[HospitalTree]:
    folder = tmp_path_factory.mktemp("tree") / "data"
    context = hospital_tree(folder, gateway.url, gateway.keys[0])
    opened = await asyncio.to_thread(context.__enter__)
    yield opened
    await asyncio.to_thread(context.__exit__, None, None, None)


async def becomes(hospital: HospitalTree, name: str, expected: object, **labels: str) -> None:
    """The metric has this value within the promised time."""
    found: list[float | None] = []

    def true() -> bool:
        found.append(hospital.metric(name, **labels))
        return found[-1] == expected

    with suppress(AssertionError):
        await asyncio.to_thread(until, true, TRUE_WITHIN_S)
    assert found[-1] == expected, (name, labels)


def threshold(alert: str, comparison: str) -> float:
    """The number that this alert compares its first metric with."""
    found = re.search(rf" {re.escape(comparison)} ([\d.]+)", EXPRESSIONS[alert])
    assert found, EXPRESSIONS[alert]
    return float(found.group(1))


async def test_kiosk_store_down_fires_while_the_store_is_frozen_and_ends_with_it(hospital: HospitalTree) -> None:
    with frozen(hospital.store_pid()):
        await becomes(hospital, "kiosk_store_up", threshold("KioskStoreDown", "=="))
        assert hospital.metric("kiosk_store_promise") == 0
        assert hospital.metric("kiosk_replies_pending") is None
    await becomes(hospital, "kiosk_store_up", 1)
    await becomes(hospital, "kiosk_store_promise", 1)


@pytest.mark.proof
async def test_kiosk_promise_broken_fires_when_the_store_stops_syncing(hospital: HospitalTree) -> None:
    with Redis.from_url(operator_url(hospital.tree.data_dir)) as client:
        client.config_set("appendfsync", "everysec")
        try:
            await becomes(hospital, "kiosk_store_promise", 0)
            await becomes(hospital, "kiosk_store_up", threshold("KioskPromiseBroken", "=="))
            assert hospital.metric("kiosk_store_promise") == 0
        finally:
            client.config_set("appendfsync", "always")
        await becomes(hospital, "kiosk_store_promise", 1)


async def test_kiosk_replies_pile_up_fires_while_no_relay_works(hospital: HospitalTree) -> None:
    many = int(threshold("KioskRepliesPileUp", ">")) + 1
    delivered = hospital.metric("kiosk_replies_total", result="delivered") or 0
    scans = hospital.metric("kiosk_scans_total", outcome="new") or 0
    with frozen(hospital.tree.pid_of("relay")):
        assert set(await asyncio.to_thread(hospital.scan, many)) == {202}
        await becomes(hospital, "kiosk_replies_pending", many)
        assert hospital.metric("kiosk_replies_total", result="delivered") == delivered
        await becomes(hospital, "kiosk_scans_total", scans + many, outcome="new")
    await becomes(hospital, "kiosk_replies_pending", 0)
    await becomes(hospital, "kiosk_replies_total", delivered + many, result="delivered")
    assert (hospital.metric("kiosk_reply_age_seconds_count", result="delivered") or 0) >= many


async def test_kiosk_replies_parked_fires_when_the_gateway_refuses_a_reply(
    hospital: HospitalTree, gateway: FakeGateway
) -> None:
    async def refuse(_heard: Heard) -> Reply:
        return 400, b'{"error":{"code":"ABDM-9999","message":"refused"}}'

    parked = hospital.metric("kiosk_replies_total", result="parked")
    assert parked is not None, "a counter must stand at 0 before its first event, or no rise is seen"
    gateway.manners["on-share"] = refuse
    try:
        await asyncio.to_thread(hospital.scan)
        await becomes(
            hospital, "kiosk_replies_total", parked + 1 + threshold("KioskRepliesParked", ">"), result="parked"
        )
    finally:
        gateway.manners.clear()


async def test_kiosk_deliveries_pile_up_fires_while_a_receiver_is_away(hospital: HospitalTree) -> None:
    many = int(threshold("KioskDeliveriesPileUp", ">")) + 1
    added = await asyncio.to_thread(
        kiosk, hospital.tree.data_dir, "webhook", "add", f"http://127.0.0.1:{free_port()}/", "--facility",
        HIP, "--events", "ticket.created", "--json",
    )  # fmt: skip
    await asyncio.to_thread(hospital.scan, many)
    # Also acknowledgements of earlier scans may still bring events.
    await asyncio.to_thread(
        until, lambda: (hospital.metric("kiosk_deliveries_pending", kind="webhook") or 0) >= many, TRUE_WITHIN_S
    )
    await asyncio.to_thread(kiosk, hospital.tree.data_dir, "webhook", "remove", json.loads(added.stdout)["id"])
    await becomes(hospital, "kiosk_deliveries_pending", 0, kind="webhook")


async def test_kiosk_slow_fires_when_a_callback_takes_long(hospital: HospitalTree) -> None:
    slow_s = threshold("KioskSlow", ">")

    def slower() -> float:
        count = hospital.metric("kiosk_request_duration_seconds_count", endpoint="gateway") or 0
        return count - (
            hospital.metric("kiosk_request_duration_seconds_bucket", endpoint="gateway", le=f"{slow_s}") or 0
        )

    before = slower()
    with frozen(hospital.store_pid()):
        scan = asyncio.create_task(asyncio.to_thread(hospital.scan))
        await asyncio.sleep(1)
    await scan
    await asyncio.to_thread(until, lambda: slower() == before + 1, TRUE_WITHIN_S)


@pytest.mark.parametrize(
    ("reason", "claims"), [("iss", {"iss": "https://x.in"}), ("aud", {"aud": "x"}), ("azp", {"azp": "x"})]
)
async def test_kiosk_callers_rejected_fires_and_names_the_reason(
    hospital: HospitalTree, reason: str, claims: dict[str, str]
) -> None:
    scans = hospital.metric("kiosk_scans_total")
    many = int(threshold("KioskCallersRejected", ">")) + 1
    assert set(await asyncio.to_thread(lambda: hospital.scan(many, **claims))) == {401}
    await becomes(hospital, "kiosk_callers_rejected_total", many, reason=reason)
    assert hospital.metric("kiosk_scans_total") == scans


async def test_kiosk_fell_open_fires_when_the_gateways_keys_cannot_be_fetched(
    tmp_path: Path, gateway: FakeGateway
) -> None:
    """Patients are served with the keys of the last run."""

    def run() -> None:
        with hospital_tree(tmp_path / "data", "http://127.0.0.1:9", gateway.keys[0]) as alone:
            assert alone.metric("kiosk_fell_open_total", helper="gateway_keys") == 0
            assert alone.scan() == [202]
            until(
                lambda: (
                    (alone.metric("kiosk_fell_open_total", helper="gateway_keys") or 0)
                    > threshold("KioskFellOpen", ">")
                ),
                TRUE_WITHIN_S,
            )
            until(lambda: bool(alone.tree.log_events("gateway_keys_not_fetched")), TRUE_WITHIN_S)
            until(lambda: alone.metric("kiosk_replies_pending") == 1, TRUE_WITHIN_S)

    await asyncio.to_thread(run)


def test_every_alert_has_a_test_that_makes_its_trouble() -> None:
    tests = [name for name in globals() if name.startswith("test_kiosk_")]

    def words(alert: str) -> str:
        return re.sub(r"(?<!^)([A-Z])", r"_\1", alert).lower()

    named = {alert for alert in EXPRESSIONS if any(name.startswith(f"test_{words(alert)}") for name in tests)}
    # Closed connections are made and counted in tests/kiosk/runtime/test_connection_guard.py, profiles are read by the
    # hundred in tests/kiosk/console/test_audit.py, the archive's database is away in
    # tests/kiosk/archive/test_role_troubles.py, and an event is parked in tests/kiosk/delivery/test_role.py.
    assert EXPRESSIONS.keys() - named == {
        *("KioskArchiveBehind", "KioskConnectionsClosed", "KioskDeliveriesParked", "KioskProfilesRead"),
    }
