"""The clerk's desk: who is shown, what each move comes to, and in which words."""

import asyncio
from collections import Counter

import pytest
from litestar import Litestar

from kiosk.console.desk import MOVES
from kiosk.patient.person import Patient
from kiosk.services.web import Services
from queueing.models import Place
from queueing.policy import Policy
from tests.kiosk.console.signed_in import HIP, OTHER_HIP, Browser, arrive, browser, ready_login

pytestmark = pytest.mark.anyio

ASHA = Patient(
    name="Asha Devi", gender="F", year_of_birth=1988, month_of_birth=3, day_of_birth=14, abha_number="91000044441111",
    abha_address="asha.devi@sbx", phone="9000000001", line="12 Karan Nagar", district="Srinagar", pincode="190010",
)  # fmt: skip


async def test_the_list_tells_people_apart_without_showing_everything(clerk: Browser, services: Services) -> None:
    await arrive(services.check_in, ASHA, position=(34.2, 74.3))
    (row,) = (await clerk.desk())["tickets"]
    assert (row["token"], row["name"], row["gender"], row["last_four"]) == ("M-001", "Asha Devi", "F", "1111")
    assert int(row["age"]) >= 38
    assert row["tags"] == ["poster", "near"]
    assert row["reply_delivered"] is True
    assert "91000044441111" not in str(row)
    assert "9000000001" not in str(row)


async def test_the_patient_at_the_counter_comes_with_all_that_registration_needs(
    clerk: Browser, services: Services
) -> None:
    await arrive(services.check_in, ASHA)
    answer = await clerk.ask("/console/desk/next", counter="M1", seen="")
    assert (answer.json()["outcome"], answer.json()["words"]) == ("MOVED", "M-001 called to M1.")
    view = await clerk.desk()
    assert view["current"]["token"] == "M-001"
    assert {one["label"]: one["value"] for one in view["details"]} == {
        "Name": "Asha Devi", "Gender": "Female", "Born": "14-03-1988", "ABHA number": "91-0000-4444-1111",
        "ABHA address": "asha.devi@sbx", "Phone": "9000000001", "Address": "12 Karan Nagar", "District": "Srinagar",
        "PIN": "190010",
    }  # fmt: skip
    assert (await clerk.desk("M2"))["current"] is None


async def test_a_form_that_looks_like_somebody_who_waits_is_marked_for_the_clerk(
    clerk: Browser, services: Services
) -> None:
    """The same person by the ABHA app and again by the form: two numbers, and the store cannot know."""
    await arrive(services.check_in, ASHA)
    again = Patient(name="asha devi", year_of_birth=1988)
    await services.check_in.by_camera(HIP, "medicine", again, "form-1")
    rows = {row["token"]: row["tags"] for row in (await clerk.desk())["tickets"]}
    assert rows == {"M-001": ["poster"], "M-002": ["camera", "same as M-001?"]}


async def test_a_desk_shows_its_own_queues_and_no_other(clerk: Browser, services: Services) -> None:
    await arrive(services.check_in, "Medicine Patient")
    await arrive(services.check_in, "Registration Patient", context="R1")
    assert [row["name"] for row in (await clerk.desk("M1"))["tickets"]] == ["Medicine Patient"]
    assert [row["name"] for row in (await clerk.desk("R1"))["tickets"]] == ["Registration Patient"]
    answer = await clerk.get("/console/desk?counter=Z9", headers={"accept": "application/json"})
    assert answer.status_code == 404


async def test_a_doubled_press_of_next_calls_one_patient(clerk: Browser, services: Services) -> None:
    for name in ("First", "Second", "Third"):
        await arrive(services.check_in, name)
    pressed = [clerk.ask("/console/desk/next", counter="M1", seen="") for _ in range(4)]
    outcomes = sorted([answer.json()["outcome"] for answer in await asyncio.gather(*pressed)])
    assert outcomes == ["MOVED", "TAKEN", "TAKEN", "TAKEN"]
    view = await clerk.desk()
    assert view["current"]["name"] == "First"
    assert [row["name"] for row in view["tickets"] if row["state"] == "waiting"] == ["Second", "Third"]


async def test_a_clerk_who_was_slower_is_told_which_counter_was_quicker(
    app: Litestar, clerk: Browser, services: Services
) -> None:
    await ready_login(services.staff, "bilal")
    place = await arrive(services.check_in, "Wanted By Two")
    async with browser(app, address="10.1.2.9") as other:
        await other.sign_in("bilal")
        await other.ask("/console/desk/call", counter="M2", ticket=place.ticket)
    late = (await clerk.ask("/console/desk/call", counter="M1", ticket=place.ticket)).json()
    assert (late["outcome"], late["words"]) == ("TAKEN", "Counter M2 took M-001 first.")
    assert late["ticket"]["counter"] == "M2"


