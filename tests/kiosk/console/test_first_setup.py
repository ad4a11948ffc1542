"""An administrator sets up queues, counters and logins without ids to make up, and a refused form stays typed."""

import re

import pytest

from kiosk.accounts.service import login_ending
from kiosk.services.web import Services
from tests.kiosk.console.signed_in import HIP, Browser

pytestmark = pytest.mark.anyio
QUEUES = "/console/admin/rooms/queues"


async def test_a_queue_without_an_id_gets_one_from_its_name(admin: Browser, services: Services) -> None:
    for name, prefix in (("Eye & ENT OPD", "E"), ("eye ENT  OPD", "N"), ("हृदय रोग", "HR"), ("ا" * 90, "LA")):
        answer = await admin.send_form("/console/admin/queue", id=" ", name=name, prefix=prefix)
        assert answer.status_code == 303, name
    ids = {one.prefix: one.id for one in await services.registry.queues(HIP)}
    assert {prefix: ids[prefix] for prefix in ("E", "N", "HR", "LA")} == {
        "E": "eye-ent-opd", "N": "eye-ent-opd-2", "HR": "hr", "LA": "la",
    }  # fmt: skip


async def test_counters_are_made_together_and_their_queues_are_chosen_not_typed(
    admin: Browser, services: Services
) -> None:
    await admin.send_form("/console/admin/queue", name="Eye OPD", prefix="E")
    ticked = {"queue.medicine": "1", "queue.eye-opd": "1"}
    saved = await admin.send_form("/console/admin/counter", name="e1–e3, X7", first="eye-opd", **ticked)
    assert saved.headers["location"] == f"{QUEUES}?done=counters#counter"
    assert "Counters saved." in (await admin.get(saved.headers["location"])).text
    queues = {one.name: one.queues for one in await services.registry.counters(HIP)}
    assert {queues[name] for name in ("E1", "E2", "E3", "X7")} == {("eye-opd", "medicine")}
    page = (await admin.get(f"{QUEUES}?counter=E2")).text
    form = page[page.index('id="counter-form"') :]
    assert re.search(r'<option value="eye-opd" selected>', form)
    assert re.search(r'name="queue.medicine"\s+value="1" checked', form)
    assert "<bdi>Eye OPD</bdi>, <bdi>Medicine OPD</bdi>" in page


@pytest.mark.parametrize("name", ["Room 1", "E3-E1", "E1-M4", "E1-E999", "E1,,E2", "1-4"])
async def test_names_that_no_counter_can_have_make_no_counter(admin: Browser, services: Services, name: str) -> None:
    before = await services.registry.counters(HIP)
    page = await admin.send_form("/console/admin/counter", name=name, first="medicine")
    assert page.status_code == 422
    assert "letters and a number, at most 4 characters" in page.text
    assert await services.registry.counters(HIP) == before


@pytest.mark.parametrize(
    ("act", "form", "field"),
    [
        ("queue", {"name": "Eye OPD", "prefix": "M"}, "prefix"),
        ("queue", {"name": "Eye OPD", "prefix": "E", "limit": "many"}, "limit"),
        ("counter", {"name": "Room 12", "first": "medicine"}, "name"),
        ("staff", {"login": "Anna Bano", "name": "Anna Bano", "role": "admin"}, "login"),
        ("facility", {"name": "District Hospital", "timezone": "India/Srinagar"}, "timezone"),
    ],
)
async def test_a_refused_form_stays_typed_and_its_wrong_field_is_marked(
    admin: Browser, act: str, form: dict[str, str], field: str
) -> None:
    answer = await admin.send_form(f"/console/admin/{act}", **form)
    assert answer.status_code in {409, 422}
    marked = re.findall(r'<input[^>]*aria-invalid="true"[^>]*>', answer.text)
    assert [f'name="{field}"' in one for one in marked] == [True]
    assert "autofocus" in marked[0]
    for name, value in form.items():
        assert re.search(rf'name="{name}"[^>]*value="{value}"|<option value="{value}" selected', answer.text), name


async def test_a_name_longer_than_its_room_shows_that_it_goes_on(admin: Browser) -> None:
    long = "Gynaecology and Obstetrics including antenatal clinic and family planning"
    await admin.send_form("/console/admin/queue", name=long, prefix="G")
    page = (await admin.get(QUEUES)).text
    assert f"<bdi>{long}</bdi>" in page
    checked = (await admin.get("/console/posters")).text
    assert f"{long[:59].strip()}…" in checked


async def test_a_new_login_is_shown_whole_beside_its_password(admin: Browser) -> None:
    page = (await admin.send_form("/console/admin/staff", login="Zoona", name="Zoona Dar", role="clerk")).text
    shown = re.findall(r'<dd class="token big" dir="ltr">\s*(\S+)\s*</dd>', page)
    assert shown[0] == f"zoona{login_ending(HIP)}", "what has to be typed, with the ending that was added"
    assert re.fullmatch(r"(\w{4}-){4}\w{4}", shown[1])
