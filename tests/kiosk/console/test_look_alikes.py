"""The clerk sees which tickets of a queue may be one person's."""

import pytest

from kiosk.console.look_alikes import look_alikes
from kiosk.patient.person import Patient
from queueing.lanes import Lane
from queueing.models import Assurance, Nearness, State, Ticket

ZOONI = Patient(name="Zooni  Dar", year_of_birth=1981, phone="9419012345")


def ticket(number: int, *, queue: str = "medicine", state: State = State.WAITING) -> Ticket:
    return Ticket(
        id=f"20785-{number}", token=f"M-{number:03d}", queue=queue, state=state, lane=Lane.ORDINARY,
        assurance=Assurance.CAMERA, nearness=Nearness.UNKNOWN, arrived_ms=number * 1000,
    )  # fmt: skip


@pytest.mark.parametrize(
    "other",
    [
        Patient(name="zooni dar", year_of_birth=1981),
        Patient(name="Someone Else", year_of_birth=1981, phone="9419012345"),
        Patient(name="Zooni Dar", year_of_birth=1981, phone="9419099999", abha_number="91000044441111"),
    ],
)
def test_the_later_of_two_alike_names_the_earlier(other: Patient) -> None:
    rows = [(ticket(2), other), (ticket(1), ZOONI)]
    assert look_alikes(rows) == {"20785-2": "M-001"}


@pytest.mark.parametrize(
    "other",
    [
        Patient(name="Zooni Dar", year_of_birth=1982, phone="9419012345"),
        Patient(name="Zooni Dar", phone="9419012345"),
        Patient(name="Rafiq", year_of_birth=1981, phone="9419099999"),
        Patient(),
    ],
)
def test_people_who_share_only_one_thing_are_not_marked(other: Patient) -> None:
    assert look_alikes([(ticket(1), ZOONI), (ticket(2), other)]) == {}


def test_another_queue_and_a_ticket_that_ended_do_not_count() -> None:
    assert look_alikes([(ticket(1), ZOONI), (ticket(2, queue="pharmacy"), ZOONI)]) == {}
    assert look_alikes([(ticket(1, state=State.NO_SHOW), ZOONI), (ticket(2), ZOONI)]) == {}


def test_one_abha_number_is_one_person_whom_the_store_knows() -> None:
    known = Patient(name="Zooni Dar", year_of_birth=1981, abha_number="91000044441111")
    assert look_alikes([(ticket(1), known), (ticket(2), known)]) == {}