async def test_each_move_does_what_its_sentence_says(clerk: Browser, services: Services) -> None:
    first, second = [(await arrive(services.check_in, name)).ticket for name in ("First", "Second")]

    async def sentence_of(move: str, **body: str) -> str:
        sentence: str = (await clerk.ask(f"/console/desk/{move}", counter="M1", **body)).json()["words"]
        return sentence

    assert await sentence_of("next", seen="") == "M-001 called to M1."
    assert await sentence_of("recall") == "M-001 called again."
    assert await sentence_of("no-show", ticket=first) == "M-001 did not come."
    assert await sentence_of("bring-back", ticket=first) == "M-001 is back, near the front."
    assert await sentence_of("undo") == "Undone at M1. M-001: Did not come."
    assert await sentence_of("call", ticket=second) == "M-002 called to M1."
    assert await sentence_of("start", ticket=second) == "M-002 is at the counter."
    assert await sentence_of("hold", ticket=second) == "M-002 on hold; the place is kept."
    assert await sentence_of("lane", ticket=second, reason="doctor") == "M-002 is now: Sent back by the doctor."
    (row,) = [one for one in (await clerk.desk("M1"))["tickets"] if one["id"] == second]
    assert (row["lane"], row["lane_mark"], row["priority"]) == ("priority", "BACK", "Sent back by the doctor")
    assert await sentence_of("lane", ticket=second, reason="ordinary") == "M-002 is now: Ordinary."
    assert await sentence_of("lane", ticket=second, lane="pregnant") == "M-002 is now: Pregnant."
    assert await sentence_of("transfer", ticket=second, to="registration") == "M-002 sent to Registration."
    assert await sentence_of("transfer", ticket=second, to="nowhere") == "This queue does not exist or is closed."
    assert await sentence_of("cancel", ticket=first) == "M-001 cancelled."
    assert await sentence_of("finish", ticket=second) == "That does not go now: M-002 is “Waiting”."
    assert await sentence_of("next", seen="") == "Nobody is waiting."
    assert [row["token"] for row in (await clerk.desk("R1"))["tickets"]] == ["M-002"]


async def test_next_asks_whether_a_called_patient_came_and_each_answer_is_kept(
    clerk: Browser, services: Services
) -> None:
    first, _, third = [(await arrive(services.check_in, name)).ticket for name in ("First", "Second", "Third")]

    async def ask(move: str, **body: str) -> tuple[str, str]:
        answer = (await clerk.ask(f"/console/desk/{move}", counter="M1", **body)).json()
        return answer["outcome"], answer["words"]

    assert await ask("next", seen="", current="ask") == ("MOVED", "M-001 called to M1.")
    assert await ask("next", seen=first, current="ask") == (
        "UNANSWERED",
        "M-001 was called here. Did the patient come?",
    )
    assert await ask("call", ticket=third, current="ask") == (
        "UNANSWERED",
        "M-001 was called here. Did the patient come?",
    )
    assert await ask("next", seen=first, current="no_show") == ("MOVED", "M-002 called to M1.")
    assert await ask("call", ticket=third, current="finish") == ("MOVED", "M-003 called to M1.")
    assert await ask("start", ticket=third) == ("MOVED", "M-003 is at the counter.")
    assert await ask("next", seen=third, current="ask") == ("EMPTY", "Nobody is waiting.")
    assert [(one.token, one.state.name) for one in await services.desk.tickets(HIP)] == [("M-001", "NO_SHOW")]
    assert [(one.token, one.state.name) for one in await services.desk.ended(HIP)] == [
        ("M-003", "DONE"),
        ("M-002", "DONE"),
    ]
    assert (await clerk.ask("/console/desk/next", counter="M1", current="perhaps")).status_code == 400


async def test_an_undo_names_the_counter_of_the_move(clerk: Browser, services: Services) -> None:
    await arrive(services.check_in, "First")
    await clerk.ask("/console/desk/next", counter="M2", seen="")
    answer = (await clerk.ask("/console/desk/undo", counter="M1")).json()
    assert answer["words"] == "Undone at M2. M-001: Waiting."


async def test_a_patient_who_registered_from_afar_is_checked_in_at_the_desk(clerk: Browser, services: Services) -> None:
    place = await arrive(services.check_in, "Far Away", position=(28.6, 77.2))
    (row,) = (await clerk.desk())["tickets"]
    assert (row["state"], row["near"], "far away" in row["tags"]) == ("expected", "far", True)
    assert (await clerk.ask("/console/desk/next", counter="M1", seen="")).json()["outcome"] == "EMPTY"
    await clerk.ask("/console/desk/check-in", counter="M1", ticket=place.ticket)
    assert (await clerk.ask("/console/desk/next", counter="M1", seen="")).json()["words"] == "M-001 called to M1."


