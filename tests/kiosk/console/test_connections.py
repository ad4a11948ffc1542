"""The page *Connections*: programs are added, allowed to have profiles, sent events again and removed."""

import re

import pytest
from msgspec import structs

from kiosk.exchange.target_setup import new_webhook
from kiosk.runtime.delivery_role import opened_secret
from kiosk.services.web import Services
from queueing.redis_keys import facility_key
from queueing.targets import EVERY_FACILITY, Delivery, EventRef, FailedTicket, ParkedEvent, Saved, Target
from tests.kiosk.console.signed_in import HIP, OTHER_HIP, Browser

pytestmark = pytest.mark.anyio
PAGE = "/console/connections"
URL = "https://hmis.hospital.example/events"
REF = EventRef(facility_key(HIP), "7-0", f"{facility_key(HIP)}-7-0")


async def acts(services: Services, hip: str = HIP) -> list[tuple[str, str, str]]:
    entries = await services.audit.read(hip)
    return [(one.kind, one.by, one.why) for one in entries if one.kind.startswith("admin_target")]


async def target_of(services: Services, facility: str = HIP, *, profiles: bool = True) -> Target:
    target, _ = new_webhook(URL, facility, services.target_seal, profiles=profiles, by="(command line)")
    await services.targets.add(target)
    return target


async def with_deliveries(services: Services, target: Target) -> None:
    """One failed, one delivered and one parked event."""
    state = await services.targets.one(target.id)
    progress = state.progress
    progress.failed = [FailedTicket("a", 1, 1, 1, [REF])]
    parked = structs.replace(REF, cursor="3-0", id=f"{facility_key(HIP)}-3-0")
    progress.parked = [ParkedEvent(parked, "ticket.done", "M-009", 1)]
    rows = [
        Delivery(1, REF, "ticket.called", "M-007", "failed", "500", 31, "no <b>room</b>", 1),
        Delivery(2, structs.replace(REF, id="other"), "ticket.done", "M-008", "delivered", "200", 12, "ok", 1),
    ]
    await services.targets.take_lease("test-1", 15_000, lambda _name: True)
    saved = Saved(id=target.id, generation=state.generation, progress=progress, deliveries=rows)
    assert await services.targets.save("test-1", [saved]) != [0]


async def test_an_added_webhook_shows_its_secret_once(admin: Browser, services: Services) -> None:
    answer = await admin.send_form(f"{PAGE}/webhook", url=URL, events="ticket.called, ticket.done", format="fhir")
    assert answer.status_code == 200
    (secret,) = re.findall(r"whsec_[A-Za-z0-9+/=]+", answer.text.replace("&#43;", "+").replace("&#61;", "="))
    assert answer.headers["cache-control"].startswith("no-store")
    (target,) = await services.targets.of(HIP)
    assert (target.address, target.events, target.format) == (URL, ("ticket.called", "ticket.done"), "fhir")
    assert opened_secret(services.target_seal, target) == secret
    assert (target.wants_profiles, target.profiles_on) == (False, {})
    page = (await admin.get(PAGE)).text
    assert "hmis.hospital.example" in page
    assert "whsec_" not in page
    assert await acts(services) == [("admin_target-add", "imran", f"{target.id} hmis.hospital.example")]


async def test_an_administrator_who_ticks_profiles_switches_them_on(admin: Browser, services: Services) -> None:
    await admin.send_form(f"{PAGE}/webhook", url=URL, profiles="1")
    await admin.send_form(f"{PAGE}/hl7", address="hl7.example:2575", tls="1")
    webhook, hl7 = await services.targets.of(HIP)
    assert webhook.profiles_on == {HIP: "imran"}
    assert (hl7.kind, hl7.tls, hl7.wants_profiles, hl7.profiles_on) == ("hl7", True, True, {})
    assert [kind for kind, _, _ in await acts(services)].count("admin_target-profiles-on") == 1


@pytest.mark.parametrize(
    "url", ["", "ftp://hmis.example/", "https://me:word@hmis.example/", "https://127.1/", "x" * 900]
)
async def test_a_wrong_address_is_refused_and_stays_in_the_form(admin: Browser, services: Services, url: str) -> None:
    answer = await admin.send_form(f"{PAGE}/webhook", url=url, events="ticket.done")
    assert (answer.status_code, await services.targets.of(HIP)) == (422, [])
    assert 'role="alert"' in answer.text
    assert 'value="ticket.done"' in answer.text


