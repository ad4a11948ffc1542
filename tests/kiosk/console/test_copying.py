"""Copying a profile for another program: the desk's answer, the audit, and the administrator's page."""

import re

import pytest

from kiosk.exchange.copy_text import BUILT_IN, TEMPLATES_MAX
from kiosk.patient.person import Patient
from kiosk.services.web import Services
from tests.kiosk.console.signed_in import HIP, OTHER_HIP, Browser, arrive

pytestmark = pytest.mark.anyio
PAGE = "/console/admin/copying"
ZOONI = Patient(name="Zooni Dar", gender="F", year_of_birth=1981, phone="9419012345", abha_number="91000044441111")
OURS = {"before": "", "name": "Our form", "fields": "Name, phone\tgender,=India", "date": "YYYY-MM-DD",
        "gender": "Male/Female/Other", "separator": "tab"}  # fmt: skip


async def acts(services: Services, hip: str = HIP) -> list[tuple[str, str, str, str]]:
    return [(one.kind, one.by, one.ticket, one.why) for one in await services.audit.read(hip)]


async def test_a_copy_is_the_profile_in_the_forms_order_and_a_line_of_the_audit(
    clerk: Browser, admin: Browser, services: Services
) -> None:
    place = await arrive(services.check_in, ZOONI)
    answer = await clerk.ask("/console/desk/copy", ticket=place.ticket, template="e-Sahaj")
    name, _, gender, phone, *rest = answer.json()["text"].split("\t")
    assert (name, gender, phone, rest[-2]) == ("Zooni Dar", "F", "9419012345", "91000044441111")
    assert answer.json()["words"].startswith("M-001 is copied for e-Sahaj.")
    assert answer.headers["cache-control"].startswith("no-store")
    recorded = await acts(services)
    assert ("profile_read", "asha", place.ticket, "") in recorded
    assert ("profile_copied", "asha", place.ticket, "e-Sahaj") in recorded
    await clerk.ask("/console/desk/copy", ticket=place.ticket, template="Sehat")
    assert [one[3] for one in await acts(services) if one[0] == "profile_copied"] == ["Sehat", "e-Sahaj"]
    page = (await admin.get("/console/audit")).text
    assert "copied a patient&#39;s details for another program" in page


async def test_only_tickets_and_forms_of_this_facility_are_copied(clerk: Browser, services: Services) -> None:
    place = await arrive(services.check_in, ZOONI)
    other = await arrive(services.check_in, ZOONI, hip=OTHER_HIP)
    wrong = [("20000-1", "Sehat"), (place.ticket, "No such form"), ("x" * 1000, "Sehat")]
    for ticket, template in wrong:
        assert (await clerk.ask("/console/desk/copy", ticket=ticket, template=template)).status_code == 404
    assert (await clerk.ask("/console/desk/copy", ticket=place.ticket)).status_code in {400, 422}
    assert [one for one in await acts(services) if one[0] == "profile_copied"] == []
    assert [one for one in await acts(services, OTHER_HIP) if one[2] == other.ticket] == []


async def test_an_administrator_adds_changes_and_removes_a_form(
    admin: Browser, clerk: Browser, services: Services
) -> None:  # fmt: skip
    place = await arrive(services.check_in, ZOONI)
    answer = await admin.send_form(f"{PAGE}/save", **OURS)
    assert answer.headers["location"] == f"{PAGE}?done=save"
    copied = await clerk.ask("/console/desk/copy", ticket=place.ticket, template="Our form")
    assert copied.json()["text"] == "Zooni Dar\t9419012345\tFemale\tIndia"
    changed = OURS | {"before": "Our form", "name": "New name", "fields": "phone"}
    await admin.send_form(f"{PAGE}/save", **changed)
    assert (await clerk.ask("/console/desk/copy", ticket=place.ticket, template="Our form")).status_code == 404
    copied = await clerk.ask("/console/desk/copy", ticket=place.ticket, template="New name")
    assert copied.json()["text"] == "9419012345"
    desk = (await clerk.get("/console/at/M1")).text
    assert "New name" in desk
    await admin.send_form(f"{PAGE}/remove", before="New name")
    page = (await admin.get(PAGE)).text
    assert "New name" not in page
    for one in BUILT_IN:
        await admin.send_form(f"{PAGE}/remove", before=one.name)
    assert "offers no copying" in (await admin.get(PAGE)).text
    assert "Copy for" not in (await clerk.get("/console/at/M1")).text
    await admin.send_form(f"{PAGE}/reset")
    assert "e-Sahaj" in (await admin.get(PAGE)).text
    assert ("admin_copy", "imran", "", "") in await acts(services)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"name": ""}, "needs a name"),
        ({"fields": " , "}, "Name 1 to 40 fields"),
        ({"fields": "name,=" + "x" * 60}, "of at most 60 characters"),
        ({"fields": "name,aadhaar"}, "These are no fields: aadhaar"),
        ({"fields": ",".join(["name"] * 41)}, "Name 1 to 40 fields"),
        ({"date": "MM/DD"}, "Choose how the date is written"),
        ({"gender": "X"}, "Choose how the gender is written"),
        ({"separator": "comma"}, "Choose what stands between"),
        ({"name": "Sehat"}, "Another form has this name"),
        ({"before": "Sehat", "name": "e-Sahaj"}, "Another form has this name"),
    ],
)
async def test_a_form_that_does_not_fit_is_shown_again(
    wrong: dict[str, str], sentence: str, admin: Browser, services: Services
) -> None:  # fmt: skip
    answer = await admin.send_form(f"{PAGE}/save", **(OURS | wrong))
    assert answer.status_code == 422
    assert sentence in answer.text
    assert "=India" in answer.text or "fields" in wrong
    assert await services.registry.copy_templates(HIP) is None


@pytest.mark.parametrize("form", [{}, {"before": "Sehat"}, {"before": "gone", "name": "Sehat", "fields": "name"}])
async def test_a_form_with_parts_missing_is_answered(form: dict[str, str], admin: Browser) -> None:
    assert (await admin.send_form(f"{PAGE}/save", **form)).status_code == 422


async def test_a_facility_has_a_bounded_number_of_forms(admin: Browser) -> None:
    for number in range(TEMPLATES_MAX - len(BUILT_IN)):
        answer = await admin.send_form(f"{PAGE}/save", **(OURS | {"name": f"Form {number}"}))
        assert answer.status_code == 303
    answer = await admin.send_form(f"{PAGE}/save", **(OURS | {"name": "One more"}))
    assert answer.status_code == 422
    assert "Remove one first" in answer.text


async def test_names_of_forms_are_text_on_the_page(admin: Browser, clerk: Browser) -> None:
    await admin.send_form(f"{PAGE}/save", **(OURS | {"name": "<b>x</b>", "fields": "=<script>x</script>"}))
    for page in (await admin.get(PAGE), await clerk.get("/console/at/M1")):
        assert "<b>x</b>" not in page.text
        assert "<script>x" not in page.text
    assert (await admin.send_form(f"{PAGE}/nothing")).status_code == 404


async def test_the_bookmark_is_one_line_that_a_browser_takes(admin: Browser) -> None:
    page = (await admin.get(PAGE)).text
    found = re.search(r'<textarea id="helper-text"[^>]*>([^<]*)</textarea>', page)
    assert found is not None
    assert found[1].startswith("javascript:")
    assert "\n" not in found[1]
