"""A queue is called by its name in the reader's language on every screen, else by its plain name."""

import httpx
import pytest
from msgspec.structs import replace
from playwright.async_api import Browser, expect

from tests.kiosk.displays.pages import opened
from tests.kiosk.hospital import HIP, MEDICINE, Hospital

pytestmark = pytest.mark.anyio
HINDI, URDU, PLAIN = "मेडिसिन", "میڈیسن", "Medicine &amp; Surgery"


async def give_names(hospital: Hospital, **names: str) -> None:
    registry = hospital.services.registry
    queue = next(one for one in await registry.queues(HIP) if one.id == MEDICINE)
    await registry.put_queue(HIP, replace(queue, names=names))


@pytest.mark.parametrize(("language", "name"), [("hi", HINDI), ("ur", URDU), ("en", PLAIN), ("doi", PLAIN)])
async def test_board_counter_screen_ticket_and_form_use_the_name_of_their_language(
    visitor: httpx.AsyncClient, hospital: Hospital, language: str, name: str
) -> None:
    await give_names(hospital, hi=HINDI, ur=URDU)
    (place,) = await hospital.arrive()
    for path in (f"/board/{HIP}", f"/kiosk/{HIP}/M1", hospital.ticket_link(place), hospital.camera_link()):
        answer = await visitor.get(path, params={"lang": language})
        assert answer.status_code == 200
        shown = answer.text.split("<main", 1)[1] if path.startswith(("/board", "/t/")) else answer.text
        assert name in shown, path


@pytest.mark.browser
async def test_names_turn_with_the_language_and_follow_a_change(served: Hospital, kiosk_browser: Browser) -> None:
    await give_names(served, hi=HINDI, ur=URDU)
    (place,) = await served.arrive()
    async with (
        opened(kiosk_browser, f"{served.url}/board/{HIP}?lang=hi") as board,
        opened(kiosk_browser, f"{served.url}/kiosk/{HIP}/M1") as screen,
        opened(kiosk_browser, served.url + served.ticket_link(place) + "?lang=ur") as ticket,
    ):
        card = board.locator(f"[data-queue={MEDICINE}] h3")
        await expect(card).to_have_text(HINDI)
        await expect(card).to_have_attribute("lang", "hi")
        name = screen.locator("#queue-name")
        await expect(name).to_have_text("Medicine & Surgery")
        await screen.locator("[data-language=ur]").click()
        await expect(name).to_have_text(URDU)
        await expect(name).to_have_attribute("lang", "ur")
        await expect(ticket.locator("#queue")).to_have_text(URDU)
        await give_names(served, hi="औषधि", ur="دوا")
        await expect(card).to_have_text("औषधि")
        await expect(name).to_have_text("دوا")
        await expect(ticket.locator("#queue")).to_have_text("دوا")
        await screen.locator("[data-language=en]").click()
        await expect(name).to_have_text("Medicine & Surgery")
