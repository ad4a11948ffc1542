"""The gate before the no-app form: one link does not fill the hall, and no flood of forms costs a share its place."""

import asyncio
import uuid

import httpx
import msgspec
import pytest

from kiosk.locales import BOOK
from kiosk.patient.person import Patient
from kiosk.web.handover import put_services
from queueing.form_gate import BURST, PER_DEVICE, PER_LINK, FormSender, FormVerdict
from queueing.models import Outcome, Refusal, State
from queueing.policy import Policy
from queueing.redis_keys import facility_root
from tests.kiosk.hospital import HIP, Hospital
from tests.kiosk.share_builders import scan_of

pytestmark = pytest.mark.anyio


def filled(**changed: str) -> dict[str, str]:
    fields = {"request_id": str(uuid.uuid4()), "name": "Zooni Dar", "age": "45", "gender": "F", "consent": "yes"}
    return fields | {"phone": ""} | changed


async def send(visitor: httpx.AsyncClient, link: str, lang: str = "en", **changed: str) -> httpx.Response:
    return await visitor.post(link, params={"lang": lang}, data=filled(**changed))


async def test_a_flood_of_one_link_gives_a_phones_share_and_costs_the_gateway_nothing(
    visitor: httpx.AsyncClient, hospital: Hospital
) -> None:
    link = hospital.camera_link()
    for first in range(0, 120, 20):
        names = [f"Spam {chr(97 + number % 26)}{chr(97 + number // 26)}" for number in range(first, first + 20)]
        await asyncio.gather(*(send(visitor, link, name=name) for name in names))
    assert len(await hospital.services.desk.tickets(HIP)) == PER_DEVICE
    patients = [Patient(name="A", abha_address=f"person{number}@sbx") for number in range(40)]
    shares = [scan_of(person, str(uuid.uuid4()), facility=HIP) for person in patients]
    places = await asyncio.gather(*(hospital.services.check_in.scanned(share) for share in shares))
    assert {place.outcome for place in places} == {Outcome.NEW}


async def test_a_phone_takes_three_numbers_and_hears_why_there_is_no_fourth(
    visitor: httpx.AsyncClient, hospital: Hospital
) -> None:
    link = hospital.camera_link()
    page = await visitor.get(link)
    assert "kiosk-form=" in page.headers["set-cookie"]
    assert "HttpOnly" in page.headers["set-cookie"]
    for name in ("Zooni", "Zooni Beti", "Zooni Beta"):
        assert (await send(visitor, link, name=name)).status_code == 303
    for lang in BOOK:
        refused = await send(visitor, link, lang=lang, name="Zooni Teen")
        assert refused.status_code == 429
        assert BOOK[lang].say("form.device") in refused.text
        assert 0 < int(refused.headers["retry-after"]) <= 900
    assert len(await hospital.services.desk.tickets(HIP)) == 3


async def test_one_person_has_one_number_from_any_phone(visitor: httpx.AsyncClient, hospital: Hospital) -> None:
    link = hospital.camera_link()
    await visitor.get(link)
    await send(visitor, link, name="Zooni  Dar", phone="9419012345")
    await send(visitor, link, name="zooni dar", age="1981", phone="+91 94190 12345")
    visitor.cookies.clear()  # another phone
    await visitor.get(link)
    await send(visitor, link, name="Zooni Dar", phone="09419012345")
    assert len(await hospital.services.desk.tickets(HIP)) == 1


async def test_without_a_mobile_number_alike_names_of_two_phones_are_two_people(
    visitor: httpx.AsyncClient, hospital: Hospital
) -> None:
    link = hospital.camera_link()
    await visitor.get(link)
    for _ in range(2):
        await send(visitor, link)
    assert len(await hospital.services.desk.tickets(HIP)) == 1
    visitor.cookies.clear()  # another phone
    await visitor.get(link)
    await send(visitor, link)
    assert len(await hospital.services.desk.tickets(HIP)) == 2


