"""The administrator removes a queue, a counter or a login that was set up by mistake, and is told why one stays."""

import re

import pytest
from litestar import Litestar

from kiosk.console.room_messages import STILL_USED
from kiosk.services.web import Services
from queueing.removal import Use
from tests.kiosk.console.signed_in import HIP, Browser, arrive, browser, shown_text

pytestmark = pytest.mark.anyio
QUEUES, STAFF = "/console/admin/rooms/queues", "/console/admin/rooms/staff"


async def test_a_queue_and_its_counter_are_asked_about_removed_and_brought_back(
    admin: Browser, services: Services
) -> None:
    before = await services.registry.hospital(HIP)
    await admin.send_form("/console/admin/queue", id="eye", name="Eye OPD", prefix="E")
    await admin.send_form("/console/admin/counter", name="E1", queues="eye")
    page = shown_text(await admin.get(QUEUES))
    assert 'href="?remove=queue:eye"' in page
    assert 'href="?remove=counter:E1"' in page
    for act, field, value, sentence in (
        ("counter", "name", "E1", "Remove the counter E1?"), ("queue", "id", "eye", "Remove the queue Eye OPD?"),
    ):  # fmt: skip
        question = shown_text(await admin.get(f"{QUEUES}?remove={act}:{value}"))
        form = re.search(rf'action="/console/admin/remove-{act}">.*?</form>', question, re.DOTALL)
        assert form is not None
        assert sentence in form[0]
        assert f'name="{field}" value="{value}"' in re.sub(r"\s+", " ", form[0])
        assert "autofocus" in form[0]
        answer = await admin.send_form(f"/console/admin/remove-{act}", **{field: value})
        assert answer.headers["location"] == f"{QUEUES}?done=remove-{act}#{act}"
    assert await services.registry.hospital(HIP) == before
    assert "Queue removed." in (await admin.get(f"{QUEUES}?done=remove-queue")).text
    audit = shown_text(await admin.get("/console/audit"))
    assert "removed a queue" in audit
    assert "removed a counter" in audit
    changes = await services.last_changes.of(HIP)
    await admin.send_form("/console/admin/take-back", kind="queue", mark=changes["queue"].mark)
    assert [queue.id for queue in await services.registry.queues(HIP)] == ["medicine", "registration", "eye"]


async def test_what_is_used_stays_and_the_page_says_what_to_do(admin: Browser, services: Services) -> None:
    await arrive(services.check_in, "Asha Devi")
    before = await services.registry.hospital(HIP)
    refused = await admin.send_form("/console/admin/remove-queue", id="medicine")
    assert (refused.status_code, "Close it instead" in refused.text) == (409, True)
    served = await admin.send_form("/console/admin/remove-queue", id="registration")
    assert "Change the counter to other queues first" in served.text
    await services.desk.call_next(HIP, "M1", by="asha")
    called = await admin.send_form("/console/admin/remove-counter", name="M1")
    assert (called.status_code, "Close it instead" in called.text) == (409, True)
    for act, field in (("remove-queue", "id"), ("remove-counter", "name")):
        unknown = await admin.send_form(f"/console/admin/{act}", **{field: "nowhere"})
        assert (unknown.status_code, "does not exist" in unknown.text) == (404, True)
    assert await services.registry.hospital(HIP) == before
    assert set(STILL_USED) == set(Use)


async def test_a_login_is_removed_only_while_nobody_signed_in_with_it(
    app: Litestar, admin: Browser, services: Services
) -> None:
    password = await services.staff.add("zahid", facility=HIP, role="clerk")
    await services.staff.add("mistyped", facility=HIP, role="clerk")
    page = shown_text(await admin.get(STAFF))
    assert "?remove=staff:zahid" in page
    assert "?remove=staff:imran" not in page, "one's own"
    question = shown_text(await admin.get(f"{STAFF}?remove=staff:mistyped"))
    assert "Remove the login mistyped?" in question
    gone = await admin.send_form("/console/admin/remove-staff", login="mistyped")
    assert gone.headers["location"] == f"{STAFF}?done=remove-staff#staff"
    assert await services.staff.member("mistyped") is None
    assert "mistyped" not in {one.login for one in await services.staff.of(HIP)}
    assert "removed a login" in (await admin.get("/console/audit")).text
    async with browser(app, address="10.7.7.7") as one:
        assert (await one.sign_in("zahid", password)).status_code == 303
    assert "?remove=staff:zahid" not in (await admin.get(STAFF)).text
    for login, sentence in (("zahid", "disable it instead"), ("nobody", "Nobody of this facility")):
        stays = await admin.send_form("/console/admin/remove-staff", login=login)
        assert (stays.status_code, sentence in stays.text) == (422, True)
    assert await services.staff.member("zahid") is not None


async def test_a_login_of_another_facility_or_an_earlier_release_stays(admin: Browser, services: Services) -> None:
    await services.staff.add("elsewhere", facility="IN0110000999", role="clerk")
    await services.staff.add("older", facility=HIP, role="clerk")
    await services.staff._records.change("older", unused="")
    for login in ("elsewhere", "older"):
        assert (await admin.send_form("/console/admin/remove-staff", login=login)).status_code == 422
        assert await services.staff.member(login) is not None
