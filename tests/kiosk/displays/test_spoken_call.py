"""The sound of a call over HTTP, and what a real Chromium plays of it."""

import asyncio
import io
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from playwright.async_api import Browser, Page, expect

from kiosk.voice.clips import Clips
from kiosk.voice.parts import all_parts
from kiosk.voice.sound import RATE
from tests.kiosk.displays.pages import board, opened
from tests.kiosk.hospital import HIP, Hospital

pytestmark = pytest.mark.anyio

ADDRESS = f"/board/{HIP}/voice"
CALL = {"token": "M-042", "counter": "M1"}
LANGUAGES = ("en", "hi", "ur")
HEARD_MS = 40_000
"""Chime and three languages take seven seconds; a busy machine is given time."""


def fill(clips: Clips, *languages: str, seconds: float = 0.1) -> None:
    """A hum for each clip."""
    samples = (b"\x00\x10\x00\xf0" * RATE)[: 2 * round(seconds * RATE)]
    for language in languages:
        for part in all_parts(language):
            clips.save(language, part, samples)


async def test_a_call_is_served_as_plain_wav_that_may_be_cached(hospital: Hospital, visitor: httpx.AsyncClient) -> None:
    fill(hospital.services.clips, "hi")
    answer = await visitor.get(f"{ADDRESS}/hi", params=CALL)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "audio/wav")
    assert answer.headers["cache-control"] == "public, max-age=600"
    assert answer.headers["x-content-type-options"] == "nosniff"
    with wave.open(io.BytesIO(answer.content)) as sound:
        # number M 42 | please M 1 go: seven clips, each with its gap, a pause and the tail
        assert sound.getnframes() / RATE == pytest.approx(7 * (0.1 + 0.04) + 0.35 + 0.15, abs=0.002)


async def test_a_language_without_clips_has_no_content(hospital: Hospital, visitor: httpx.AsyncClient) -> None:
    fill(hospital.services.clips, "en")
    for language in ("ks", "doi", "xx", "..%2Fen", "EN"):
        answer = await visitor.get(f"{ADDRESS}/{language}", params=CALL)
        assert (answer.status_code, answer.content) == (204, b""), language


async def test_an_unknown_facility_is_not_found(hospital: Hospital, visitor: httpx.AsyncClient) -> None:
    fill(hospital.services.clips, "en")
    assert (await visitor.get("/board/IN9999999999/voice/en", params=CALL)).status_code == 404


@pytest.mark.parametrize(
    "call",
    [
        {}, {"token": "M-042"}, {"token": "M-042", "counter": ""}, {"token": "M-042", "counter": "M" * 17},
        {"token": "M042", "counter": "M1"}, {"token": "MMMM-1", "counter": "M1"},
        {"token": "M-123456", "counter": "M1"}, {"token": "M-042", "counter": "../M1"},
        {"token": "M-042\n", "counter": "M1"}, {"token": "M-४२", "counter": "M1"},
    ],
)  # fmt: skip
async def test_other_texts_are_refused(hospital: Hospital, visitor: httpx.AsyncClient, call: dict[str, str]) -> None:
    fill(hospital.services.clips, "en")
    assert (await visitor.get(f"{ADDRESS}/en", params=call)).status_code in {400, 422}


async def test_a_range_is_served_for_browsers_that_insist_on_it(hospital: Hospital, visitor: httpx.AsyncClient) -> None:
    fill(hospital.services.clips, "en")
    whole = (await visitor.get(f"{ADDRESS}/en", params=CALL)).content
    for wanted, content, says in (
        ("bytes=0-1", whole[:2], f"bytes 0-1/{len(whole)}"),
        ("bytes=44-", whole[44:], f"bytes 44-{len(whole) - 1}/{len(whole)}"),
        (f"bytes=100-{10 * len(whole)}", whole[100:], f"bytes 100-{len(whole) - 1}/{len(whole)}"),
    ):
        answer = await visitor.get(f"{ADDRESS}/en", params=CALL, headers={"Range": wanted})
        assert (answer.status_code, answer.content, answer.headers["content-range"]) == (206, content, says)
    beyond = await visitor.get(f"{ADDRESS}/en", params=CALL, headers={"Range": f"bytes={len(whole)}-"})
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{len(whole)}")
    odd = await visitor.get(f"{ADDRESS}/en", params=CALL, headers={"Range": "lines=1-2"})
    assert (odd.status_code, odd.content) == (200, whole)


