"""A hall with many counters: each has its own place on the board, whose text can be read from the last row of seats."""

import itertools

import pytest
from playwright.async_api import Browser, ViewportSize, expect

from queueing.models import Counter, Place, Queue
from tests.kiosk.displays.pages import TELEVISION, UPRIGHT, board, opened
from tests.kiosk.displays.test_nothing_is_cut import EVERY_SIZE, LEAST_OF_HEIGHT, outside
from tests.kiosk.hospital import HIP, Hospital

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

NARROW_PHONE = (360, 3000)
SHORT = {"N": "N12", "K": "K12", "ME": "ME1", "WA": "WA1"}
LONG = SHORT | {"WW": "WW12", "ENT": "ENT1", "MMM": "MMM1", "RO": "ROOM17"}
LONGER = LONG | {"OPD": "EYE-ROOM-17"}
LONGEST = LONG | {"OPD": "OLD-BLOCK-ROOM17"}
"""Prefix of a queue → the counter that calls."""
SIZES_OF_TEXT = """
  () => [...document.querySelectorAll("#others .token, #others .counter, #hero .token, #hero .counter")]
    .filter((one) => one.textContent).map((one) => parseFloat(getComputedStyle(one).fontSize))
"""


async def laboratory(hospital: Hospital, counters: int, *, calling: int) -> list[Place]:
    """A queue with that many counters, of which the first ones have called."""
    queue = Queue(id="laboratory", name="Laboratory", prefix="L")
    await hospital.services.registry.put_queue(HIP, queue, counters)
    patients = await hospital.arrive("laboratory", patients=counters)
    for number in range(1, calling + 1):
        await hospital.call(f"L{number}")
    return patients


PLACES = "[...document.querySelectorAll('#others li')].map((place) => place.dataset.counter)"


@pytest.mark.parametrize("size", [TELEVISION, UPRIGHT], ids=["wide", "upright"])
async def test_each_of_many_counters_has_its_place_and_shows_its_number(
    served: Hospital, kiosk_browser: Browser, size: ViewportSize
) -> None:
    patients = await laboratory(served, 20, calling=19)
    async with opened(kiosk_browser, f"{served.url}/board/{HIP}?queues=L", size) as page:
        await board(page)
        for number in range(1, 20):
            place = page.locator(f"#others li[data-counter=L{number}]")
            await expect(place.locator(".token")).to_have_text(f"L-{number:03}")
            await expect(place).to_be_in_viewport(ratio=1)
        free = page.locator("#others li[data-counter=L20]")
        await expect(free.locator(".token")).to_have_text("")
        await expect(page.locator("#others .turns")).to_have_count(0)
        await expect(page.locator("#others [data-newest]")).to_have_attribute("data-counter", "L19")
        places = await page.evaluate(PLACES)
        await served.call("L20")
        await served.services.desk.finish(HIP, patients[2].ticket, by="asha")
        await expect(free.locator(".token")).to_have_text("L-020")
        await expect(page.locator("#others [data-newest]")).to_have_attribute("data-counter", "L20")
        await expect(page.locator("#others li[data-counter=L3] .token")).to_have_text("")
        assert await page.evaluate(PLACES) == places
        await served.services.registry.open_counter(HIP, "L3", False)  # closed, and with nobody: no place
        await expect(page.locator("#others li")).to_have_count(19)


@pytest.mark.parametrize("look", ["day", "night", "contrast"])
async def test_the_place_of_the_newest_call_looks_like_no_other(
    served: Hospital, kiosk_browser: Browser, look: str
) -> None:
    await laboratory(served, 10, calling=10)
    async with opened(kiosk_browser, f"{served.url}/board/{HIP}?queues=L&look={look}") as page:
        await board(page)
        drawn = await page.locator("#others li").evaluate_all(
            "all => all.map((one) => getComputedStyle(one)).map((one) => one.backgroundColor + one.borderTopColor)"
        )
        assert len(set(drawn[:-1])) == 1
        assert drawn[-1] != drawn[0]


