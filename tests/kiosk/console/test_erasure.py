"""An administrator erases a person's details: asked once more, shown, and recorded without a name."""

import re

import pytest

from kiosk.patient.person import Patient
from kiosk.services.web import Services
from tests.kiosk.console.signed_in import HIP, OTHER_HIP, Browser, arrive

pytestmark = pytest.mark.anyio

ASHA = Patient(name="Asha Devi", abha_number="91000044441111", abha_address="asha@sbx", phone="9000000001")


def ticket_of(page: str) -> str:
    found = re.search(r'name="ticket"\s+value="([0-9]+-[0-9]+)"', page)
    assert found
    return found[1]


async def test_the_first_page_asks_and_changes_nothing(admin: Browser, services: Services) -> None:
    place = await arrive(services.check_in, ASHA)
    page = await admin.send_form("/console/erasure", person=place.token.lower())
    assert page.status_code == 200
    assert place.token in page.text
    assert "Asha" not in page.text
    assert ticket_of(page.text) == place.ticket
    assert await services.desk.envelope(HIP, place.ticket) is not None


async def test_an_erased_ticket_keeps_its_number_and_no_detail(admin: Browser, services: Services) -> None:
    place, other = await arrive(services.check_in, ASHA), await arrive(services.check_in, "Bilal")
    page = await admin.send_form("/console/erasure", person=place.token)
    done = await admin.send_form("/console/erasure/confirmed", ticket=ticket_of(page.text))
    assert (done.status_code, "Erased" in done.text, place.token in done.text) == (200, True, True)
    assert await services.desk.envelope(HIP, place.ticket) is None
    assert await services.desk.envelope(HIP, other.ticket) is not None
    assert await services.desk.ticket(HIP, place.ticket) is not None


@pytest.mark.parametrize("person", ["91-0000-4444-1111", "Asha@SBX"])
async def test_a_person_is_found_by_abha_number_or_address(admin: Browser, services: Services, person: str) -> None:
    place = await arrive(services.check_in, ASHA)
    page = await admin.send_form("/console/erasure", person=person)
    assert place.token in page.text
    await admin.send_form("/console/erasure/confirmed", person=person)
    assert await services.desk.envelope(HIP, place.ticket) is None
    again = await admin.send_form("/console/erasure", person=person)
    assert (again.status_code, "Nothing found" in again.text) == (404, True)


async def test_an_erasure_is_recorded_without_name_and_number(admin: Browser, services: Services) -> None:
    place = await arrive(services.check_in, ASHA)
    await admin.send_form("/console/erasure/confirmed", person=ASHA.abha_number)
    entry = (await services.audit.read(HIP))[0]
    assert (entry.kind, entry.by, entry.ticket, entry.why) == ("person_erased", "imran", place.ticket, "")
    assert entry.address == "10.1.2.5"
    assert not any(part in str(entry) for part in ("Asha", ASHA.abha_number, place.token))


async def test_a_ticket_of_another_hospital_is_not_erased(admin: Browser, services: Services) -> None:
    place = await arrive(services.check_in, ASHA, hip=OTHER_HIP)
    answer = await admin.send_form("/console/erasure/confirmed", ticket=place.ticket)
    assert answer.status_code == 404
    assert await services.desk.envelope(OTHER_HIP, place.ticket) is not None


@pytest.mark.parametrize("form", [{}, {"person": "  "}, {"ticket": "M-001"}, {"ticket": "1-1' or 1"}])
async def test_a_confirmation_that_names_nothing_is_not_found(admin: Browser, form: dict[str, str]) -> None:
    assert (await admin.send_form("/console/erasure/confirmed", **form)).status_code == 404