WATCH = """
globalThis.sounds = [];
const name = (player) => new URL(player.src).pathname.split("/").pop() + new URL(player.src).search;
const RealAudio = Audio;
globalThis.Audio = function () {
  const player = new RealAudio();
  const play = player.play.bind(player);
  player.play = () => {
    globalThis.sounds.push(`play ${name(player)}`);
    return play();
  };
  player.addEventListener("ended", () => {
    globalThis.sounds.push(`ended ${name(player)} ${player.currentTime.toFixed(1)}`);
  });
  player.addEventListener("error", () => globalThis.sounds.push(`error ${name(player)}`));
  player.addEventListener("pause", () => {
    if (player.currentTime < player.duration) globalThis.sounds.push(`pause ${name(player)}`);
  });
  return player;
};
"""
"""Notes what every player of the page is told and what it does: begun, played to its end, failed, stopped before it."""


TELL = """
let wasCalling = false;
let wasLive = false;
new MutationObserver(() => {
  const { link, announcing } = document.body?.dataset ?? {};
  if (link === "live" && !wasLive) console.log("it is live");
  wasLive ||= link === "live";
  if (announcing === "no" && wasCalling) console.log("a call was shown");
  wasCalling = announcing === "yes";
}).observe(document, { attributes: true, childList: true, subtree: true });
"""
"""The page says by itself what became of it."""


@asynccontextmanager
async def watched(browser: Browser, address: str) -> AsyncIterator[Page]:
    """The board, while every player is watched."""
    async with opened(browser, "about:blank") as page:
        await page.add_init_script(WATCH)
        await page.goto(address)
        await board(page)
        yield page


async def sounds(page: Page) -> list[str]:
    noted: list[str] = await page.evaluate("sounds")
    return noted


def heard(token: str, *languages: str, counter: str = "M1", seconds: str) -> list[str]:
    """What the watch notes when each language is begun once and played to its end before the next one."""
    call = f"?token={token}&counter={counter}"
    return [line for code in languages for line in (f"play {code}{call}", f"ended {code}{call} {seconds}")]


@pytest.mark.browser
async def test_a_board_plays_each_language_of_a_call_once_in_order_and_to_its_end(
    served: Hospital, kiosk_browser: Browser
) -> None:
    fill(served.services.clips, *LANGUAGES)
    await served.arrive(patients=1)
    async with watched(kiosk_browser, f"{served.url}/board/{HIP}?lang=ur,ks,en") as page:
        await served.call("M1")
        body = page.locator("body")
        await expect(body).to_have_attribute("data-spoken", "2", timeout=HEARD_MS)
        await expect(body).to_have_attribute("data-announcing", "no", timeout=HEARD_MS)
        # Kashmiri has no clips: it is silent and not asked for.
        urdu, english = heard("M-001", "ur", seconds="1.5"), heard("M-001", "en", seconds="1.3")
        assert await sounds(page) == urdu + english
        assert await body.get_attribute("data-chimes") == "1"


