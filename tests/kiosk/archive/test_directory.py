"""The archive's list of facilities: what reports group by."""

from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from kiosk.archive.database import Database
from kiosk.archive.directory import Directory
from kiosk.archive.schema import facilities
from queueing.models import Facility
from queueing.registry import Registry
from queueing.store.store import Store

pytestmark = pytest.mark.anyio
ZONE = ZoneInfo("Asia/Kolkata")


async def saved(registry: Registry, database: Database, directory: Directory, *districts: tuple[str, str]) -> list[str]:
    """Put these facilities (HIP id, district) into the registry; the districts of all as the archive has them."""
    for hip_id, district in districts:
        await registry.put_facility(Facility(hip_id=hip_id, name=f"Hospital {hip_id}", district=district))
    changed = await directory.refresh()
    with database.writing() as connection:
        directory.save(connection, changed)
        return list(connection.execute(sa.select(facilities.c.district).order_by(facilities.c.hip_id)).scalars())


async def test_a_district_in_capitals_and_spaces_is_the_same_district(store: Store, database: Database) -> None:
    registry = Registry(store)
    directory = Directory(registry, ZONE)
    found = await saved(registry, database, directory, ("IN01", "SRINAGAR"), ("IN02", "BARAMULLA"), ("IN03", ""))
    assert found == ["SRINAGAR", "BARAMULLA", ""]
    found = await saved(registry, database, directory, ("IN04", "Srinagar "), ("IN05", "Srinagar"), ("IN06", "श्रीनगर"))
    assert found == ["Srinagar", "BARAMULLA", "", "Srinagar", "Srinagar", "श्रीनगर"]
    found = await saved(registry, database, directory, ("IN01", "SRINAGAR"), ("IN02", "Baramulla"))
    assert [*found[:2], found[3]] == ["Srinagar", "Baramulla", "Srinagar"]
