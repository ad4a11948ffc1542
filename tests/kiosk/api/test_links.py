"""The hospital system's own numbers of a ticket, by the API: stored, shown, and one for each person."""

import httpx
import pytest

from queueing.audit import Audit
from tests.kiosk.api.program import PERSON, Program, address, problem
from tests.kiosk.hospital import HIP

pytestmark = pytest.mark.anyio
ABHA = "91100000000011"
NUMBERS = {"patient_id": "UHID-7", "visit_id": "V-1", "url": "https://his.example/patient/7"}


async def put(program: Program, ticket: str, body: object) -> httpx.Response:
    return await program.client.put(address(f"tickets/{ticket}/links"), json=body, headers=program.headers)


async def test_numbers_stand_with_the_ticket_wherever_it_is_shown(program: Program) -> None:
    ticket = (await program.register())["id"]
    answer = await put(program, ticket, NUMBERS)
    assert (answer.status_code, answer.json()["links"]) == (200, NUMBERS)
    assert (await program.get(f"tickets/{ticket}")).json()["links"] == NUMBERS
    assert [one["links"] for one in (await program.get("tickets")).json()["items"]] == [NUMBERS]
    moved = await program.move(ticket, "call", counter="M1")
    assert moved.json()["links"] == NUMBERS
    events = (await program.get("events")).json()["items"]
    assert events[-1]["data"]["ticket"]["links"] == NUMBERS
    acts = [(one.kind, one.by, one.ticket) for one in await Audit(program.hospital.services.store).read(HIP)]
    assert ("links_set", f"api:{program.key.id}", ticket) in acts


async def test_only_the_patients_number_is_needed_and_later_ones_replace_it(program: Program) -> None:
    ticket = (await program.register())["id"]
    await put(program, ticket, NUMBERS)
    answer = await put(program, ticket, {"patient_id": "UHID-8"})
    assert answer.json()["links"] == {"patient_id": "UHID-8", "visit_id": None, "url": None}


async def test_a_second_number_for_one_abha_is_answered_409_with_the_first(program: Program) -> None:
    first = (await program.register(abha_number=ABHA))["id"]
    second = (await program.register("registration", abha_number=ABHA))["id"]
    assert first != second
    assert (await put(program, first, {"patient_id": "UHID-7"})).status_code == 200
    found = problem(await put(program, second, {"patient_id": "UHID-8"}), 409, "other-number")
    assert found["patient_id"] == "UHID-7"
    assert (await program.get(f"tickets/{second}")).json()["links"] is None
    assert (await put(program, second, {"patient_id": "UHID-7"})).status_code == 200
    other = (await program.register(name="Bilal", abha_number="91100000000022"))["id"]
    assert (await put(program, other, {"patient_id": "UHID-8"})).status_code == 200


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body"),
        ({"patient_id": ""}, "patient_id"),
        ({"patient_id": 7}, "patient_id"),
        ({"patient_id": "x" * 65}, "patient_id"),
        ({"patient_id": "7", "url": "javascript:alert(1)"}, "url"),
        ({"patient_id": "7", "url": "//his.example"}, "url"),
        ({"patient_id": "\u202e7"}, "patient_id"),
        ({"patient_id": "7", "uhid": "8"}, "body"),
    ],
)
async def test_numbers_that_cannot_be_shown_are_refused_with_the_field(
    program: Program, body: object, field: str
) -> None:
    (place,) = await program.hospital.arrive()
    found = problem(await put(program, place.ticket, body), 422, "wrong-value")
    assert [one["field"] for one in found["errors"]] == [field]


async def test_numbers_of_a_ticket_that_is_not_there_get_404(program: Program) -> None:
    assert PERSON
    problem(await put(program, "20785-999", NUMBERS), 404, "not-there")
