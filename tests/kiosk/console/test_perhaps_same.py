"""Before a walk-in is registered the clerk sees who may be the same person, and decides."""

from typing import Any

import msgspec
import pytest
from playwright.async_api import Page, expect

from kiosk.console import perhaps_same
from kiosk.console.perhaps_same import is_perhaps_same
from kiosk.patient.person import Patient
from kiosk.services.web import Services
from tests.accessible import serious_problems
from tests.kiosk.console.running_desk import Served, press
from tests.kiosk.console.signed_in import HIP, OTHER_HIP, Browser, arrive

pytestmark = pytest.mark.anyio
ASHRAF = Patient(name="Mohammad Ashraf", year_of_birth=1981, phone="9419012345", abha_number="91000044441111")
FORM: dict[str, Any] = {"queue": "registration", "name": "Mohd Ashraf", "age": "1981", "phone": "9419012345"}


@pytest.mark.parametrize(
    ("changes", "same"),
    [
        ({"abha_number": ""}, True),
        ({"abha_number": "", "year_of_birth": 1982, "name": "محمد اشرف"}, True),
        ({"abha_number": "", "year_of_birth": 1983}, False),
        ({"abha_number": "", "year_of_birth": None}, False),
        ({"abha_number": "", "phone": "9419012346"}, False),
        ({"abha_number": "", "name": "Shabir Ahmad"}, False),
        ({"name": "Someone Else", "phone": "", "year_of_birth": None}, True),
        ({"abha_number": "91000044442222"}, False),
        ({"abha_number": "91000044442222", "abha_address": ""}, False),
    ],
)
def test_two_may_be_one_by_abha_or_by_phone_sound_and_year(changes: dict[str, Any], same: bool) -> None:
    assert is_perhaps_same(msgspec.structs.replace(ASHRAF, **changes), ASHRAF) is same
    assert is_perhaps_same(ASHRAF, msgspec.structs.replace(ASHRAF, **changes)) is same


def test_addresses_are_compared_without_case_and_nothing_is_no_address() -> None:
    one = Patient(name="Zooni", abha_address="Zooni@sbx")
    assert is_perhaps_same(one, Patient(name="Z", abha_address="zooni@SBX"))
    assert not is_perhaps_same(Patient(name="Zooni"), Patient(name="Zooni"))


async def test_the_clerk_is_asked_first_and_then_gives_a_number(clerk: Browser, services: Services) -> None:
    place = await arrive(services.check_in, ASHRAF)
    answer = (await clerk.ask("/console/walk-in", **FORM, request="a")).json()
    assert answer["outcome"] == "PERHAPS"
    [alike] = answer["alike"]
    assert (alike["ticket"], alike["token"], alike["queue"], alike["state"]) == (
        place.ticket, "M-001", "medicine", "Waiting",
    )  # fmt: skip
    assert (alike["name"], alike["last_four"]) == ("Mohammad Ashraf", "1111")
    assert len(await services.desk.tickets(HIP)) == 1, "nobody has a number before the clerk is sure"
    read = [one for one in await services.audit.read(HIP) if one.kind == "profile_read"]
    assert [(one.by, one.ticket) for one in read] == [("asha", place.ticket)]
    slip = (await clerk.ask("/console/walk-in", **FORM, request="a", sure=True)).json()
    assert (slip["outcome"], slip["token"]) == ("NEW", "R-001")


async def test_a_form_that_is_sent_twice_is_not_alike_to_itself(clerk: Browser, services: Services) -> None:
    first = (await clerk.ask("/console/walk-in", **FORM, request="b")).json()
    again = (await clerk.ask("/console/walk-in", **FORM, request="b")).json()
    assert (first["outcome"], again["outcome"], again["token"]) == ("NEW", "SAME_REQUEST", first["token"])


