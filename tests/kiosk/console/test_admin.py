"""The facility administrator's page."""

import re

import pytest
from litestar import Litestar
from msgspec.structs import replace

from kiosk.accounts.service import login_ending
from kiosk.console import rooms
from kiosk.services.web import Services
from queueing.lanes import LANES, Lane
from queueing.models import Refusal
from queueing.policy import PresenceRule
from tests.kiosk.console.signed_in import HIP, Browser, arrive, browser

ENDING = login_ending(HIP)
pytestmark = pytest.mark.anyio


async def test_a_queue_and_its_counter_count_at_once(admin: Browser, services: Services) -> None:
    answer = await admin.send_form("/console/admin/queue", id="surgery", name="Surgery OPD", prefix="s", limit="200")
    assert answer.headers["location"] == "/console/admin/rooms/queues?done=queue#queue"
    await admin.send_form("/console/admin/counter", name="s1", queues="surgery, medicine")
    counter = next(one for one in await services.registry.counters(HIP) if one.name == "S1")
    assert counter.queues == ("surgery", "medicine")
    place = await arrive(services.check_in, "First of Surgery", context="S1")
    assert place.token == "S-001"
    assert "Queue saved." in (await admin.get("/console/admin/rooms/queues?done=queue")).text


async def test_an_empty_number_of_numbers_a_day_is_no_limit(admin: Browser, services: Services) -> None:
    async def limit_shown() -> tuple[int, str]:
        queue = next(one for one in await services.registry.queues(HIP) if one.id == "surgery")
        form = (await admin.get("/console/admin/rooms/queues?queue=surgery")).text
        typed = re.search(r'name="limit"[^>]*value="([^"]*)"', form)
        assert typed
        return queue.limit, typed[1]

    fields = {"id": "surgery", "name": "Surgery OPD", "prefix": "S"}
    await admin.send_form("/console/admin/queue", limit="", **fields)
    assert await limit_shown() == (99_999, "")
    await admin.send_form("/console/admin/queue", limit="200", **fields)
    await admin.send_form("/console/admin/queue", **fields)
    assert await limit_shown() == (200, "200"), "a form without the field"
    await admin.send_form("/console/admin/queue", limit="", **fields)
    assert await limit_shown() == (99_999, "")
    page = (await admin.get("/console/admin/rooms/queues")).text
    assert ">no limit<" in page
    assert "99999" not in page
    assert "Empty: no limit." in page


async def test_who_serves_at_a_counter_is_saved_alone_and_can_be_taken_back(admin: Browser, services: Services) -> None:
    before = (await services.registry.counters(HIP))[0]
    typed = "  Dr. Asha Kumari,\u202e Medicine "
    answer = await admin.send_form("/console/admin/counter", name=before.name, served_by=typed)
    assert answer.headers["location"] == "/console/admin/rooms/queues?done=counter#counter"
    named = (await services.registry.counters(HIP))[0]
    assert named == replace(before, served_by="Dr. Asha Kumari, Medicine")
    await admin.send_form("/console/admin/counter", name=before.name, queues=", ".join(before.queues))
    await admin.send_form("/console/admin/counter-open", name=before.name, open="0")
    await admin.send_form("/console/admin/counter-open", name=before.name, open="1")
    assert (await services.registry.counters(HIP))[0] == named, "other forms leave it as it is"
    assert 'value="Dr. Asha Kumari, Medicine"' in (await admin.get("/console/admin/rooms/queues")).text
    await admin.send_form("/console/admin/counter", name=before.name, served_by=" ")
    assert (await services.registry.counters(HIP))[0] == before
    await _take_back(admin, "counter")
    assert (await services.registry.counters(HIP))[0] == named
    audit = (await admin.get("/console/audit")).text
    assert audit.count("saved a counter") >= 3
    assert "Asha Kumari" not in audit


async def _take_back(admin: Browser, kind: str) -> None:
    page = (await admin.get("/console/admin/rooms/queues")).text
    mark = re.search(rf'name="kind"\s+value="{kind}"><input type="hidden"\s+name="mark"\s+value="([^"]+)"', page)
    assert mark is not None
    await admin.send_form("/console/admin/take-back", kind=kind, mark=mark[1])


