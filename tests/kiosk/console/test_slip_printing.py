"""Slips on receipt printers: named by an administrator, chosen at a desk, and nothing lost when one fails."""

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from litestar import Litestar

from kiosk.console.slip_messages import local_lines
from kiosk.console.slip_printing import text_of
from kiosk.console.walk_in import Slip
from kiosk.posters.slip import SlipText
from kiosk.posters.slip_drawing import SlipJob
from kiosk.services.web import Services
from queueing.audit import UNRECORDED
from queueing.models import State
from queueing.slip_printers import PRINTERS_MAX, SlipPrinter
from tests.codes import codes_in
from tests.kiosk.console.signed_in import HIP, OTHER_HIP, Browser, arrive, browser, opened_app, ready_login, services_of
from tests.kiosk.posters.printer_stand_in import printer
from tests.ports import free_port

pytestmark = pytest.mark.anyio
PAGE = "/console/admin/printers"


@pytest.fixture(scope="module")
async def running(valkey_url: str, folder: Path) -> AsyncIterator[Litestar]:
    """As in most hospitals with printers: the operator allowed the hospital's own network."""
    async with opened_app(valkey_url, folder, KIOSK_PRIVATE_TARGETS="true") as app:
        services_of(app).slip_printing._within_s = 60  # a busy machine is no fault of a printer
        yield app


async def name_printer(admin: Browser, address: str, name: str = "Registration", paper: str = "58") -> None:
    answer = await admin.send_form(f"{PAGE}/save", name=name, address=address, paper=paper)
    assert answer.headers["location"] == f"{PAGE}?done=saved"


def test_a_slip_for_a_printer_has_the_names_of_the_patients_language() -> None:
    names = {"ur": "ضلع ہسپتال"}
    slip = Slip(
        outcome="FOUND", words="", token="M-001", link="-", facility="District Hospital", facility_names=names,
        local=local_lines(),
    )  # fmt: skip
    assert [text_of(slip, code).local_facility for code in ("ur", "hi", "")] == ["ضلع ہسپتال", "", ""]
    assert text_of(slip, "ur").facility == "District Hospital"


async def test_a_slip_comes_out_of_the_named_printer_in_the_patients_language(
    admin: Browser, clerk: Browser, services: Services, tmp_path: Path
) -> None:
    with printer(tmp_path) as one:
        await name_printer(admin, one.address)
        place = await arrive(services.check_in, "Zoona Begum")
        wish = {"ticket": place.ticket, "printer": "Registration", "language": "ur", "large": True}
        answer = await clerk.ask("/console/slip/print", **wish)
        assert answer.json() == {"printed": True, "words": "M-001 went to the printer Registration."}
        [slip] = one.slips()
    assert slip.width == 384
    link = codes_in(slip.convert("L"))[0].text
    claim = services.ticket_links.read(link.removeprefix(services.settings.public_url + "/t/"), now_s=int(time.time()))
    assert (claim.hip_id, claim.ticket) == (HIP, place.ticket)


@pytest.mark.parametrize(
    ("mood", "sentence"),
    [
        ("off", "The printer Registration does not answer: is it on and connected?"),
        ("hangs-up", "The printer Registration does not answer: is it on and connected?"),
        ("no-paper", "The printer Registration has no paper, or its cover is open."),
        ("full", "The printer Registration did not take the slip in time."),
    ],
)
async def test_a_printer_that_fails_costs_one_sentence_and_the_browser_still_prints(
    admin: Browser,
    clerk: Browser,
    services: Services,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    mood: str,
    sentence: str,
) -> None:
    place = await arrive(services.check_in, "Zoona Begum")
    wish = {"ticket": place.ticket, "printer": "Registration"}
    with printer(tmp_path, "ready" if mood == "off" else mood) as one:
        await name_printer(admin, f"127.0.0.1:{free_port()}" if mood == "off" else one.address)
        if mood == "full":
            await services.slip_printing._drawer.drawn(SlipJob(slip=SlipText(token="M-000", link="-")))
            monkeypatch.setattr(services.slip_printing, "_within_s", 4)
        answer = (await clerk.ask("/console/slip/print", **wish)).json()
    assert answer == {"printed": False, "words": f"{sentence} ⇧L prints the slip on this computer."}
    assert (await clerk.ask("/console/slip", ticket=place.ticket)).json()["token"] == "M-001"
    assert [one.state for one in await services.desk.tickets(HIP)] == [State.WAITING]