async def test_a_ticket_whose_reply_was_parked_is_marked(clerk: Browser, services: Services) -> None:
    await arrive(services.check_in, "Not Told")
    await arrive(services.check_in, "Not Owed")
    pending_replies = await services.outbox.take(limit=2, wait_ms=500)
    await services.outbox.park(next(pending for pending in pending_replies if pending.token == "M-001"), "no answer")
    assert {row["token"]: row["reply_delivered"] for row in (await clerk.desk())["tickets"]} == {
        "M-001": False,
        "M-002": True,
    }


NAMES = {
    "Asha\u202eived\u2066": "Ashaived",
    "Zal" + "\u0301" * 300 + "go": "Zaĺ" + "\u0301" * 4 + "go",
    "nul\x00l\x1b[31m\x9b": "null[31m",
    "<script>alert(1)</script>": "<script>alert(1)</script>",
    "Mohammad Abdul Rashid Bhat S/o Ghulam Mohammad Bhat R/o Village Wagoora": (
        "Mohammad Abdul Rashid Bhat S/o Ghulam Mohammad Bhat R/o Village Wagoora"
    ),
    "x" * 10_000: "x" * 127 + "…",
    "two\r\nlines\tand tabs": "two  lines and tabs",
    "शान्ति देवी": "शान्ति देवी",
    "غلام محمد ڈار": "غلام محمد ڈار",
}


async def test_a_name_is_shown_clean_whatever_was_sent(clerk: Browser, services: Services) -> None:
    for sent in NAMES:
        await arrive(services.check_in, sent)
    assert [row["name"] for row in (await clerk.desk())["tickets"]] == list(NAMES.values())


async def test_a_profile_that_cannot_be_opened_is_still_a_number_to_call(clerk: Browser, services: Services) -> None:
    place = await arrive(services.check_in, "Erased")
    services.seal._keys = {}
    (row,) = (await clerk.desk())["tickets"]
    assert (row["token"], row["name"]) == ("M-001", "")
    assert (await clerk.ask("/console/desk/call", counter="M1", ticket=place.ticket)).json()["outcome"] == "MOVED"


async def test_details_of_a_waiting_patient_are_read_without_calling(clerk: Browser, services: Services) -> None:
    place: Place = await arrive(services.check_in, ASHA)
    answer = (await clerk.ask("/console/desk/patient", ticket=place.ticket)).json()
    assert {"label": "Phone", "value": "9000000001"} in answer["details"]
    assert (await clerk.desk())["tickets"][0]["state"] == "waiting"


async def test_the_counter_is_remembered_for_the_next_sign_in(app: Litestar, clerk: Browser) -> None:
    assert (await clerk.get("/console")).headers["location"] == "/console/counters"
    assert (await clerk.get("/console/at/M2")).status_code == 200
    assert (await clerk.get("/console/at/Z9")).headers["location"] == "/console/counters"
    async with browser(app) as tomorrow:
        await tomorrow.sign_in("asha")
        assert (await tomorrow.get("/console")).headers["location"] == "/console/at/M2"


async def test_the_event_log_names_the_login_that_moved_a_ticket(
    app: Litestar, clerk: Browser, services: Services
) -> None:
    """Undo belongs to the person: another clerk has nothing to undo."""
    await ready_login(services.staff, "bilal")
    await arrive(services.check_in, "Somebody")
    await clerk.ask("/console/desk/next", counter="M1", seen="")
    async with browser(app, address="10.1.2.9") as other:
        await other.sign_in("bilal")
        assert (await other.ask("/console/desk/undo", counter="M1")).json()["outcome"] == "NOTHING_TO_UNDO"
    assert (await clerk.ask("/console/desk/undo", counter="M1")).json()["outcome"] == "MOVED"


async def test_an_undo_of_what_a_colleague_moved_since_says_so(
    app: Litestar, clerk: Browser, services: Services
) -> None:
    await ready_login(services.staff, "bilal")
    await arrive(services.check_in, "First")
    await arrive(services.check_in, "Second")
    await clerk.ask("/console/desk/next", counter="M1", seen="")
    await clerk.ask("/console/desk/start", counter="M1")
    async with browser(app, address="10.1.2.9") as other:
        await other.sign_in("bilal")
        assert (await other.ask("/console/desk/next", counter="M1")).json()["words"] == "M-002 called to M1."
    for counter in ("M1", "M2"):
        late = (await clerk.ask("/console/desk/undo", counter=counter)).json()
        assert late["words"] == "Not undone: M-001 was moved by somebody else since. It is now “Finished”.", counter


