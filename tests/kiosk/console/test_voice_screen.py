"""Recording the hospital's voice in a real Chromium with a microphone of its own, by keyboard."""

import io
import math
import re
import wave
from array import array
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from kiosk.voice.parts import short_parts
from kiosk.voice.sound import RATE, silence, wav
from tests.accessible import serious_problems
from tests.browser import chromium
from tests.kiosk.console.running_desk import Served
from tests.kiosk.console.signed_in import OWN_PASSWORD, ready_login

pytestmark = [pytest.mark.anyio, pytest.mark.browser]
WORD_S = 0.5
SHORTEST_S = 0.1
"""Seconds of a clip of two loud blocks, with what stays before and after them."""
BUSY_MS = 60_000
"""Two words take six seconds; a busy machine is given time."""


def word(length_s: float = WORD_S) -> bytes:
    points = (int(9_000 * math.sin(2 * math.pi * 300 * at / RATE)) for at in range(round(length_s * RATE)))
    return array("h", points).tobytes()


@asynccontextmanager
async def voice_page(served: Served, microphone: Path, *, script: str = "") -> AsyncIterator[Page]:
    """An administrator on the page, whose microphone hears what is in the file, again and again."""
    login = f"admin-{served.hip.lower()}"
    await ready_login(served.services.staff, login, served.hip, role="admin")
    fake = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
    sound = f"--use-file-for-fake-audio-capture={microphone}"
    async with chromium(*fake, sound, "--autoplay-policy=no-user-gesture-required") as browser:
        page = await browser.new_page()
        wrong: list[str] = []
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda line: wrong.append(line.text) if line.type == "error" else None)
        if script:
            await page.add_init_script(script)
        await page.goto(f"{served.address}/console/voice?language=ks")
        await page.fill("[name=login]", login)
        await page.fill("[name=password]", OWN_PASSWORD)
        await page.keyboard.press("Enter")
        await expect(page.locator("html")).to_have_attribute("data-running", "yes")
        yield page
        assert wrong == []


async def played(page: Page, key: str) -> float:
    """Press the key, and tell how long the sound is that is then played to its end."""
    await page.evaluate(
        """() => {
          window.ended = new Promise((done) => {
            const play = HTMLMediaElement.prototype.play;
            HTMLMediaElement.prototype.play = function () {
              this.addEventListener("ended", () => done(this.duration), { once: true });
              HTMLMediaElement.prototype.play = play;
              return play.call(this);
            };
          });
        }"""
    )
    await page.keyboard.press(key)
    length: float = await page.evaluate("window.ended")
    return length


async def test_phrases_are_recorded_heard_and_taken_away_by_keyboard(served: Served, tmp_path: Path) -> None:
    microphone = tmp_path / "microphone.wav"
    microphone.write_bytes(wav(silence(1.0) + word() + silence(1.0)))
    clips, first = served.services.clips, short_parts("ks")
    async with voice_page(served, microphone) as page:
        assert await serious_problems(page) == []
        await expect(page.locator("#say-this")).to_have_text("نمبر")
        await page.keyboard.press("r")
        await expect(page.locator("#said")).to_have_text(re.compile(r"Saved: نمبر, 0\.\d seconds\."), timeout=BUSY_MS)
        assert clips.names("ks", served.hip) == {first[0]}
        clip = clips.read("ks", first[0], served.hip)
        assert clip is not None
        # The microphone speaks on while the page opens it: a recording may begin within the word, and is then shorter.
        length_s = len(clip) / 2 / RATE
        assert SHORTEST_S < length_s < WORD_S + 0.22, "the silence before and after is cut off"
        assert max(array("h", clip)) == pytest.approx(26_000, rel=0.05)
        await expect(page.locator(f"[data-part={first[1]}]")).to_have_attribute("aria-pressed", "true")
        await page.keyboard.press("ArrowUp")
        await expect(page.locator("#voice-now")).to_have_text("yours")
        assert await played(page, "h") == pytest.approx(length_s, abs=0.06)
        await page.keyboard.press("n")
        await expect(page.locator(f"[data-part={first[1]}]")).to_have_attribute("aria-pressed", "true")
        await page.locator("#one-after-another").focus()
        await page.keyboard.press("Space")
        await expect(page.locator("#one-after-another")).to_be_checked()
        await page.keyboard.press("r")
        await expect(page.locator("#first [data-voice=own]").nth(2)).to_be_attached(timeout=BUSY_MS)
        await page.locator("#one-after-another").uncheck()
        await expect(page.locator("#record-words")).to_have_text("Record", timeout=BUSY_MS)
        await expect(page.locator("#said")).to_have_text(re.compile("^Saved"), timeout=BUSY_MS)
        for part in first:
            if part not in clips.names("ks", served.hip):
                clips.save("ks", part, word(0.2), served.hip)
        await page.reload()
        await expect(page.locator("#state")).to_contain_text("Boards speak this language. 92 phrases")
        assert await played(page, "c") > 1.5
        await page.locator("[data-part=number]").focus()
        await page.keyboard.press("Enter")
        await page.keyboard.press("Delete")
        await expect(page.locator("#said")).to_have_text("Taken away: نمبر.")
        await expect(page.locator("#state")).to_contain_text("Boards are silent in this language: 1 of")
        assert first[0] not in clips.names("ks", served.hip)


async def test_a_microphone_that_hears_nothing_saves_nothing(served: Served, tmp_path: Path) -> None:
    microphone = tmp_path / "microphone.wav"
    microphone.write_bytes(wav(silence(2.0)))
    async with voice_page(served, microphone) as page:
        await page.keyboard.press("r")
        await expect(page.locator("#record-words")).to_have_text("Stop", timeout=BUSY_MS)
        await page.keyboard.press("r")
        await expect(page.locator("#said")).to_have_text("Stopped. Nothing was saved.", timeout=BUSY_MS)
        assert served.services.clips.names("ks", served.hip) == frozenset()


async def test_without_a_microphone_a_sound_file_is_taken(served: Served, tmp_path: Path) -> None:
    microphone, file = tmp_path / "microphone.wav", tmp_path / "seven.wav"
    microphone.write_bytes(wav(silence(1.0)))
    stereo = io.BytesIO()
    with wave.open(stereo, "wb") as made:  # as a telephone or another program makes it
        made.setnchannels(2)
        made.setsampwidth(2)
        made.setframerate(44_100)
        points = array("h", silence(0.4) + word() + silence(0.4))
        made.writeframes(array("h", (point for one in points for point in (one,) * 4)).tobytes())
    file.write_bytes(stereo.getvalue())
    async with voice_page(served, microphone, script="delete Navigator.prototype.mediaDevices") as page:
        await expect(page.locator("#no-microphone")).to_have_text(re.compile("open the console by https, or choose"))
        await expect(page.locator("#record")).to_be_disabled()
        await page.locator("[data-part=n7]").click()
        await page.locator("#file").set_input_files(file)
        await expect(page.locator("#said")).to_have_text("Saved: 7, 0.7 seconds.")
        clip = served.services.clips.read("ks", "n7", served.hip)
        assert clip is not None
        assert len(clip) / 2 / RATE == pytest.approx(WORD_S + 0.16, abs=0.06)
        file.write_bytes(b"no sound")
        await page.locator("#file").set_input_files(file)
        await expect(page.locator("#said")).to_have_text("This file cannot be read as sound. Choose another one.")