async def test_an_unknown_printer_and_a_ticket_of_elsewhere_print_nothing(
    admin: Browser, clerk: Browser, services: Services, tmp_path: Path
) -> None:
    with printer(tmp_path) as one:
        await services.slip_printers.put(OTHER_HIP, (SlipPrinter("Theirs", one.address),), UNRECORDED)
        place = await arrive(services.check_in, "Zoona Begum")
        answer = (await clerk.ask("/console/slip/print", ticket=place.ticket, printer="Theirs")).json()
        assert (answer["printed"], "was removed" in answer["words"]) == (False, True)
        await name_printer(admin, one.address)
        missing = await clerk.ask("/console/slip/print", ticket="20000-99", printer="Registration")
        assert missing.status_code == 404
        assert (await clerk.ask("/console/slip/print", ticket="x" * 65, printer="Registration")).status_code == 400
        assert one.received() == []


async def test_printers_are_saved_replaced_tried_and_removed_and_the_audit_says_so(
    admin: Browser, services: Services, tmp_path: Path
) -> None:
    await name_printer(admin, "10.20.0.30")
    assert await services.slip_printers.of(HIP) == (SlipPrinter("Registration", "10.20.0.30:9100", False),)
    with printer(tmp_path) as one:
        await name_printer(admin, one.address, paper="80")
        assert await services.slip_printers.of(HIP) == (SlipPrinter("Registration", one.address, True),)
        page = await admin.send_form(f"{PAGE}/sample", name="Registration")
        assert "A sample went to the printer Registration." in page.text
        assert one.slips()[0].width == 576
    page = await admin.send_form(f"{PAGE}/sample", name="Registration")
    assert (page.status_code, "does not answer" in page.text) == (502, True)
    await admin.send_form(f"{PAGE}/remove", name="Registration")
    assert await services.slip_printers.of(HIP) == ()
    assert (await admin.send_form(f"{PAGE}/remove", name="Registration")).status_code == 404
    acts = [(one.kind, one.by, one.why) for one in await services.audit.read(HIP) if one.kind == "admin_printer"]
    assert acts == [("admin_printer", "imran", "Registration")] * 3


@pytest.mark.parametrize(
    ("name", "address", "sentence"),
    [
        (" ", "10.20.0.30", "The printer needs a name"),
        ("Hall", "10.20.0.30:port", "The address is not understood"),
        ("Hall", "http://10.20.0.30", "The address is not understood"),
        ("Hall", "x" * 300, "The address is not understood"),
    ],
)
async def test_what_cannot_be_a_printer_is_refused_in_words(
    admin: Browser, services: Services, name: str, address: str, sentence: str
) -> None:
    page = await admin.send_form(f"{PAGE}/save", name=name, address=address)
    assert (page.status_code, sentence in page.text) == (422, True)
    assert await services.slip_printers.of(HIP) == ()


async def test_a_facility_has_so_many_printers_at_most(admin: Browser, services: Services) -> None:
    many = tuple(SlipPrinter(f"P{number}", "10.20.0.30:9100") for number in range(PRINTERS_MAX))
    await services.slip_printers.put(HIP, many, UNRECORDED)
    page = await admin.send_form(f"{PAGE}/save", name="One more", address="10.20.0.31")
    assert (page.status_code, "printers already" in page.text) == (422, True)
    await name_printer(admin, "10.20.0.99", name="P3")
    assert (await services.slip_printers.of(HIP))[3].address == "10.20.0.99:9100"


async def test_private_addresses_need_the_operators_leave_and_some_are_never_reached(
    clerk: Browser, admin: Browser, services: Services, valkey_url: str, folder: Path, tmp_path: Path
) -> None:
    place = await arrive(services.check_in, "Zoona Begum")
    await name_printer(admin, "169.254.169.254:9100")
    answer = (await clerk.ask("/console/slip/print", ticket=place.ticket, printer="Registration")).json()
    assert "link-local, metadata" in answer["words"]
    await name_printer(admin, "8.8.8.8:9100")
    answer = (await clerk.ask("/console/slip/print", ticket=place.ticket, printer="Registration")).json()
    assert "must be encrypted" in answer["words"]
    with printer(tmp_path) as one:
        await name_printer(admin, one.address)
        async with opened_app(valkey_url, folder) as strict, browser(strict, address="10.1.2.9") as other:
            await ready_login(services.staff, "rubina", HIP, "admin")
            await other.sign_in("rubina")
            assert "KIOSK_PRIVATE_TARGETS=true" in (await other.get(PAGE)).text
            await other.get("/console/counters")
            answer = (await other.ask("/console/slip/print", ticket=place.ticket, printer="Registration")).json()
        assert "private and loopback addresses need KIOSK_PRIVATE_TARGETS=true" in answer["words"]
        assert one.received() == []


async def test_a_change_of_printers_can_be_taken_back(admin: Browser, services: Services) -> None:
    await name_printer(admin, "10.20.0.30")
    await name_printer(admin, "10.20.0.31")
    change = (await services.last_changes.of(HIP))["printers"]
    answer = await admin.send_form("/console/admin/take-back", kind="printers", mark=change.mark)
    assert answer.status_code == 303
    assert [one.address for one in await services.slip_printers.of(HIP)] == ["10.20.0.30:9100"]
