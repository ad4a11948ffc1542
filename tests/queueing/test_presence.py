"""What proves that somebody is in the hospital, and what the facility's rule makes of it."""

import pytest

from queueing.models import Assurance, Counter, Facility, Nearness, Outcome, Refusal, State
from queueing.policy import Policy, PresenceRule
from tests.queueing.a_facility import HIP, again, arrival
from tests.queueing.one_hospital import SRINAGAR, Hospital

pytestmark = pytest.mark.anyio


async def test_unknown_text_goes_to_the_default_queue_and_waits_for_check_in(hospital: Hospital) -> None:
    place = await hospital.desk.enqueue(arrival(text="7f9c2ba4-e88f"))
    assert (place.token, place.state) == ("M-001", State.EXPECTED)
    assert (await hospital.desk.call_next(HIP, "M1", by="clerk")).outcome is Outcome.EMPTY
    moved = await hospital.desk.check_in(HIP, place.ticket, by="clerk")
    assert moved.ticket
    assert (moved.ticket.state, moved.ticket.assurance) == (State.WAITING, Assurance.UNKNOWN)


async def test_a_late_arrival_waits_for_check_in_whatever_the_policy_says(hospital: Hospital) -> None:
    taken = Policy(far=PresenceRule.TAKE, stale=PresenceRule.TAKE, unknown=PresenceRule.TAKE)
    await hospital.registry.set_policy(HIP, taken)
    late = arrival(late=True, persons=(b"one", b"two"))
    place = await hospital.desk.enqueue(late)
    assert (place.outcome, place.token, place.state) == (Outcome.NEW, "M-001", State.EXPECTED)
    again_late = await hospital.desk.enqueue(late)
    assert (again_late.outcome, again_late.token) == (Outcome.SAME_REQUEST, "M-001"), "once per request id"
    punctual = await hospital.desk.enqueue(arrival(persons=(b"one",)))
    assert (punctual.token, punctual.state) == ("M-001", State.WAITING), "the person has come and scanned again"
    assert (await hospital.desk.enqueue(arrival())).state is State.WAITING


async def test_printed_text_can_be_mapped_to_a_counter(hospital: Hospital) -> None:
    await hospital.registry.map_text(HIP, "Old Poster 7", "R2")
    place = await hospital.desk.enqueue(arrival(text=" old poster 7 "))
    assert (place.token, place.state) == ("R-001", State.WAITING)


@pytest.mark.parametrize(
    ("position", "nearness", "state"),
    [(SRINAGAR, Nearness.NEAR, State.WAITING), ((32.73, 74.87), Nearness.FAR, State.EXPECTED)],
)
async def test_a_phone_far_away_is_expected(
    hospital: Hospital, position: tuple[float, float], nearness: Nearness, state: State
) -> None:
    place = await hospital.desk.enqueue(arrival(position=position))
    ticket = await hospital.desk.ticket(HIP, place.ticket)
    assert ticket
    assert (ticket.nearness, ticket.state) == (nearness, state)


@pytest.mark.parametrize("metres", [990, 1010])
async def test_a_phone_is_near_within_the_distance_of_the_policy(hospital: Hospital, metres: int) -> None:
    place = await hospital.desk.enqueue(arrival(position=(SRINAGAR[0], SRINAGAR[1] + metres / (111_320 * 0.82818))))
    ticket = await hospital.desk.ticket(HIP, place.ticket)
    assert ticket
    assert ticket.nearness is (Nearness.NEAR if metres < 1000 else Nearness.FAR)


@pytest.mark.parametrize(
    ("assurance", "position", "state"),
    [
        (Assurance.SCREEN, (28.6, 77.2), State.WAITING),
        (Assurance.STALE, SRINAGAR, State.WAITING),
        (Assurance.STALE, (28.6, 77.2), State.EXPECTED),
        (Assurance.STALE, None, State.EXPECTED),
    ],
)
async def test_a_fresh_code_or_a_near_place_proves_presence(
    hospital: Hospital, assurance: Assurance, position: tuple[float, float] | None, state: State
) -> None:
    place = await hospital.desk.enqueue(arrival(counter="M1", assurance=assurance, position=position))
    assert place.state is state


async def test_a_fresh_code_is_taken_though_the_policy_refuses_phones_far_away(hospital: Hospital) -> None:
    await hospital.registry.set_policy(HIP, Policy(far=PresenceRule.REFUSE))
    place = await hospital.desk.enqueue(arrival(counter="M1", assurance=Assurance.SCREEN, position=(28.6, 77.2)))
    assert (place.outcome, place.state) == (Outcome.NEW, State.WAITING)
    ticket = await hospital.desk.ticket(HIP, place.ticket)
    assert ticket
    assert ticket.nearness is Nearness.FAR, "it is still recorded where the phone was"


@pytest.mark.parametrize(
    ("text", "token"), [("M", "M-001"), ("M17", "M-001"), ("registration", "R-001"), ("r9", "R-001")]
)
async def test_an_old_poster_of_this_facility_is_a_poster_and_leads_to_its_queue(
    hospital: Hospital, text: str, token: str
) -> None:
    place = await hospital.desk.enqueue(arrival(text=text))
    ticket = await hospital.desk.ticket(HIP, place.ticket)
    assert ticket
    assert (place.token, place.state, ticket.assurance) == (token, State.WAITING, Assurance.POSTER)