async def test_an_unknown_type_of_event_is_refused(admin: Browser) -> None:
    answer = await admin.send_form(f"{PAGE}/webhook", url=URL, events="ticket.eaten")
    assert answer.status_code == 422
    assert "unknown type of event" in answer.text


async def test_profiles_are_switched_on_and_off_and_the_audit_has_both(admin: Browser, services: Services) -> None:
    target = await target_of(services)
    answer = await admin.send_form(f"{PAGE}/{target.id}/profiles-on")
    assert answer.headers["location"] == f"{PAGE}?done=profiles-on#{target.id}"
    assert (await services.targets.one(target.id)).target.profiles_on == {HIP: "imran"}
    assert "Stop sending profiles" in (await admin.get(PAGE)).text
    await admin.send_form(f"{PAGE}/{target.id}/profiles-off")
    assert (await services.targets.one(target.id)).target.profiles_on == {}
    assert [kind for kind, _, _ in await acts(services)] == ["admin_target-profiles-off", "admin_target-profiles-on"]


async def test_what_asks_for_profiles_and_gets_none_lies_open(admin: Browser, services: Services) -> None:
    target = await target_of(services)
    row = re.compile(rf'<details class="screen"\s+id="{target.id}"( open)?>')
    found = row.search((await admin.get(PAGE)).text)
    assert found is not None
    assert found[1], "the button that allows them is not seen in a closed row"
    await admin.send_form(f"{PAGE}/{target.id}/profiles-on")
    found = row.search((await admin.get(PAGE)).text)
    assert found is not None
    assert not found[1]


async def test_of_a_target_of_the_whole_service_only_profiles_are_this_facilitys_to_allow(
    admin: Browser, services: Services
) -> None:
    target, quiet = await target_of(services, EVERY_FACILITY), await target_of(services, EVERY_FACILITY, profiles=False)
    page = (await admin.get(PAGE)).text
    assert (target.id in page, quiet.id in page) == (True, False)
    await admin.send_form(f"{PAGE}/{target.id}/profiles-on")
    assert (await services.targets.one(target.id)).target.profiles_on == {HIP: "imran"}
    for act in ("remove", "on", "again"):
        assert (await admin.send_form(f"{PAGE}/{target.id}/{act}")).status_code == 404
    assert (await services.targets.one(target.id)).target.off == ""


async def test_deliveries_are_shown_and_one_click_sends_again(admin: Browser, services: Services) -> None:
    target = await target_of(services)
    await with_deliveries(services, target)
    page = (await admin.get(PAGE)).text
    for shown in ("M-007", "not taken", "500", "no &lt;b&gt;room&lt;/b&gt;", "Given up after three days", "M-009"):
        assert shown in page
    for event in (REF.id, f"{facility_key(HIP)}-3-0"):
        answer = await admin.send_form(f"{PAGE}/{target.id}/again", event=event)
        assert answer.headers["location"].startswith(f"{PAGE}?done=again")
    progress = (await services.targets.one(target.id)).progress
    assert progress.parked == []
    assert [ref.id for one in progress.failed for ref in one.events] == [REF.id, f"{facility_key(HIP)}-3-0"]
    assert (await admin.send_form(f"{PAGE}/{target.id}/again", event="never-1-0")).status_code == 404
    assert [kind for kind, _, _ in await acts(services)] == ["admin_target-again"] * 2


async def test_a_target_that_was_switched_off_is_switched_on(admin: Browser, services: Services) -> None:
    target = await target_of(services)
    await services.targets.switch_off(target.id, "410")
    assert "It is switched off (<bdi>410</bdi>)" in (await admin.get(PAGE)).text
    await admin.send_form(f"{PAGE}/{target.id}/on")
    assert (await services.targets.one(target.id)).target.off == ""


async def test_a_removed_target_is_gone(admin: Browser, services: Services) -> None:
    target = await target_of(services)
    await admin.send_form(f"{PAGE}/{target.id}/remove")
    assert await services.targets.of(HIP) == []
    assert (await admin.send_form(f"{PAGE}/{target.id}/remove")).status_code == 404


async def test_another_facilitys_target_does_not_exist_here(admin: Browser, services: Services) -> None:
    target = await target_of(services, OTHER_HIP)
    assert target.id not in (await admin.get(PAGE)).text
    for act in ("remove", "on", "profiles-on", "again"):
        assert (await admin.send_form(f"{PAGE}/{target.id}/{act}")).status_code == 404
    assert (await services.targets.one(target.id)).target.profiles_on == {}


async def test_a_clerk_does_not_see_the_page(clerk: Browser) -> None:
    assert (await clerk.get(PAGE)).status_code == 403
