"""The key ring of a kiosk is lost. It starts with a new one, gives numbers, and tells the operator, on a real tree."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.kiosk.abdm.fake_gateway import FakeGateway, SigningKey
from tests.kiosk.observability.hospital_tree import HIP, HospitalTree, hospital_tree
from tests.kiosk.process_tree import kiosk, until

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
ABHA = "91-0000-4444-1111"
NEW_ABHA = "91-0000-4444-2222"


@pytest.mark.proof
async def test_without_its_key_ring_the_kiosk_gives_numbers_and_old_profiles_stay_closed(tmp_path: Path) -> None:
    gateway = FakeGateway()
    gateway.keys = [SigningKey("k1")]
    await gateway.start()
    try:
        await asyncio.to_thread(_story, tmp_path / "data", gateway)
    finally:
        await gateway.stop()


@contextmanager
def running(data_dir: Path, gateway: FakeGateway) -> Iterator[HospitalTree]:
    with hospital_tree(data_dir, gateway.url, gateway.keys[0]) as hospital:
        yield hospital
        assert hospital.tree.stop() == 0


def _scan(hospital: HospitalTree, gateway: FakeGateway, abha: str) -> str:
    """The number that the phone gets."""
    before = len(gateway.at("on-share"))
    assert hospital.scan(abha=abha) == [202]
    until(lambda: len(gateway.at("on-share")) > before)
    reply = gateway.at("on-share")[-1].json
    return str(reply["acknowledgement"]["profile"]["tokenNumber"])


def _closed_rows(data_dir: Path) -> list[str]:
    rows = json.loads(kiosk(data_dir, "doctor", "--json").stdout)
    return [row["words"] for row in rows if row["what"] == "keys" and row["verdict"] == "warning"]


def _story(data_dir: Path, gateway: FakeGateway) -> None:
    with running(data_dir, gateway) as hospital:
        assert _scan(hospital, gateway, ABHA) == "M-001"
        assert not hospital.tree.log_events("profiles_stay_closed")
    assert _closed_rows(data_dir) == []
    (data_dir / "keyring.json").unlink()

    with running(data_dir, gateway) as hospital:
        assert _scan(hospital, gateway, NEW_ABHA) == "M-002"
        assert len(hospital.tree.log_events("profiles_stay_closed")) == 1, "one line for the whole tree"
        assert "Patient 1" in kiosk(data_dir, "patient", "export", HIP, "--abha", NEW_ABHA).stdout
    (row,) = _closed_rows(data_dir)
    assert "does not open the profiles" in row

    with running(data_dir, gateway) as hospital:
        assert not hospital.tree.log_events("profiles_stay_closed"), "told once, not at each start"