async def test_too_long_a_name_is_refused_beside_its_field_and_stays_typed(admin: Browser) -> None:
    typed = "Dr. " + "ک" * 61
    page = (await admin.send_form("/console/admin/counter", name="M1", served_by=typed)).text
    field = re.search(rf'<input name="served_by"[^>]*value="{typed}"[^>]*>', page)
    assert field is not None
    assert 'aria-invalid="true"' in field[0]
    assert 'aria-describedby="served-by-wrong"' in field[0]
    assert page.count('aria-invalid="true"') == 1
    assert re.search(r'id="served-by-wrong">\s*Who serves there is written in at most 64 characters', page)


ROOMS = [leaf.path for room in rooms.ROOMS for leaf in room.leaves]
RULES = {"far": "TAKE", "stale": "REFUSE", "unknown": "TAKE", "poster": "EXPECT", "near_m": "700"}
MISFITS: list[tuple[str, dict[str, str], int, str]] = [
    ("queue", {"id": "a b", "name": "X", "prefix": "X"}, 422, "letters, digits"),
    ("queue", {"id": "x", "name": "", "prefix": "X"}, 422, "needs a name"),
    ("queue", {"id": "x", "name": "X", "prefix": "XXXX"}, 422, "1 to 3 letters"),
    ("queue", {"id": "x", "name": "X", "prefix": "M"}, 409, "this prefix already"),
    ("queue", {"id": "x", "name": "X", "prefix": "X", "limit": "0"}, 422, "from 1 to"),
    ("queue", {"id": "x", "name": "X", "prefix": "X", "limit": "99999999999999999999"}, 422, "from 1 to"),
    ("queue", {"id": "x", "name": "X", "prefix": "X", "carry_over_min": "1441"}, 422, "from 0 to 1440"),
    ("queue", {"id": "medicine", "name": "X", "carry_over_min": "two"}, 422, "from 0 to 1440"),
    ("counter", {"name": "MEDICINE1", "queues": "medicine"}, 422, "at most 4 characters"),
    ("counter", {"name": "M9", "queues": "nowhere"}, 422, "Choose the queue to which"),
    ("counter", {"name": "M9", "served_by": "Dr. Asha"}, 422, "Choose the queue to which"),
    ("counter", {"name": "M1", "served_by": "x" * 65}, 422, "at most 64 characters"),
    ("counter-open", {"name": "Z9", "open": "1"}, 404, "does not exist"),
    ("queue-open", {"id": "nowhere", "open": "1"}, 404, "does not exist"),
    ("default", {"id": "nowhere"}, 404, "does not exist"),
    ("text", {"text": "", "counter": "M1"}, 422, "1 to 250"),
    ("text", {"text": "OLD", "counter": "Z9"}, 404, "does not exist"),
    ("policy", {"far": "SOMETIMES"}, 422, "Choose"),
    ("policy", RULES | {"near_m": "-1"}, 422, "from 0"),
    ("policy", RULES | {"poster": "PERHAPS"}, 422, "Choose"),
    ("policy", RULES | {"rate": "0"}, 422, "Scans a second is a number from 0.1 to 10000"),
    ("policy", RULES | {"rate": "20 a minute"}, 422, "Scans a second is a number"),
    ("policy", RULES | {"rate": "10001"}, 422, "Scans a second is a number"),
    ("policy", RULES | {"burst": "100001"}, 422, "Scans at once is a whole number from 1"),
    ("policy", RULES | {"burst": "-5"}, 422, "Scans at once is a whole number from 1"),
    ("policy", RULES | {"no_show_after_s": "86401"}, 422, "The time to a no-show is a whole number of seconds from 0"),
    ("policy", RULES | {"no_show_after_s": "٣"}, 422, "The time to a no-show is a whole number of seconds from 0"),
    ("facility", {"name": "", "timezone": ""}, 422, "needs a name"),
    ("facility", {"name": "X", "timezone": "../../etc/passwd"}, 422, "time zone"),
    ("facility", {"name": "X", "latitude": "91"}, 422, "latitude"),
    ("staff", {"login": "x"}, 422, "2 to 64"),
    ("staff", {"login": "x" * 60}, 422, "2 to 64"),
    ("nonsense", {}, 404, ""),
]


async def test_what_does_not_fit_is_named_on_the_page_and_changes_nothing(admin: Browser, services: Services) -> None:
    async def registry_rows() -> list[object]:
        registry = services.registry
        return [await registry.queues(HIP), await registry.counters(HIP), await registry.facility(HIP)]

    before = await registry_rows()
    for act, form, status, sentence in MISFITS:
        answer = await admin.send_form(f"/console/admin/{act}", **form)
        assert (answer.status_code, sentence in answer.text) == (status, True), (act, form)
        assert await registry_rows() == before, (act, form)


