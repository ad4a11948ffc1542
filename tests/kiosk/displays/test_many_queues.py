"""A hall with many queues: up to twelve have each its line on the board, always in the same place."""

import pytest
from msgspec.structs import replace
from playwright.async_api import Browser, ViewportSize, expect

from queueing.models import Queue
from tests.kiosk.displays.pages import TELEVISION, UPRIGHT, board, opened
from tests.kiosk.displays.test_nothing_is_cut import EVERY_SIZE, LEAST_OF_HEIGHT, LONG_NAMES, OVERLAPPING, outside
from tests.kiosk.hospital import HIP, Hospital

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

NAMES = (*LONG_NAMES, "Orthopaedics and Traumatology OPD, second floor", "Eyes")
LINES = "all => all.map((one) => [one.dataset.queue, Math.round(one.getBoundingClientRect().top)])"


async def clinics(hospital: Hospital, count: int, second: str = "WWW") -> list[str]:
    """So many queues of a few people each, one of them closed; gives their ids."""
    prefixes = [*"WBCDEFGHIJKLNOPQSTUV"][:count]
    prefixes[1] = second
    for number, prefix in enumerate(prefixes):
        queue = Queue(id=f"clinic-{prefix.lower()}", name=NAMES[number % len(NAMES)], prefix=prefix, open=number != 3)
        await hospital.services.registry.put_queue(HIP, replace(queue, open=True), 1)
        if queue.open:
            await hospital.arrive(queue.id, patients=4)
            await hospital.call(f"{prefix}1")
        else:
            await hospital.services.registry.open_queue(HIP, queue.id, False)
    return [f"clinic-{prefix.lower()}" for prefix in prefixes]


@pytest.mark.parametrize(("count", "second"), [(5, "B"), (8, "B"), (8, "WWW"), (12, "B"), (12, "WWW")])
async def test_each_of_up_to_twelve_queues_is_seen_at_once(
    served: Hospital, kiosk_browser: Browser, count: int, second: str
) -> None:
    ids = await clinics(served, count, second)
    names = ",".join(ids)
    for code in ("en", "hi", "ur"):
        async with opened(kiosk_browser, f"{served.url}/board/{HIP}?lang={code}&queues={names}") as page:
            await board(page)
            for width, height in EVERY_SIZE:
                await page.set_viewport_size(ViewportSize(width=width, height=height))
                found = await outside(page) + await page.evaluate(OVERLAPPING)
                assert found == [], f"{code} {width}x{height}"
                await expect(page.locator(".queue")).to_have_count(count)
                for queue in await page.locator(".queue").all():
                    await expect(queue).to_be_in_viewport(ratio=1)
                numbers = page.locator(".queue .next .token")
                sizes_px = await numbers.evaluate_all(
                    "all => all.map(one => parseFloat(getComputedStyle(one).fontSize))"
                )
                least = LEAST_OF_HEIGHT * min(width, height * 9 / 16 if height > width else height)
                assert min(sizes_px) >= least, f"{code} {width}x{height}"


@pytest.mark.parametrize("size", [TELEVISION, UPRIGHT], ids=["wide", "upright"])
async def test_no_line_moves_with_the_numbers(served: Hospital, kiosk_browser: Browser, size: ViewportSize) -> None:
    ids = await clinics(served, 9)
    async with opened(kiosk_browser, f"{served.url}/board/{HIP}?lang=en&queues={','.join(ids)}", size) as page:
        await board(page)
        before = await page.locator(".queue").evaluate_all(LINES)
        assert [queue for queue, _ in before] == ids
        for _ in range(3):
            await served.call("W1")  # until nobody waits there
        await expect(page.locator("[data-queue=clinic-w] .waiting")).to_have_text("0")
        await served.services.registry.open_queue(HIP, "clinic-w", False)
        await expect(page.locator("[data-queue=clinic-w] .shut")).to_have_text("Closed")
        assert await page.locator(".queue").evaluate_all(LINES) == before


async def test_more_than_twelve_queues_take_turns_and_say_so(served: Hospital, kiosk_browser: Browser) -> None:
    ids = await clinics(served, 20)
    async with opened(kiosk_browser, f"{served.url}/board/{HIP}?queues={','.join(ids)}") as page:
        await board(page)
        turn = page.locator("#queues .turns").first
        for part, shown in (("2/2", 8), ("1/2", 12)):
            await expect(turn).to_have_text(part, timeout=30_000)
            await expect(page.locator(".queue")).to_have_count(shown)


async def test_without_scripts_the_list_is_the_same(served: Hospital, kiosk_browser: Browser) -> None:
    ids = await clinics(served, 12)
    seen = []
    for scripts in (False, True):
        context = await kiosk_browser.new_context(java_script_enabled=scripts, viewport=TELEVISION)
        page = await context.new_page()
        await page.goto(f"{served.url}/board/{HIP}?lang=en&queues={','.join(ids)}")
        await expect(page.locator("#queues")).to_have_attribute("data-list", "wide")
        await expect(page.locator("#queues")).to_have_attribute("data-room", "12")
        lines = page.locator(".queue")
        seen.append([" ".join((await line.inner_text()).split()) for line in await lines.all()])
        await context.close()
    assert seen[0] == seen[1]
    assert len(seen[0]) == 12
