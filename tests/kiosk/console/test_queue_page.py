"""The page of a queue: an administrator types its names in five languages and its department once."""

import html
import re

import pytest

from kiosk.exchange.clinics import CLINICS
from kiosk.locales import LANGUAGES
from kiosk.services.web import Services
from tests.kiosk.console.signed_in import HIP, Browser

pytestmark = pytest.mark.anyio
PAGE = "/console/admin/queues/medicine"
NAMES = {"en": "Medicine", "hi": "मेडिसिन", "ur": "میڈیسن", "ks": "میڈیسن", "doi": "मेडिसन"}


def values(page: str) -> dict[str, str]:
    """Name and value of the form's fields."""
    found = re.findall(r'<input name="(\w+)"[^>]*?value="([^"]*)"', page)
    return {name: html.unescape(value) for name, value in found}


async def test_names_and_department_are_saved_and_shown(admin: Browser, services: Services) -> None:
    answer = await admin.send_form(PAGE, **NAMES, department_code="394802001")
    assert answer.headers["location"] == f"{PAGE}?done=1"
    queue = next(one for one in await services.registry.queues(HIP) if one.id == "medicine")
    assert (queue.names, queue.department_code) == (NAMES, "394802001")
    page = (await admin.get(f"{PAGE}?done=1")).text
    assert "Queue saved." in page
    assert values(page) == dict.fromkeys(LANGUAGES, "") | NAMES | {"department_code": "394802001"}
    assert "5 names" in (await admin.get("/console/admin/rooms/queues")).text
    acts = [(one.kind, one.by, one.why) for one in await services.audit.read(HIP)]
    assert ("admin_queue", "imran", "medicine") in acts
    await admin.send_form(PAGE, hi="मेडिसिन")
    queue = next(one for one in await services.registry.queues(HIP) if one.id == "medicine")
    assert (queue.names, queue.department_code) == ({"hi": "मेडिसिन"}, "")


async def test_a_queue_without_names_gets_proposals_of_its_clinic_and_saves_none_by_itself(
    admin: Browser, services: Services
) -> None:
    page = (await admin.get(PAGE)).text
    clinic = CLINICS["medicine"]
    assert values(page) == dict.fromkeys(LANGUAGES, "") | clinic.names | {"department_code": clinic.code}
    assert "These are proposals" in page
    assert all(not one.names for one in await services.registry.queues(HIP))
    other = (await admin.get(f"{PAGE}?clinic=eye")).text
    eye = CLINICS["eye"]
    assert values(other) == dict.fromkeys(LANGUAGES, "") | eye.names | {"department_code": eye.code}
    await admin.send_form(PAGE, hi="औषधि")
    assert values((await admin.get(PAGE)).text)["hi"] == "औषधि"


async def test_a_wrong_code_is_refused_and_nothing_typed_is_lost(admin: Browser, services: Services) -> None:
    answer = await admin.send_form(PAGE, hi="मेडिसिन", department_code="394802002")
    assert answer.status_code == 422
    assert "no code of SNOMED CT" in answer.text
    assert values(answer.text)["hi"] == "मेडिसिन"
    assert all(not one.names for one in await services.registry.queues(HIP))


async def test_names_are_bounded_and_shown_in_their_display_form(admin: Browser, services: Services) -> None:
    await admin.send_form(PAGE, hi="\u202eमेडिसिन\u0007", ur="م" * 300, xx="no language")
    queue = next(one for one in await services.registry.queues(HIP) if one.id == "medicine")
    assert queue.names == {"hi": "मेडिसिन", "ur": "م" * 100}


async def test_an_unknown_queue_is_not_there(admin: Browser) -> None:
    assert (await admin.get("/console/admin/queues/nowhere")).status_code == 404
    assert (await admin.send_form("/console/admin/queues/nowhere", hi="x")).status_code == 404