async def test_whom_the_store_knows_in_the_same_queue_gets_the_same_number_unasked(
    clerk: Browser, services: Services
) -> None:
    await arrive(services.check_in, ASHRAF)
    claim = {"abha_number": ASHRAF.abha_number}
    slip = (await clerk.ask("/console/walk-in", **(FORM | {"queue": "medicine"}), claim=claim)).json()
    assert (slip["outcome"], slip["token"]) == ("SAME_PERSON", "M-001")
    elsewhere = (await clerk.ask("/console/walk-in", **FORM, claim=claim)).json()
    assert elsewhere["outcome"] == "PERHAPS"
    first = (await clerk.ask("/console/walk-in", **(FORM | {"name": "Rafiqa", "age": "1990"}), request="c")).json()
    second = (await clerk.ask("/console/walk-in", **(FORM | {"name": "rafiqa", "age": "1990"}), request="d")).json()
    assert (second["outcome"], second["token"]) == ("SAME_PERSON", first["token"])


async def test_other_facilities_and_ended_tickets_are_not_looked_at(clerk: Browser, services: Services) -> None:
    await arrive(services.check_in, ASHRAF, hip=OTHER_HIP)
    place = await arrive(services.check_in, ASHRAF)
    await services.desk.cancel(HIP, place.ticket, by="asha")
    assert (await clerk.ask("/console/walk-in", **FORM)).json()["outcome"] == "NEW"


async def test_no_more_are_shown_than_a_glance_holds(clerk: Browser, services: Services) -> None:
    for number in range(perhaps_same.SHOWN_MAX + 2):
        one = msgspec.structs.replace(ASHRAF, abha_number=f"9100004444{number:04}")
        await arrive(services.check_in, one)
    answer = (await clerk.ask("/console/walk-in", **FORM)).json()
    assert len(answer["alike"]) == perhaps_same.SHOWN_MAX
    read = [one for one in await services.audit.read(HIP) if one.kind == "profile_read"]
    assert len(read) == perhaps_same.SHOWN_MAX


async def test_only_so_many_tickets_are_opened(
    clerk: Browser, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    for number in range(4):
        await arrive(services.check_in, f"Somebody {number}")
    await arrive(services.check_in, ASHRAF)
    monkeypatch.setattr(perhaps_same, "COMPARED_MAX", 4)
    assert (await clerk.ask("/console/walk-in", **FORM)).json()["outcome"] == "NEW"


async def test_an_erased_person_is_nobodys_double(clerk: Browser, services: Services) -> None:
    await arrive(services.check_in, ASHRAF)
    await services.person_records.erase(HIP, token="M-001", by="imran")
    assert (await clerk.ask("/console/walk-in", **FORM)).json()["outcome"] == "NEW"


@pytest.mark.browser
async def test_the_clerk_takes_the_old_number_or_gives_a_new_one(page: Page, served: Served) -> None:
    await served.arrive(ASHRAF)
    await expect(page.locator("#list [role=option]")).to_have_count(1)

    async def fill_form() -> None:
        await page.keyboard.press("w")
        await page.locator("#walk [name=name]").fill("Mohd Ashraf")
        await page.locator("#walk [name=age]").fill("1981")
        await page.locator("#walk [name=phone]").fill("9419012345")
        await page.locator("#walk [name=queue]").select_option("registration")
        await page.keyboard.press("Enter")
        await expect(page.locator("#perhaps-words")).to_be_visible()

    await fill_form()
    await expect(page.locator("#perhaps-list")).to_contain_text("It is M-001")
    await expect(page.locator("#perhaps-list")).to_contain_text("Mohammad Ashraf")
    await expect(page.locator("#perhaps-list button")).to_be_focused()
    assert await serious_problems(page) == []
    await page.keyboard.press("Enter")
    await expect(page.locator("#said")).to_have_text("M-001 is chosen in the list.")
    await expect(page.locator("#walk")).to_be_hidden()
    assert len(await served.desk.tickets(served.hip)) == 1, "Enter by habit gives no second number"
    await press(page, "Escape", "M-001 is chosen in the list.")
    await fill_form()
    await page.keyboard.press("g")
    await expect(page.locator("#walk-token")).to_have_text("R-001")
    await page.keyboard.press("Escape")
    await page.keyboard.press("w")
    await expect(page.locator("#walk [name=name]")).to_be_visible()
