"""Each row of ``kiosk doctor`` about risky settings and incomplete data appears when it should, and only then."""

from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from kiosk.archive.database import Database, default_url
from kiosk.archive.positions import FAR_AT_LEAST
from kiosk.cli import doctor_rows
from kiosk.security import own_ca
from kiosk.settings import Settings, load
from queueing.desk import OpdDesk
from queueing.models import Arrival, Facility, Nearness, Queue
from queueing.registry import Registry
from queueing.store.store import Store
from tests.kiosk.archive import rows

SAFE = {
    "KIOSK_PUBLIC_URL": "https://kiosk.example.in",
    "KIOSK_TRUSTED_PROXIES": "10.0.0.1",
    "KIOSK_SECURITY_CONTACT": "mailto:security@example.in",
}


def settings_of(**changed: str) -> Settings:
    return load({**SAFE, **changed})


def test_a_missing_security_contact_is_a_warning_where_others_reach_the_service() -> None:
    (row,) = doctor_rows.security_contact(settings_of(KIOSK_SECURITY_CONTACT=""))
    assert row.verdict == "warning"
    assert "KIOSK_SECURITY_CONTACT" in row.todo
    assert list(doctor_rows.security_contact(load({}))) == []


def test_an_operators_port_for_everybody_is_a_warning() -> None:
    (row,) = doctor_rows.ops_port(settings_of(KIOSK_OPS_PORT="9100", KIOSK_OPS_HOST="0.0.0.0"))
    assert row.verdict == "warning"
    assert list(doctor_rows.ops_port(settings_of(KIOSK_OPS_PORT="9100"))) == []
    named = settings_of(KIOSK_OPS_PORT="9100", KIOSK_OPS_HOST="0.0.0.0", KIOSK_OPS_ADDRESSES="10.0.0.9")
    assert list(doctor_rows.ops_port(named)) == []


def test_safe_settings_give_no_row() -> None:
    settings = settings_of()
    assert [*doctor_rows.log_level(settings), *doctor_rows.insecure_lan(settings)] == []
    assert [*doctor_rows.security_contact(settings), *doctor_rows.ops_port(settings)] == []
    assert [*doctor_rows.trusted_proxies(settings), *doctor_rows.certificate(settings, own_ca.utc_now())] == []


def test_the_log_level_debug_is_a_warning() -> None:
    (row,) = doctor_rows.log_level(settings_of(KIOSK_LOG_LEVEL="debug"))
    assert (row.verdict, row.todo) == ("warning", "set KIOSK_LOG_LEVEL=info")


def test_passwords_without_encryption_are_a_warning() -> None:
    (row,) = doctor_rows.insecure_lan(settings_of(KIOSK_PUBLIC_URL="http://10.0.0.5:8000", KIOSK_INSECURE_LAN="1"))
    assert row.verdict == "warning"
    assert "KIOSK_INSECURE_LAN" in row.words


def test_screens_over_http_are_a_warning_that_says_how_to_set_the_devices() -> None:
    (row,) = doctor_rows.screens_sleep(settings_of(KIOSK_PUBLIC_URL="http://10.0.0.5:8000", KIOSK_INSECURE_LAN="1"))
    assert row.verdict == "warning"
    assert "sleep timer" in row.todo
    assert list(doctor_rows.screens_sleep(settings_of())) == []


def test_an_https_address_without_a_named_proxy_is_a_warning() -> None:
    (row,) = doctor_rows.trusted_proxies(settings_of(KIOSK_TRUSTED_PROXIES=""))
    assert row.verdict == "warning"
    assert "KIOSK_TRUSTED_PROXIES" in row.todo


@pytest.mark.parametrize(("days", "verdict"), [(31, "ok"), (29, "warning"), (-1, "wrong")])
def test_a_certificate_is_watched_to_its_end(tmp_path: Path, days: int, verdict: str) -> None:
    files = own_ca.make(tmp_path, ["kiosk.example.in"], own_ca.utc_now())
    settings = settings_of(KIOSK_TLS_CERTIFICATE=str(files.certificate), KIOSK_TLS_KEY=str(files.key))
    (row,) = doctor_rows.certificate(settings, own_ca.ends_at(files.certificate) - timedelta(days=days))
    assert row.verdict == verdict