async def test_the_hospitals_names_are_saved_bounded_and_removed(admin: Browser, services: Services) -> None:
    path = "/console/admin/facility"

    async def stored() -> tuple[str, dict[str, str]]:
        facility = await services.registry.facility(HIP)
        assert facility is not None
        return facility.name, facility.names

    hindi, urdu = "ज़िला अस्पताल", "ضلع ہسپتال"
    names = {"name_hi": f"\u202e{hindi}\u0007", "name_ur": urdu, "name_ks": "ض" * 300, "name_pa": "\u200b"}
    await admin.send_form(path, name="District Hospital", **names, name_xx="no language")
    assert await stored() == ("District Hospital", {"hi": hindi, "ur": urdu, "ks": "ض" * 200})
    page = (await admin.get("/console/admin/rooms/facility")).text
    assert re.search(f'name="name_ur"[^>]*lang="ur"[^>]*dir="rtl"[^>]*value="{urdu}"', page)
    await admin.send_form(path, name="Renamed")  # a page of an earlier release has no fields for them
    assert await stored() == ("Renamed", {"hi": hindi, "ur": urdu, "ks": "ض" * 200})
    refused = await admin.send_form(path, name="Renamed", name_hi="टाइप किया", timezone="Nowhere/Town")
    assert refused.status_code == 422
    assert 'value="टाइप किया"' in refused.text
    await admin.send_form(path, name="Renamed", name_hi="", name_ks="", name_ur=urdu)
    assert await stored() == ("Renamed", {"ur": urdu})


async def test_rules_texts_default_and_facts_are_saved(admin: Browser, services: Services) -> None:
    rules = {"far": "REFUSE", "stale": "TAKE", "unknown": "EXPECT", "poster": "TAKE", "near_m": "1500"}
    await admin.send_form("/console/admin/policy", **rules)
    await admin.send_form("/console/admin/text", text="old-uuid-1234", counter="R1")
    await admin.send_form("/console/admin/default", id="registration")
    await admin.send_form("/console/admin/facility", name="New Name", district="Pulwama", timezone="Asia/Kolkata")
    facility = await services.registry.facility(HIP)
    assert facility is not None
    assert (facility.policy.far, facility.policy.stale, facility.policy.near_m) == (
        PresenceRule.REFUSE,
        PresenceRule.TAKE,
        1500,
    )
    assert (facility.default_queue, facility.name, facility.latitude) == ("registration", "New Name", None)
    assert (await arrive(services.check_in, "Old Poster", context="OLD-UUID-1234")).token == "R-001"
    assert "OLD-UUID-1234" in (await admin.get("/console/admin/rooms/posters")).text
    await admin.send_form("/console/admin/text", text="old-uuid-1234", counter="")
    assert await services.registry.texts(HIP) == {}


async def test_the_facilitys_own_limits_and_no_show_rule_are_saved_shown_and_cleared(
    admin: Browser, services: Services
) -> None:
    await admin.send_form("/console/admin/policy", **RULES, rate="7.5", burst="90", no_show_after_s="180")
    facility = await services.registry.facility(HIP)
    assert facility is not None
    assert facility.policy.poster is PresenceRule.EXPECT
    assert (facility.policy.rate, facility.policy.burst, facility.policy.no_show_after_s) == (7.5, 90, 180)
    page = (await admin.get("/console/admin/rooms/rules")).text
    assert {field: value_of(page, field) for field in ("rate", "burst", "no_show_after_s", "near_m")} == {
        "rate": "7.5", "burst": "90", "no_show_after_s": "180", "near_m": "700",
    }  # fmt: skip
    await admin.send_form("/console/admin/policy", **RULES, rate="", burst=" ", no_show_after_s="")
    facility = await services.registry.facility(HIP)
    assert facility is not None
    assert (facility.policy.rate, facility.policy.burst, facility.policy.no_show_after_s) == (None, None, 0)
    page = (await admin.get("/console/admin/rooms/rules")).text
    assert [value_of(page, field) for field in ("rate", "burst")] == ["", ""]


async def test_a_facility_above_its_own_burst_refuses_at_once(admin: Browser, services: Services) -> None:
    await admin.send_form("/console/admin/policy", **RULES, rate="0.1", burst="1")
    await arrive(services.check_in, "First", context="M1")
    second = await arrive(services.check_in, "Second", context="M1")
    assert second.refusal is Refusal.BUSY