async def test_a_place_asked_for_long_after_the_screen_was_seen_waits_for_check_in(
    visitor: httpx.AsyncClient, hospital: Hospital
) -> None:
    await send(visitor, hospital.camera_link(life_s=1200, made_s_ago=60), name="In Hall")
    await send(visitor, hospital.camera_link(life_s=1200, made_s_ago=700), name="By Photo")
    states = {ticket.token: ticket.state for ticket in await hospital.services.desk.tickets(HIP)}
    assert states == {"M-001": State.WAITING, "M-002": State.EXPECTED}


async def test_behind_a_proxy_each_phone_counts_by_its_own_address(hospital: Hospital) -> None:
    """All phones reach us from the proxy: counted by that address, sixty forms would close the form for everybody."""
    settings = msgspec.structs.replace(hospital.services.settings, trusted_proxies=("127.0.0.1",))
    services = msgspec.structs.replace(hospital.services, settings=settings)
    put_services(hospital.app, services)
    try:
        link = hospital.camera_link()
        transport = httpx.ASGITransport(app=hospital.app, client=("127.0.0.1", 9))  # type: ignore[arg-type]
        codes = []
        for number in range(PER_DEVICE + 2):  # a browser without cookies is counted by its address
            async with httpx.AsyncClient(transport=transport, base_url=hospital.url) as phone:
                phone.headers["X-Forwarded-For"] = f"192.0.2.{number // PER_DEVICE}"
                codes.append((await send(phone, link, name=f"Person {chr(97 + number)}")).status_code)
        assert codes == [303] * (PER_DEVICE + 2)
    finally:
        put_services(hospital.app, hospital.services)


async def test_forms_take_nothing_of_the_shares_bucket(visitor: httpx.AsyncClient, hospital: Hospital) -> None:
    """A facility that may send three scans at once: three forms and then three shares all get their number."""
    rules = Policy(rate=0.1, burst=3)
    await hospital.services.registry.set_policy(HIP, rules)
    link = hospital.camera_link()
    await visitor.get(link)
    for name in ("Zooni", "Zooni Beti", "Zooni Beta"):
        assert (await send(visitor, link, name=name)).status_code == 303
    places = [
        await hospital.services.check_in.scanned(
            scan_of(Patient(name="A", abha_address=f"own{number}@sbx"), str(uuid.uuid4()), facility=HIP)
        )
        for number in range(4)
    ]
    assert [place.refusal for place in places] == [None, None, None, Refusal.BUSY]


def sender(number: int, link: str = "l") -> FormSender:
    return FormSender(f"r{number}", link, f"a{number}", f"d{number}")


async def test_forms_have_a_bucket_of_their_own_and_a_refused_form_is_counted_nowhere(hospital: Hospital) -> None:
    desk = hospital.services.desk
    verdicts = [(await desk.admit_form(HIP, sender(number)))[0] for number in range(BURST + 15)]
    passed = verdicts.count(FormVerdict.PASS)
    assert BURST <= passed < BURST + 10  # the bucket fills by one a second while the test runs
    assert set(verdicts) == {FormVerdict.PASS, FormVerdict.FACILITY}
    assert (await desk.admit_form(HIP, sender(0)))[0] is FormVerdict.PASS, "the same form again"


async def test_one_link_serves_no_more_people_than_stand_before_a_screen(hospital: Hospital) -> None:
    desk = hospital.services.desk
    for number in range(BURST):
        assert (await desk.admit_form(HIP, sender(number, "one")))[0] is FormVerdict.PASS
    key = f"{facility_root(HIP)}:glone"
    assert await hospital.services.store.call(key, "GET", key) == b"%d" % BURST
    await hospital.services.store.call(key, "SET", key, str(PER_LINK), "EX", "600")
    verdict, wait_s = await desk.admit_form(HIP, sender(1000, "one"))
    assert (verdict, 0 < wait_s <= 600) == (FormVerdict.PACE, True)
    assert (await desk.admit_form(HIP, sender(0, "one")))[0] is FormVerdict.PASS
