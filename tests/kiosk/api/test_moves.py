"""Moves by the API: their results, their conflicts, one winner between console and API, and requests sent twice."""

import asyncio

import pytest

from kiosk.patient.person import Patient
from queueing.models import Outcome, State
from tests.kiosk.api.program import PERSON, Program, problem
from tests.kiosk.hospital import HIP

pytestmark = pytest.mark.anyio


async def test_next_calls_in_order_and_answers_204_when_nobody_waits(program: Program) -> None:
    first, second = await program.hospital.arrive(patients=2)
    for place in (first, second):
        answer = await program.post("counters/M1/next")
        assert answer.status_code == 200
        ticket = answer.json()
        assert (ticket["id"], ticket["state"], ticket["counter"], ticket["calls"]) == (place.ticket, "called", "M1", 1)
        assert ticket["called_at"]
    empty = await program.post("counters/M1/next")
    assert (empty.status_code, empty.content) == (204, b"")
    problem(await program.post("counters/X9/next"), 404, "not-there")


async def test_every_move_does_what_the_consoles_does(program: Program) -> None:
    first, second, third = (place.ticket for place in await program.hospital.arrive(patients=3))
    steps = [
        (first, "call", {"counter": "M2"}, "called"),
        (first, "recall", {}, "called"),
        (first, "start", {}, "serving"),
        (first, "finish", {}, "done"),
        (first, "bring_back", {}, "waiting"),
        (second, "call", {"counter": "M1"}, "called"),
        (second, "no_show", {}, "no_show"),
        (second, "bring_back", {}, "waiting"),
        (second, "hold", {}, "held"),
        (second, "bring_back", {}, "waiting"),
        (second, "transfer", {"queue": "registration"}, "waiting"),
        (third, "cancel", {}, "cancelled"),
    ]
    for ticket, move, more, state in steps:
        answer = await program.move(ticket, move, **more)
        assert (answer.status_code, answer.json()["state"]) == (200, state), (move, answer.text)
    sent_on = (await program.get(f"tickets/{second}")).json()
    assert (sent_on["queue"], [stop["queue"] for stop in sent_on["stops"]]) == ("registration", ["medicine"])
    assert sent_on["stops"][0]["called_at"] is None, "called, and nobody recorded that the person came"
    assert (await program.get(f"tickets/{first}")).json()["calls"] == 2
    assert (await program.event_types())[3:] == [
        "ticket.called", "ticket.recalled", "ticket.serving", "ticket.done", "ticket.returned", "ticket.called",
        "ticket.no_show", "ticket.returned", "ticket.held", "ticket.returned", "ticket.transferred", "ticket.cancelled",
    ]  # fmt: skip


async def test_somebody_expected_is_checked_in(program: Program) -> None:
    place = await program.hospital.services.check_in.by_camera(
        HIP, "medicine", Patient(name="Bilal", year_of_birth=1985), "form-1", away=True
    )
    assert place.state is State.EXPECTED
    answer = await program.move(place.ticket, "check_in")
    assert (answer.status_code, answer.json()["state"], answer.json()["source"]) == (200, "waiting", "camera")


async def test_a_move_that_the_state_does_not_admit_gets_409_with_the_state(program: Program) -> None:
    (place,) = await program.hospital.arrive()
    for move in ("recall", "start", "finish", "no_show", "bring_back"):
        found = problem(await program.move(place.ticket, move), 409, "state-conflict")
        assert found["state"] == "waiting"
        assert found["ticket"]["id"] == place.ticket
    await program.move(place.ticket, "cancel")
    found = problem(await program.move(place.ticket, "call", counter="M1"), 409, "state-conflict")
    assert found["state"] == "cancelled"


