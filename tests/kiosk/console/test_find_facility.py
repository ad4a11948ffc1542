"""An administrator of all facilities finds one among thousands."""

import pytest
from msgspec.structs import replace

from kiosk.console import find_facility
from kiosk.services.web import Services
from queueing.models import Facility
from tests.kiosk.console.signed_in import HIP, OTHER_HIP, Browser, shown_text

pytestmark = pytest.mark.anyio
PAGE = "/console/facility"


@pytest.mark.parametrize(
    ("find", "found"),
    [
        (HIP, [HIP]),
        (HIP.lower(), [HIP]),
        ("  sopore ", [OTHER_HIP]),
        ("hospital DISTRICT baramulla", [HIP, OTHER_HIP]),
        ("सोपोर", [OTHER_HIP]),
        ("sopore jammu", []),
    ],
)
async def test_a_facility_is_found_by_id_name_or_district(
    overseer: Browser, services: Services, find: str, found: list[str]
) -> None:
    sopore = await services.registry.facility(OTHER_HIP)
    assert sopore
    await services.registry.put_facility(replace(sopore, names={"hi": "उप-ज़िला अस्पताल सोपोर"}))
    answer = await overseer.get(PAGE, params={"find": find})
    assert [hip for hip in (HIP, OTHER_HIP) if f'value="{hip}"' in answer.text] == found
    assert f'value="{find.strip()}"' in answer.text
    assert ("No facility has" in answer.text) is (not found)
    assert answer.text.count("autofocus") == 1, "the first that was found, or the field"


async def test_too_many_are_said_and_one_of_them_is_found_by_another_word(
    overseer: Browser, services: Services
) -> None:
    for number in range(find_facility.FOUND_MAX + 5):
        health_centre = Facility(hip_id=f"IN02{number:08}", name=f"Health Centre {number}", district="Doda")
        await services.registry.put_facility(health_centre)
    many = await overseer.get(PAGE, params={"find": "health"})
    assert many.text.count('name="hip"') == find_facility.FOUND_MAX
    assert "These are the first 50." in shown_text(many)
    one = await overseer.get(PAGE, params={"find": "centre 54"})
    assert one.text.count('name="hip"') == 1
    chosen = await overseer.send_form(PAGE, hip="IN0200000054")
    assert chosen.headers["location"] == "/console/admin"


async def test_a_clerk_finds_no_other_facility(clerk: Browser) -> None:
    assert (await clerk.get(PAGE, params={"find": "sopore"})).headers["location"] == "/console"