async def test_as_many_counters_as_calls_fit_need_no_places(served: Hospital, kiosk_browser: Browser) -> None:
    await laboratory(served, 7, calling=7)
    async with opened(kiosk_browser, f"{served.url}/board/{HIP}?queues=L") as page:
        await board(page)
        await expect(page.locator(".calls[data-counters]")).to_have_count(0)
        await expect(page.locator("#others .token")).to_have_text([f"L-00{number}" for number in range(6, 0, -1)])


@pytest.mark.parametrize(
    ("calls", "counters", "shown"),
    [(LONGEST, 12, 12), (LONGER, 20, 20), (LONG, 25, 25), (SHORT, 35, 35), (LONG, 35, 25), (LONGEST, 20, 12)],
    ids=["12", "20", "25", "35", "35-long", "20-longest"],
)
async def test_long_calls_are_whole_and_large_enough_in_the_places_of_many_counters(
    served: Hospital, kiosk_browser: Browser, calls: dict[str, str], counters: int, shown: int
) -> None:
    registry = served.services.registry
    for prefix in calls:
        await registry.put_queue(HIP, Queue(id=f"q{prefix.lower()}", name="Long OPD", prefix=prefix))
    for number, (prefix, name) in zip(range(counters), itertools.cycle(calls.items()), strict=False):
        stem = name.rstrip("0123456789")
        counter = f"{stem}{number // len(calls) + 1:0{len(name) - len(stem)}}"
        served_by = "Dr. Asha Kumari, Medicine" if number % 2 else ""
        await registry.put_counter(HIP, Counter(name=counter, queues=(f"q{prefix.lower()}",), served_by=served_by))
        await served.arrive(f"q{prefix.lower()}")
        await served.call(counter)
    async with opened(kiosk_browser, f"{served.url}/board/{HIP}?lang=ur&queues={','.join(calls)}") as page:
        await board(page)
        await expect(page.locator("#others .token")).to_have_count(shown)
        for width, height in (*EVERY_SIZE, NARROW_PHONE):
            await page.set_viewport_size(ViewportSize(width=width, height=height))
            assert await outside(page) == [], f"{width}x{height}"
            least = LEAST_OF_HEIGHT * min(width, height * 9 / 16 if height > width else height)
            sizes_px = await page.evaluate(SIZES_OF_TEXT)
            assert min(sizes_px) >= least - 0.1 or (width, height) == NARROW_PHONE, f"{width}x{height}"


async def test_more_counters_than_places_take_turns(served: Hospital, kiosk_browser: Browser) -> None:
    await laboratory(served, 37, calling=37)
    async with opened(kiosk_browser, f"{served.url}/board/{HIP}?queues=L") as page:
        await board(page)
        calls, turn = page.locator("#others .token"), page.locator("#calls-turn")
        for part, shown in (("2/2", 2), ("1/2", 35)):
            await expect(turn).to_have_text(part, timeout=30_000)
            await expect(calls).to_have_count(shown)


async def test_without_scripts_each_of_many_counters_has_its_place_too(
    served: Hospital, kiosk_browser: Browser
) -> None:
    await laboratory(served, 12, calling=11)
    seen = []
    for scripts in (False, True):
        context = await kiosk_browser.new_context(java_script_enabled=scripts, viewport=TELEVISION)
        page = await context.new_page()
        await page.goto(f"{served.url}/board/{HIP}?queues=L")
        await expect(page.locator(".calls")).to_have_attribute("data-counters", "12")
        seen.append([await line.get_attribute("data-token") for line in await page.locator("#others li").all()])
        await expect(page.locator("#others [data-newest]")).to_have_attribute("data-counter", "L11")
        await context.close()
    assert seen[0] == seen[1] == [*(f"L-{number:03}" for number in range(1, 12)), ""]