@pytest.mark.browser
async def test_a_new_call_waits_for_one_language_and_cuts_nothing_off(served: Hospital, kiosk_browser: Browser) -> None:
    fill(served.services.clips, *LANGUAGES, seconds=0.3)
    await served.arrive(patients=2)
    async with watched(kiosk_browser, f"{served.url}/board/{HIP}?lang=en,hi,ur") as page:
        await served.call("M1")
        body = page.locator("body")
        await expect(body).to_have_attribute("data-speaking", "en", timeout=HEARD_MS)
        await served.call("M2")
        await expect(body).to_have_attribute("data-announced", "2", timeout=HEARD_MS)
        await expect(body).to_have_attribute("data-spoken", "4", timeout=HEARD_MS)
        # The second call waits for English alone. English has six clips, the others seven.
        assert await sounds(page) == [
            *heard("M-001", "en", seconds="2.5"), *heard("M-002", "en", counter="M2", seconds="2.5"),
            *heard("M-002", "hi", "ur", counter="M2", seconds="2.9"),
        ]  # fmt: skip


@pytest.mark.browser
async def test_calls_in_a_burst_all_chime_and_the_last_ones_are_spoken(
    served: Hospital, kiosk_browser: Browser
) -> None:
    fill(served.services.clips, "en")
    await served.arrive(patients=4)
    async with watched(kiosk_browser, f"{served.url}/board/{HIP}?lang=en") as page:
        for counter in ("M1", "M2", "M3", "ROOM17"):
            await served.call(counter)
        body = page.locator("body")
        await expect(body).to_have_attribute("data-chimes", "4", timeout=HEARD_MS)
        await expect(body).to_have_attribute("data-announcing", "no", timeout=HEARD_MS)
        noted = await sounds(page)
        assert [line for line in noted if line.startswith(("error", "pause"))] == []
        begun = [line.partition("token=")[2][:5] for line in noted if line.startswith("play")]
        assert begun[-2:] == ["M-003", "M-004"]
        assert len(begun) == len(set(begun)) == len([line for line in noted if line.startswith("ended")])


@pytest.mark.browser
async def test_a_browser_that_allows_no_sound_stays_silent_and_says_what_to_press(
    served: Hospital, plain_browser: Browser
) -> None:
    fill(served.services.clips, "en")
    await served.arrive(patients=2)
    async with opened(plain_browser, "about:blank") as page:
        await page.add_init_script(WATCH + TELL)
        # Nothing is asked of the page meanwhile: for the browser a script of the test is a person's touch.
        async with page.expect_console_message(lambda line: line.text == "it is live", timeout=HEARD_MS):
            await page.goto(f"{served.url}/board/{HIP}?lang=en")
        async with page.expect_console_message(lambda line: line.text == "a call was shown", timeout=HEARD_MS):
            await served.call("M1")
        body = page.locator("body")
        states = [await body.get_attribute(f"data-{name}") for name in ("announced", "announcing", "chimes", "spoken")]
        assert states == ["1", "no", "0", "0"]
        assert await sounds(page) == []
        await expect(page.locator("#sound-words")).to_be_visible()
        await page.locator("#sound").click()
        await expect(page.locator("body")).to_have_attribute("data-sound", "on")
        await asyncio.sleep(0.5)
        await served.call("M2")
        await expect(page.locator("body")).to_have_attribute("data-spoken", "1", timeout=HEARD_MS)
        spoken = [line for line in await sounds(page) if "token=" in line]
        assert spoken == heard("M-002", "en", counter="M2", seconds="1.3")


@pytest.mark.browser
async def test_a_sound_that_does_not_come_leaves_chime_and_picture(served: Hospital, kiosk_browser: Browser) -> None:
    fill(served.services.clips, "en", "hi")
    await served.arrive(patients=1)
    async with watched(kiosk_browser, f"{served.url}/board/{HIP}?lang=en,hi") as page:
        (served.services.clips.folder("en") / "number.wav").unlink()
        await served.call("M1")
        body = page.locator("body")
        await expect(body).to_have_attribute("data-spoken", "1", timeout=HEARD_MS)
        await expect(body).to_have_attribute("data-announcing", "no", timeout=HEARD_MS)
        noted = await sounds(page)
        assert noted[0].startswith("play en?")
        assert noted[-1].startswith("ended hi?")