async def test_a_wrong_rule_is_told_at_its_field_and_nothing_typed_is_lost(admin: Browser, services: Services) -> None:
    typed = RULES | {"rate": "7", "burst": "many", "no_show_after_s": "240"}
    page = (await admin.send_form("/console/admin/policy", **typed)).text
    for field in ("near_m", "rate", "burst", "no_show_after_s"):
        assert value_of(page, field) == typed[field], field
    assert re.findall(r'<option value="(\w+)"\s+selected>', page)[:3] == ["TAKE", "REFUSE", "TAKE"]
    assert re.search(r'name="burst"[^>]*aria-invalid="true"\s+aria-describedby="burst-wrong"', page)
    assert re.search(r'id="burst-wrong">Scans at once is a whole number', page)
    assert page.count("aria-invalid") == 1
    evil = (await admin.send_form("/console/admin/policy", **(typed | {"rate": '"><script>'}))).text
    assert "<script>" not in evil.partition('id="policy"')[2].partition("</section>")[0]


def value_of(page: str, field: str) -> str:
    """What stands in a field of the rules."""
    found = re.search(rf'name="{field}"[^>]*?\s+value="([^"]*)"', page.partition('id="policy"')[2])
    assert found is not None, field
    return found[1]


async def test_closing_and_opening_is_one_press(admin: Browser, services: Services) -> None:
    await admin.send_form("/console/admin/counter-open", name="M1", open="0")
    await admin.send_form("/console/admin/queue-open", id="registration", open="0")
    assert {one.name for one in await services.registry.counters(HIP) if not one.open} == {"M1"}
    assert {one.id for one in await services.registry.queues(HIP) if not one.open} == {"registration"}


async def test_the_room_says_how_many_wait_and_what_closing_a_queue_did(admin: Browser, services: Services) -> None:
    await arrive(services.check_in, "Asha Devi")
    closed = await admin.send_form("/console/admin/queue-open", id="medicine", open="0")
    page = (await admin.get(closed.headers["location"].partition("#")[0])).text
    assert "whoever waits keeps the place and is called" in page
    row = page.partition(">medicine</bdi>")[2].partition("</tr>")[0]
    assert '<td class="number">1</td>' in row
    opened = await admin.send_form("/console/admin/queue-open", id="medicine", open="1")
    assert opened.headers["location"].endswith("?done=queue-opened#queue")


async def test_a_row_is_changed_without_typing_it_again(admin: Browser, services: Services) -> None:
    page = (await admin.get("/console/admin/rooms/queues?queue=medicine&counter=M1")).text
    queue = page.partition('id="queue-form"')[2].partition("</form>")[0]
    assert 'value="medicine"' in queue
    assert 'value="M"' in queue
    counter = page.partition('id="counter-form"')[2].partition("</form>")[0]
    assert 'value="M1"' in counter
    assert 'value="medicine"' in counter
    unknown = (await admin.get("/console/admin/rooms/queues?queue=nowhere&counter=X9")).text
    assert 'value="nowhere"' not in unknown


async def test_who_stays_over_midnight_is_set_in_the_row_of_a_queue(admin: Browser, services: Services) -> None:
    await admin.send_form("/console/admin/queue", id="medicine", name="Medicine OPD", carry_over_min="0")
    await admin.send_form("/console/admin/queue", id="night", name="Emergency", prefix="N", carry_over_min="1440")
    await admin.send_form("/console/admin/queue", id="night", name="Casualty")
    nights = {one.id: one.carry_over_min for one in await services.registry.queues(HIP)}
    assert nights == {"medicine": 0, "registration": 240, "night": 1440}
    page = (await admin.get("/console/admin/rooms/queues?queue=night")).text
    assert re.search(r'name="carry_over_min"[^>]*?\s+value="1440"', page)
    assert "keeps place and number into the new day" in page


async def test_the_rules_say_how_far_each_lane_is_ahead(admin: Browser) -> None:
    page = (await admin.get("/console/admin/rooms/rules")).text.partition('id="lanes"')[2]
    rows = re.findall(
        r"<tr>\s*<td>([^<]+)</td>.*?<td class=\"number\">([^<]+)</td>\s*<td>([^<]+)</td>", page, re.DOTALL
    )
    assert [(lane, minutes) for lane, minutes, _ in rows] == [
        (row.label, "–" if lane is Lane.EMERGENCY else str(row.head_start_min)) for lane, row in LANES.items()
    ]
    assert all(who.strip() for _, _, who in rows)