async def test_recall_announces_no_other_ticket_than_the_one_that_is_named(program: Program) -> None:
    first, second = await program.hospital.arrive(patients=2)
    await program.post("counters/M1/next")
    await program.post("counters/M1/next")
    found = problem(await program.move(first.ticket, "recall"), 409, "state-conflict")
    assert (found["state"], found["ticket"]["id"]) == ("done", first.ticket)
    assert (await program.get(f"tickets/{second.ticket}")).json()["calls"] == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"move": "dance"}, "move"),
        ({"move": 3}, "move"),
        ({}, "body"),
        ({"move": "call"}, "counter"),
        ({"move": "call", "counter": "X9"}, "counter"),
        ({"move": "transfer"}, "queue"),
        ({"move": "transfer", "queue": "nothing"}, "queue"),
        ({"move": "hold", "to": "medicine"}, "body"),
    ],
)
async def test_an_unknown_move_counter_or_queue_is_refused_with_the_field(
    program: Program, body: dict[str, object], field: str
) -> None:
    (place,) = await program.hospital.arrive()
    found = problem(await program.post(f"tickets/{place.ticket}/moves", body), 422, "wrong-value")
    assert [one["field"] for one in found["errors"]] == [field]


@pytest.mark.parametrize("ticket", ["20785-999", "x", "%00", "1-1-1", "x" * 200])
async def test_a_ticket_that_is_not_there_gets_404(program: Program, ticket: str) -> None:
    problem(await program.get(f"tickets/{ticket}"), 404, "not-there")
    problem(await program.get(f"tickets/{ticket}/profile"), 404, "not-there")
    for move in ("hold", "recall", "cancel"):
        problem(await program.move(ticket, move), 404, "not-there")


async def test_when_console_and_api_race_for_a_ticket_one_of_them_wins(program: Program) -> None:
    desk = program.hospital.services.desk
    for place in await program.hospital.arrive(patients=12):
        by_console = desk.call_this(HIP, "M1", place.ticket, by="asha")
        moved, answer = await asyncio.gather(by_console, program.move(place.ticket, "call", counter="M2"))
        assert (moved.outcome is Outcome.MOVED) != (answer.status_code == 200)
        winner = "M1" if moved.outcome is Outcome.MOVED else "M2"
        ticket = (await program.get(f"tickets/{place.ticket}")).json()
        assert (ticket["state"], ticket["counter"], ticket["calls"]) == ("called", winner, 1)
        if answer.status_code != 200:
            assert problem(answer, 409, "state-conflict")["state"] == "called"
        else:
            assert moved.outcome is Outcome.TAKEN


async def test_the_same_idempotency_key_and_body_get_the_same_answer(program: Program) -> None:
    await program.hospital.arrive(patients=3)
    key = {"idempotency-key": "6f1c"}
    first = await program.post("counters/M1/next", headers=key)
    again = await program.post("counters/M1/next", headers=key)
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    other = await program.post("counters/M1/next", headers={"idempotency-key": "6f1d"})
    assert other.json()["id"] != first.json()["id"]


async def test_a_registration_sent_twice_is_answered_201_twice_and_is_one_ticket(program: Program) -> None:
    key, body = {"idempotency-key": "visit-77"}, {"queue": "medicine", "patient": PERSON}
    first, again = [await program.post("tickets", body, headers=key) for _ in range(2)]
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert (await program.get("tickets")).json()["counts"]["waiting"] == 1
    changed = {"queue": "registration", "patient": PERSON}
    problem(await program.post("tickets", changed, headers=key), 422, "other-body")


async def test_two_requests_with_one_key_at_once_are_one_call(program: Program) -> None:
    await program.hospital.arrive(patients=3)
    key = {"idempotency-key": "at-once"}
    answers = await asyncio.gather(*(program.post("counters/M1/next", headers=key) for _ in range(5)))
    for answer in answers:
        assert answer.status_code == 200 or problem(answer, 409, "in-progress")
    assert (await program.get("tickets")).json()["counts"]["called"] == 1


async def test_a_refusal_is_not_kept_so_the_same_request_may_succeed_later(program: Program) -> None:
    (place,) = await program.hospital.arrive()
    key = {"idempotency-key": "start-1"}
    path, body = f"tickets/{place.ticket}/moves", {"move": "start"}
    problem(await program.post(path, body, headers=key), 409, "state-conflict")
    await program.post("counters/M1/next")
    assert (await program.post(path, body, headers=key)).status_code == 200


async def test_what_is_no_idempotency_key_is_refused(program: Program) -> None:
    for key in ("x" * 256, "a b"):
        problem(await program.post("counters/M1/next", headers={"idempotency-key": key}), 422, "wrong-value")