@pytest.mark.parametrize("text", ["", "X7", "MM1", "M-1-2", "7f9c2ba4-e88f", "OLDPOSTER7"])
async def test_a_text_of_another_system_stays_unknown(hospital: Hospital, text: str) -> None:
    place = await hospital.desk.enqueue(arrival(text=text))
    ticket = await hospital.desk.ticket(HIP, place.ticket)
    assert ticket
    assert (ticket.queue, ticket.state, ticket.assurance) == ("medicine", State.EXPECTED, Assurance.UNKNOWN)


async def test_a_counter_that_is_given_another_queue_leads_there_with_the_next_scan(hospital: Hospital) -> None:
    tokens = [(await hospital.desk.enqueue(arrival())).token for _ in range(2)]
    await hospital.registry.put_counter(HIP, Counter(name="M1", queues=("registration",)))
    tokens += [(await hospital.desk.enqueue(arrival())).token for _ in range(2)]
    await hospital.registry.open_queue(HIP, "registration", False)
    closed = await hospital.desk.enqueue(arrival())
    assert (tokens, closed.refusal) == (["M-001", "M-002", "R-001", "R-002"], Refusal.CLOSED_QUEUE)


async def test_numbers_that_wait_for_check_in_are_shown_to_screens(hospital: Hospital) -> None:
    for _ in range(2):
        await hospital.desk.enqueue(arrival(text="of another system"))
    await hospital.desk.enqueue(arrival())
    snapshot = await hospital.desk.snapshot(HIP)
    assert snapshot
    medicine = snapshot.queues[0]
    assert (medicine.expected, medicine.expected_tokens, medicine.next) == (2, ("M-001", "M-002"), ("M-003",))


async def test_the_policy_may_refuse_people_without_proof_of_presence(hospital: Hospital) -> None:
    await hospital.registry.set_policy(
        HIP, Policy(far=PresenceRule.REFUSE, stale=PresenceRule.TAKE, unknown=PresenceRule.REFUSE)
    )
    far = await hospital.desk.enqueue(arrival(position=(28.6, 77.2)))
    unknown = await hospital.desk.enqueue(arrival(text=""))
    stale = await hospital.desk.enqueue(arrival(counter="M1", assurance=Assurance.STALE))
    assert (far.refusal, unknown.refusal) == (Refusal.FAR, Refusal.UNKNOWN_COUNTER)
    assert stale.state is State.WAITING


@pytest.mark.parametrize(
    ("rule", "state", "refusal"),
    [
        (PresenceRule.TAKE, State.WAITING, None),
        (PresenceRule.EXPECT, State.EXPECTED, None),
        (PresenceRule.REFUSE, State.WAITING, Refusal.NO_PLACE),
    ],
)
@pytest.mark.parametrize("text", ["M1", "M17", "OLD POSTER"])
async def test_the_facility_decides_what_a_poster_without_a_place_counts(
    hospital: Hospital, rule: PresenceRule, state: State, refusal: Refusal | None, text: str
) -> None:
    await hospital.registry.map_text(HIP, "old poster", "M1")
    await hospital.registry.set_policy(HIP, Policy(poster=rule))
    place = await hospital.desk.enqueue(arrival(text=text))
    assert (place.state, place.refusal) == (state, refusal)
    near = await hospital.desk.enqueue(arrival(text=text, position=SRINAGAR))
    assert (near.outcome, near.state) == (Outcome.NEW, State.WAITING), "the phone says that it is here"
    far = await hospital.desk.enqueue(arrival(text=text, position=(28.6, 77.2)))
    assert (far.outcome, far.state) == (Outcome.NEW, State.EXPECTED), "the rule for phones far away"
    on_screen = await hospital.desk.enqueue(arrival(counter="M1", assurance=Assurance.SCREEN))
    assert (on_screen.outcome, on_screen.state) == (Outcome.NEW, State.WAITING)


async def test_a_place_proves_nothing_for_a_poster_of_a_facility_whose_own_place_is_unknown(hospital: Hospital) -> None:
    await hospital.registry.put_facility(Facility(hip_id=HIP, name="Without a place"))
    await hospital.registry.set_policy(HIP, Policy(poster=PresenceRule.EXPECT))
    assert (await hospital.desk.enqueue(arrival(position=SRINAGAR))).state is State.EXPECTED


async def test_a_poster_scanned_again_checks_nobody_in_where_posters_wait_for_check_in(hospital: Hospital) -> None:
    await hospital.registry.set_policy(HIP, Policy(poster=PresenceRule.EXPECT))
    patient = arrival()
    assert (await hospital.desk.enqueue(patient)).expected
    assert (await hospital.desk.enqueue(again(patient))).expected
    present = await hospital.desk.enqueue(again(patient, counter="M1", assurance=Assurance.SCREEN))
    assert (present.token, present.state) == ("M-001", State.WAITING)
