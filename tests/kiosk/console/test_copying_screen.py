"""A clerk copies on the desk and pastes into another program's form, in a real Chromium with its real clipboard."""

import urllib.parse
from pathlib import Path

import pytest
from playwright.async_api import Page, Route, expect

from kiosk.exchange import copy_text
from kiosk.patient.person import Patient
from tests.accessible import serious_problems
from tests.kiosk.console.running_desk import Served, press
from tests.kiosk.console.signed_in import OWN_PASSWORD, ready_login

pytestmark = [pytest.mark.anyio, pytest.mark.browser]
FORM = Path(__file__).with_name("foreign_form.html")
FOREIGN = "http://hmis.example/registration"
ANITA = Patient(
    name="अनीता देवी", gender="F", year_of_birth=1990, month_of_birth=1, day_of_birth=15, phone="9812345678",
    abha_number="91750768217770", line="मकान 7", district="Srinagar", state="Jammu and Kashmir", pincode="190001",
)  # fmt: skip
READ_FORM = "() => Object.fromEntries(new FormData(document.querySelector('form')))"


async def foreign_page(page: Page) -> Page:
    """The other program, in another tab of the same browser, with the cursor in its first field."""

    async def answer(route: Route) -> None:
        await route.fulfill(body=FORM.read_text("utf-8"), content_type="text/html")

    opened = await page.context.new_page()
    await opened.route("http://hmis.example/**", answer)
    await opened.goto(FOREIGN)
    return opened


async def bookmark(page: Page, served: Served) -> str:
    """The script of the bookmark, as the administrator's page shows it and a browser reads it."""
    login = f"admin-{served.hip.lower()}"
    await ready_login(served.services.staff, login, served.hip, role="admin")
    context = await page.context.browser.new_context()  # type: ignore[union-attr]  # a launched browser
    admin = await context.new_page()
    await admin.goto(served.address + "/console/admin/copying")
    await admin.fill("[name=login]", login)
    await admin.fill("[name=password]", OWN_PASSWORD)
    await admin.keyboard.press("Enter")
    await expect(admin.locator("#helper-text")).to_be_attached()
    assert await serious_problems(admin) == []
    address = await admin.locator("#helper-text").input_value()
    await context.close()
    assert address.startswith("javascript:")
    return urllib.parse.unquote(address.removeprefix("javascript:"))


async def test_one_paste_fills_a_foreign_form(page: Page, served: Served) -> None:
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await served.arrive(ANITA)
    await expect(page.locator("#list [role=option]")).to_have_count(1)
    await press(page, "n", "M-001 called to M1.")
    await page.keyboard.press("e")
    await expect(page.locator("#choice-list button")).to_have_text(["1 e-Hospital", "2 e-Sahaj", "3 Sehat"])
    await expect(page.locator("#ask-choice")).to_be_visible()
    await press(page, "1", "M-001 is copied for e-Hospital. Put the cursor into the first field and paste.")
    helper, foreign = await bookmark(page, served), await foreign_page(page)
    await foreign.evaluate(helper)
    await foreign.evaluate(helper)  # pressed twice
    await foreign.locator("[name=abha]").focus()
    await foreign.keyboard.press("Control+V")
    filled = await foreign.evaluate(READ_FORM)
    assert filled.pop("age") in {"35", "36", "37"}
    assert filled == {
        "session": "keep", "uhid": "AUTO", "abha": "91750768217770", "patient": "अनीता देवी", "sex": "2",
        "dob": "1990-01-15", "mobile": "9812345678", "address": "मकान 7, Srinagar, Jammu and Kashmir, 190001",
        "district": "12", "state": "Jammu and Kashmir", "pin": "190001", "remarks": "as it was",
    }  # fmt: skip
    seen = await foreign.evaluate("window.seen")
    assert {"input patient", "change patient", "change district"} <= set(seen)
    assert seen.count("input patient") == 1
    await foreign.close()


async def test_an_ordinary_paste_stays_as_it_is(page: Page, served: Served) -> None:
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await page.evaluate("() => navigator.clipboard.writeText('Asha')")
    helper, foreign = await bookmark(page, served), await foreign_page(page)
    await foreign.evaluate(helper)
    await foreign.locator("[name=patient]").focus()
    await foreign.keyboard.press("Control+V")
    await expect(foreign.locator("[name=patient]")).to_have_value("Asha")
    await expect(foreign.locator("[name=abha]")).to_have_value("")
    await foreign.close()


async def test_values_begin_where_the_cursor_is_and_end_with_the_form(page: Page, served: Served) -> None:
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await page.evaluate("() => navigator.clipboard.writeText('x\\t\\t1\\t2\\t3\\n')")
    helper, foreign = await bookmark(page, served), await foreign_page(page)
    await foreign.evaluate(helper)
    await foreign.locator("[name=state]").focus()
    await foreign.keyboard.press("Control+V")
    filled = await foreign.evaluate(READ_FORM)
    assert (filled["state"], filled["pin"], filled["remarks"], filled["patient"]) == ("x", "", "1", "")
    await foreign.close()


async def test_with_one_form_nothing_is_asked_and_without_any_nothing_is_offered(page: Page, served: Served) -> None:
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await served.services.registry.set_copy_templates(served.hip, copy_text.pack_templates(copy_text.BUILT_IN[2:]))
    await served.arrive(ANITA)
    await page.reload()
    await expect(page.locator("#list [role=option]")).to_have_count(1)
    await page.keyboard.press("ArrowDown")
    await press(page, "e", "M-001 is copied for Sehat. Put the cursor into the first field and paste.")
    assert (await page.evaluate("() => navigator.clipboard.readText()")).startswith("अनीता\tदेवी\tF\t15/01/1990\t")
    await served.services.registry.set_copy_templates(served.hip, copy_text.pack_templates(()))
    await page.reload()
    await expect(page.locator("#list [role=option]")).to_have_count(1)
    await expect(page.locator('[data-do="copy-for"]')).to_have_count(0)