async def test_a_move_that_does_not_exist_is_not_found(clerk: Browser) -> None:
    assert (await clerk.ask("/console/desk/promote", counter="M1")).status_code == 404
    assert (await clerk.ask("/console/desk/lane", counter="M1", ticket="x", reason="royal")).status_code == 404
    assert (await clerk.ask("/console/desk/lane", counter="M1", ticket="x", reason="none")).status_code == 404
    assert (await clerk.ask("/console/desk/lane", counter="M1", ticket="x")).status_code == 404
    assert (await clerk.ask("/console/desk/hold", counter="M1", ticket="x" * 65)).status_code == 404


def test_every_move_of_the_desk_has_a_sentence() -> None:
    from kiosk.console import messages
    from queueing.models import Outcome

    assert set(messages.DONE) == set(MOVES)
    outcomes_with_a_sentence = set(messages.OUTCOMES) | {Outcome.MOVED}
    assert {one for one in Outcome if 5 <= one <= 13} <= outcomes_with_a_sentence


async def test_the_page_of_the_desk_carries_no_patient(clerk: Browser, services: Services) -> None:
    await arrive(services.check_in, ASHA)
    page = (await clerk.get("/console/at/M1")).text
    assert "Asha Devi" not in page
    assert OTHER_HIP not in page
    assert f"/live/{HIP}" in page


async def test_who_was_finished_or_cancelled_today_is_listed_by_name_and_is_brought_back(
    clerk: Browser, services: Services
) -> None:
    done = await arrive(services.check_in, "Finished Patient")
    gone = await arrive(services.check_in, "Cancelled Patient")
    await arrive(services.check_in, "Waiting Patient")
    await arrive(services.check_in, "Registration Patient", context="R1")
    await clerk.ask("/console/desk/next", counter="M1", seen="")
    await clerk.ask("/console/desk/finish", counter="M1", ticket=done.ticket)
    await clerk.ask("/console/desk/cancel", counter="M1", ticket=gone.ticket)

    async def ended(counter: str) -> list[tuple[str, str, str]]:
        answer = await clerk.get("/console/desk/ended", params={"counter": counter})
        assert answer.headers["cache-control"] == "no-store"
        return [(row["token"], row["name"], row["state"]) for row in answer.json()["tickets"]]

    assert await ended("M1") == [
        ("M-002", "Cancelled Patient", "cancelled"), ("M-001", "Finished Patient", "done"),
    ]  # fmt: skip
    assert await ended("R1") == []
    assert [entry.why for entry in await services.audit.read(HIP) if entry.kind == "list_read"] == ["R1", "M1"]
    back = (await clerk.ask("/console/desk/bring-back", counter="M1", ticket=done.ticket)).json()
    assert back["words"] == "M-001 is back, near the front."
    assert [row[0] for row in await ended("M1")] == ["M-002"]
    assert "M-001" in [row["token"] for row in (await clerk.desk())["tickets"]]
    back = (await clerk.ask("/console/desk/bring-back", counter="M1", ticket=gone.ticket)).json()
    assert back["words"] == "M-002 is back, near the front."
    assert await ended("M1") == []
    assert (await clerk.get("/console/desk/ended", params={"counter": "Z9"})).status_code == 404


async def test_above_four_hundred_tickets_everybody_who_is_not_waiting_is_listed_and_the_rest_is_counted(
    clerk: Browser, services: Services
) -> None:
    await services.registry.set_policy(HIP, Policy(rate=1000, burst=1000))
    places = [await arrive(services.check_in, f"Patient {chr(65 + n // 26)}{chr(65 + n % 26)}") for n in range(450)]
    for _ in range(20):
        called = (await services.desk.call_next(HIP, "M1", by="asha")).ticket
        assert called is not None
        await services.desk.no_show(HIP, called.id, by="asha")
    for place in places[440:445]:
        await services.desk.hold(HIP, place.ticket, by="asha")
    view = await clerk.desk()
    states = Counter(row["state"] for row in view["tickets"])
    assert states == {"waiting": 375, "no_show": 20, "held": 5}
    assert view["more"] is True
    assert [one["unlisted"] for one in view["queues"] if one["mine"]] == [50]
    waiting = [row["token"] for row in view["tickets"] if row["state"] == "waiting"]
    assert (waiting[0], waiting[-1]) == ("M-021", "M-395")


async def test_the_list_of_the_ended_is_for_staff(stranger: Browser) -> None:
    answer = await stranger.get("/console/desk/ended", params={"counter": "M1"}, headers={"accept": "application/json"})
    assert answer.status_code == 401