async def test_a_new_password_is_shown_once_and_works(app: Litestar, admin: Browser) -> None:
    shown = await admin.send_form("/console/admin/staff", login="Zahid", name="Zahid Mir", role="clerk")
    password = re.search(r"[a-z]{4}(?:-[a-z]{4}){4}", shown.text)
    assert password is not None
    assert password.group() not in (await admin.get("/console/admin/rooms/staff")).text
    async with browser(app, address="10.7.7.7") as one:
        assert (await one.sign_in(f"zahid{ENDING}", password.group())).status_code == 303
    again = await admin.send_form("/console/admin/reset", login=f"zahid{ENDING}")
    async with browser(app, address="10.7.7.7") as one:
        assert (await one.sign_in(f"zahid{ENDING}", password.group())).status_code == 401
    assert password.group() not in again.text


async def test_a_parked_answer_is_seen_and_sent_again(admin: Browser, services: Services) -> None:
    await arrive(services.check_in, "Not Told")
    (pending,) = await services.outbox.take(limit=5, wait_ms=500)
    await services.outbox.park(pending, "the gateway said <no>")
    page = (await admin.get("/console/admin")).text
    assert "the gateway said &lt;no&gt;" in page
    (parked,) = await services.outbox.parked(HIP)
    sent = await admin.send_form("/console/admin/resend", id=parked.id)
    assert sent.headers["location"] == "/console/admin?done=resent#parked"
    assert [one.token for one in await services.outbox.take(limit=5, wait_ms=500)] == ["M-001"]
    gone = await admin.send_form("/console/admin/resend", id=parked.id)
    assert gone.headers["location"] == "/console/admin?done=not_resent#parked"


@pytest.mark.slow
async def test_a_poster_is_a_picture_of_this_hospitals_counter(admin: Browser) -> None:
    answer = await admin.get("/console/admin/poster/M1")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    assert answer.content.startswith(b"\x89PNG")
    assert (await admin.get("/console/admin/poster/M1")).content == answer.content
    assert (await admin.get("/console/admin/poster/Z9")).status_code == 404


async def test_words_from_outside_stand_as_words_on_the_page(admin: Browser) -> None:
    evil = '"><script>alert(1)</script>'
    await admin.send_form("/console/admin/facility", name=evil)
    await admin.send_form("/console/admin/queue", id="evil", name=evil, prefix="E")
    await admin.send_form("/console/admin/text", text=evil, counter="M1")
    await admin.send_form("/console/admin/staff", login="evil", name=evil, role="clerk")
    for path in (*ROOMS, "/console/counters", "/console/at/M1"):
        page = (await admin.get(path)).text
        assert "<script>alert" not in page, path
        assert "<SCRIPT>ALERT" not in page, path


async def test_each_page_of_each_room_marks_itself_in_the_navigation(admin: Browser) -> None:
    for room in rooms.ROOMS:
        for leaf in room.leaves:
            page = (await admin.get(leaf.path)).text
            navigation = page.partition('<nav class="rooms"')[2].partition("</nav>")[0]
            links = re.findall(r'<a href="([^"]+)"([^>]*)>', navigation)
            assert {one.leaves[0].path for one in rooms.ROOMS} <= {path for path, _ in links}, leaf.path
            present = [path for path, rest in links if 'aria-current="page"' in rest]
            assert set(present) == {leaf.path}, leaf.path
    assert (await admin.get("/console/admin/rooms/nowhere")).status_code == 404


async def test_a_clerk_sees_announcements_without_the_rooms(clerk: Browser) -> None:
    page = await clerk.get("/console/announcements")
    assert (page.status_code, "/console/admin/rooms" in page.text) == (200, False)


async def test_the_first_room_lists_last_changes_and_takes_any_of_them_back(admin: Browser, services: Services) -> None:
    await admin.send_form("/console/admin/screens/networks", networks="10.20.0.0/16")
    page = (await admin.get("/console/admin")).text
    section = page.partition('id="changes"')[2].partition("</section>")[0]
    assert "<b>Networks of the hospital</b>" in section
    mark = re.search(r'value="networks">.*?name="mark"\s+value="([^"]+)"', section, re.DOTALL)
    assert mark is not None
    form = {"kind": "networks", "mark": mark[1]}
    back = await admin.send_form("/console/admin/take-back", **form)
    assert back.headers["location"] == "/console/admin?done=take-back#changes"
    facility = await services.registry.facility(HIP)
    assert facility is not None
    assert facility.networks == ()
    again = await admin.send_form("/console/admin/take-back", **form)
    assert (again.status_code, "took it back already" in again.text) == (409, True)
    assert (await admin.send_form("/console/admin/take-back", kind="staff", mark="1")).status_code == 404
