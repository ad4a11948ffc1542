"""The hospital system's numbers of a patient on the desk, and their removal by an administrator."""

import pytest
from playwright.async_api import Page, expect

from kiosk.exchange.hospital_numbers import HospitalNumbers
from kiosk.patient.person import Patient
from kiosk.services.web import Services
from queueing.audit import Act
from queueing.lanes import Lane
from queueing.links import Linked, LinkReply
from queueing.models import Place
from tests.kiosk.console.running_desk import Served
from tests.kiosk.console.signed_in import HIP, OTHER_HIP, Browser, arrive

pytestmark = pytest.mark.anyio

ASHA = Patient(name="Asha Devi", abha_number="91000044441111", abha_address="asha@sbx", phone="9000000001")
RECORD = "https://his.example/p/7"
FIRST = HospitalNumbers(patient_id="UHID-7", visit_id="V-1", url=RECORD)
WRONG = HospitalNumbers(patient_id="UHID-8")


async def send(services: Services, place: Place, numbers: HospitalNumbers, hip: str = HIP) -> LinkReply:
    """As the hospital's system does."""
    ticket = await services.desk.ticket(hip, place.ticket)
    assert ticket
    seal, number = services.number_seal, numbers.patient_id
    return await services.links.put(
        hip, ticket.id, seal.close(hip, ticket, numbers), persons=services.check_in.known_as(hip, ASHA),
        mark=seal.mark(hip, number), number=seal.close_number(hip, number), act=Act(kind="links_set", by="api:k"),
    )  # fmt: skip


async def test_the_desk_shows_the_numbers_and_where_the_record_is(clerk: Browser, services: Services) -> None:
    place = await arrive(services.check_in, ASHA)
    assert (await send(services, place, FIRST)).outcome is Linked.DONE
    await clerk.ask("/console/desk/next", counter="M1")
    details = (await clerk.desk())["details"]
    assert details[-2:] == [
        {"label": "Hospital number", "value": "UHID-7", "url": RECORD},
        {"label": "Visit", "value": "V-1"},
    ]
    alone = (await clerk.ask("/console/desk/patient", ticket=place.ticket)).json()["details"]
    assert alone == details


async def test_the_desk_says_that_the_hospitals_system_registered_a_person(clerk: Browser, services: Services) -> None:
    await services.check_in.registered_elsewhere(HIP, "medicine", ASHA, Lane.ORDINARY, by="api:k")
    (row,) = (await clerk.desk())["tickets"]
    assert row["tags"] == ["Hospital system"]


async def test_a_patient_without_numbers_has_no_line_for_them(clerk: Browser, services: Services) -> None:
    await arrive(services.check_in, ASHA)
    await clerk.ask("/console/desk/next", counter="M1")
    assert "Hospital number" not in {line["label"] for line in (await clerk.desk())["details"]}


async def test_the_second_number_of_one_abha_is_refused_with_the_first_until_an_administrator_removes_it(
    admin: Browser, services: Services
) -> None:
    place = await arrive(services.check_in, ASHA)
    await send(services, place, FIRST)
    refused = await send(services, place, WRONG)
    assert refused.outcome is Linked.OTHER_NUMBER
    assert services.number_seal.open_number(HIP, refused.first) == "UHID-7"
    page = await admin.send_form("/console/erasure", person=place.token)
    assert "Remove only the hospital" in page.text
    done = await admin.send_form("/console/erasure/numbers", ticket=place.ticket)
    assert (done.status_code, "Removed" in done.text) == (200, True)
    assert await services.desk.envelope(HIP, place.ticket), "the profile stays"
    assert (await send(services, place, WRONG)).outcome is Linked.DONE
    kinds = [(entry.kind, entry.by) for entry in await services.audit.read(HIP)]
    assert kinds.index(("links_removed", "imran")) == 1


async def test_removing_numbers_that_were_never_sent_says_so(admin: Browser, services: Services) -> None:
    place = await arrive(services.check_in, ASHA)
    page = await admin.send_form("/console/erasure/numbers", ticket=place.ticket)
    assert (page.status_code, "Nothing to remove" in page.text) == (200, True)
    assert "links_removed" not in {entry.kind for entry in await services.audit.read(HIP)}


async def test_numbers_of_another_hospital_are_not_removed(admin: Browser, services: Services) -> None:
    place = await arrive(services.check_in, ASHA, hip=OTHER_HIP)
    await send(services, place, FIRST, OTHER_HIP)
    assert (await admin.send_form("/console/erasure/numbers", ticket=place.ticket)).status_code == 404
    assert place.ticket in await services.links.of(OTHER_HIP, [place.ticket])


async def test_a_hospital_does_not_see_the_numbers_of_another(services: Services) -> None:
    place = await arrive(services.check_in, ASHA)
    await send(services, place, FIRST)
    elsewhere = await arrive(services.check_in, ASHA, hip=OTHER_HIP)
    assert (await send(services, elsewhere, WRONG, OTHER_HIP)).outcome is Linked.DONE
    assert services.number_seal.mark(HIP, "UHID-7") != services.number_seal.mark(OTHER_HIP, "UHID-7")


async def test_nothing_of_the_numbers_stands_in_the_store_in_clear(services: Services) -> None:
    place = await arrive(services.check_in, ASHA)
    await send(services, place, FIRST)
    ticket = await services.desk.ticket(HIP, place.ticket)
    assert ticket
    sealed = (await services.links.of(HIP, [place.ticket]))[place.ticket]
    number = services.number_seal.close_number(HIP, "UHID-7")
    assert b"UHID" not in sealed
    assert b"his.example" not in sealed
    assert "UHID" not in number
    assert services.number_seal.open(HIP, ticket, sealed) == FIRST
    assert services.number_seal.open(OTHER_HIP, ticket, sealed) is None
    assert services.number_seal.open_number(OTHER_HIP, number) == ""


@pytest.mark.browser
async def test_the_hospital_number_on_the_desk_leads_to_the_record(page: Page, served: Served) -> None:
    place = await served.arrive("Asha Devi")
    await send(served.services, place, FIRST, served.hip)
    await page.keyboard.press("n")
    link = page.locator("#details a")
    await expect(link).to_have_text("UHID-7")
    assert [await link.get_attribute(name) for name in ("href", "target", "rel")] == [
        RECORD, "_blank", "noopener noreferrer",
    ]  # fmt: skip