@pytest.mark.anyio
async def test_facilities_without_usable_coordinates_are_counted_and_named(store: Store) -> None:
    registry = Registry(store)
    await registry.put_facility(Facility(hip_id="IN01", name="A", latitude=34.0, longitude=74.0))
    assert await doctor_rows.places(store) == []
    await registry.put_facility(Facility(hip_id="IN02", name="B"))
    (row,) = await doctor_rows.places(store)
    assert row.words.startswith("1 of 2 facilities")
    assert "IN02" in row.words


@pytest.mark.parametrize(
    ("far", "near", "unknown", "is_named"),
    [(20, 0, 0, True), (19, 0, 300, False), (18, 2, 0, True), (17, 3, 0, False), (45, 5, 100, True), (0, 50, 0, False)],
)
def test_nearly_all_far_is_nine_in_ten_of_at_least_twenty_phones(
    far: int, near: int, unknown: int, is_named: bool
) -> None:
    nearness = [Nearness.FAR] * far + [Nearness.NEAR] * near + [Nearness.UNKNOWN] * unknown
    assert doctor_rows.is_nearly_all_far(nearness) is is_named


async def share(desk: OpdDesk, hip: str, position: tuple[float, float], times: int) -> None:
    for number in range(times):
        share = Arrival(facility=hip, queue="m", position=position, request=f"{hip}-{position}-{number}")
        await desk.enqueue(share)


@pytest.mark.anyio
async def test_a_facility_whose_scans_are_nearly_all_far_is_named_with_what_to_do(store: Store) -> None:
    registry, desk = Registry(store), OpdDesk(store)
    for hip in ("IN01", "IN02"):
        await registry.put_facility(Facility(hip_id=hip, name=hip, latitude=34.0, longitude=74.0))
        await registry.put_queue(hip, Queue(id="m", name="Medicine", prefix="M"), 1)
    await share(desk, "IN01", (34.0, 74.0), 20)
    await share(desk, "IN02", (28.6, 77.2), FAR_AT_LEAST - 1)
    assert await doctor_rows.places(store) == []
    await share(desk, "IN02", (28.7, 77.3), 1)
    (row,) = await doctor_rows.places(store)
    assert (row.what, row.verdict) == ("places", "warning")
    assert row.words == "at 1 facility nearly every phone was far away today (IN02)"
    assert "map" in row.todo
    for ticket in await desk.tickets("IN02"):
        await desk.cancel("IN02", ticket.id, by="asha")
    assert [row.words for row in await doctor_rows.places(store)] == [row.words], "those who left count too"


@pytest.mark.anyio
async def test_what_cannot_be_read_in_time_is_left_out(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    registry, desk = Registry(store), OpdDesk(store)
    await registry.put_facility(Facility(hip_id="IN02", name="B", latitude=34.0, longitude=74.0))
    await registry.put_queue("IN02", Queue(id="m", name="Medicine", prefix="M"), 1)
    await share(desk, "IN02", (28.6, 77.2), FAR_AT_LEAST)
    monkeypatch.setattr(doctor_rows, "FAR_WITHIN_S", -1.0)
    assert await doctor_rows.places(store) == []


@pytest.mark.anyio
@pytest.mark.parametrize(("refused", "near", "is_named"), [(19, 0, False), (20, 0, True), (20, 3, False)])
async def test_a_facility_that_refuses_phones_far_away_is_named_when_it_refused_nearly_all(
    tmp_path: Path, refused: int, near: int, is_named: bool
) -> None:
    settings = settings_of(KIOSK_DATA_DIR=str(tmp_path))
    assert await doctor_rows.refused_as_far(settings) == [], "no archive yet"
    database = Database(default_url(tmp_path))
    database.prepare()
    today = datetime.now(ZoneInfo(settings.timezone)).date()
    day = [rows.share(number, service_day=today, refusal="far") for number in range(refused)]
    day += [rows.ticket(number, service_day=today, nearness="near") for number in range(near)]
    rows.insert_day(database, *day)
    database.close()
    found = [row.words for row in await doctor_rows.refused_as_far(settings)]
    sentence = f"1 facility refused nearly every phone today because it was far away ({rows.HIP})"
    assert found == ([sentence] if is_named else [])
