"""Checking a poster in a real Chromium: its code comes from a real poster, by scanner, picture and camera."""

import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pypdfium2
import pytest
from PIL.Image import Image, Resampling, new
from playwright.async_api import Page, expect

from kiosk.posters.sheet import draw
from kiosk.posters.texts import posters_of
from queueing.registry import Registry
from tests.accessible import serious_problems
from tests.browser import chromium
from tests.kiosk.console.keyboards import scan
from tests.kiosk.console.running_desk import Served, watched_page
from tests.kiosk.console.signed_in import build_hospital

pytestmark = [pytest.mark.anyio, pytest.mark.browser]


@asynccontextmanager
async def check_page(served: Served, *flags: str) -> AsyncIterator[Page]:
    async with chromium(*flags) as browser, watched_page(browser) as page:
        await page.context.add_cookies([{"name": "kiosk", "value": await served.session(), "url": served.address}])
        await page.goto(served.address + "/console/posters")
        await expect(page.locator("#check")).to_have_attribute("data-running", "yes")
        yield page


async def printed(served: Served, counter: str, hip: str = "") -> Image:
    """The poster of a counter, as the printer draws it."""
    hospital = await Registry(served.services.store).hospital(hip or served.hip)
    assert hospital
    pdf = draw(posters_of(hospital, served.services.settings.qr_host, {}, only=counter))
    document = pypdfium2.PdfDocument(io.BytesIO(pdf))
    picture: Image = document[0].render(scale=2).to_pil().convert("RGB")
    document.close()
    return picture


def photographed(poster: Image, path: Path) -> Path:
    """The poster on a grey wall, a little askew."""
    wall = new("RGB", (1600, 1900), (150, 150, 140))
    wall.paste(poster.resize((1000, 1414), Resampling.LANCZOS), (300, 250))
    wall.rotate(4, fillcolor=(150, 150, 140)).save(path, "JPEG", quality=80)
    return path


def film(poster: Image, path: Path) -> Path:
    """One frame that a camera shows again and again (YUV4MPEG2, 640 by 480)."""
    frame = new("RGB", (640, 480), (140, 140, 140))
    code = poster.crop(
        (round(poster.width * 0.2), round(poster.height * 0.1), round(poster.width * 0.8), poster.height // 2)
    )
    frame.paste(code.resize((460, round(460 * code.height / code.width)), Resampling.LANCZOS), (90, 5))
    y, u, v = frame.convert("YCbCr").split()
    planes = [y.tobytes(), *(one.resize((320, 240)).tobytes() for one in (u, v))]
    path.write_bytes(b"YUV4MPEG2 W640 H480 F10:1 Ip A0:0 C420jpeg\n" + b"FRAME\n" + b"".join(planes))
    return path


async def test_the_scanner_of_the_desk_says_swapped_posters_one_after_another(served: Served) -> None:
    host = served.services.settings.qr_host
    async with check_page(served) as page:
        assert await serious_problems(page) == []
        await page.locator("[name=at]").select_option("counter:M1")
        await scan(page, f"{host}/share-profile?hip-id={served.hip}&counter-id=M2")
        await expect(page.locator("#verdict")).to_contain_text("Wrong: this code leads to counter M2")
        await expect(page.locator("[name=at]")).to_have_value("counter:M1")
        await expect(page.locator("#check")).to_have_attribute("data-running", "yes")
        await page.locator("[name=at]").select_option("counter:M2")
        await page.locator("[name=at]").blur()
        await scan(page, f"{host}/share-profile?hip-id={served.hip}&counter-id=M2", layout="Urdu")
        await expect(page.locator("#verdict")).to_have_text("Right: this code leads to counter M2, queue Medicine OPD.")
        assert await serious_problems(page) == []


async def test_a_picture_of_the_poster_is_read_also_another_hospitals(served: Served, tmp_path: Path) -> None:
    other = f"{served.hip}9"
    await build_hospital(served.services, other, "Sub District Hospital Sopore")
    async with check_page(served) as page:
        await page.locator("[name=at]").select_option("counter:R1")
        own = photographed(await printed(served, "R1"), tmp_path / "own.jpg")
        await page.locator("#picture input").set_input_files(own)
        await expect(page.locator("#verdict")).to_have_text("Right: this code leads to counter R1, queue Registration.")
        await expect(page.locator("#check")).to_have_attribute("data-running", "yes")
        foreign = photographed(await printed(served, "R1", other), tmp_path / "foreign.jpg")
        await page.locator("#picture input").set_input_files(foreign)
        await expect(page.locator("#verdict")).to_have_text(
            f"Wrong: this code is another hospital's, of HIP id {other}. Take it down."
        )
        await expect(page.locator("#check")).to_have_attribute("data-running", "yes")
        new("RGB", (400, 300), (200, 200, 200)).save(tmp_path / "wall.png")
        await page.locator("#picture input").set_input_files(tmp_path / "wall.png")
        await expect(page.locator("#seen")).to_contain_text("No code was found in the picture.")


async def test_the_camera_reads_the_poster_before_it(served: Served, tmp_path: Path) -> None:
    seen = film(await printed(served, "M3"), tmp_path / "poster.y4m")
    fake = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
    async with check_page(served, *fake, f"--use-file-for-fake-video-capture={seen}") as page:
        await page.locator("[name=at]").select_option("counter:M1")
        await page.get_by_role("button", name="Camera").click()
        await expect(page.locator("#verdict")).to_contain_text("Wrong: this code leads to counter M3")


async def test_without_permission_the_page_says_what_else_works(served: Served) -> None:
    async with check_page(served, "--use-fake-device-for-media-stream", "--deny-permission-prompts") as page:
        await page.get_by_role("button", name="Camera").click()
        await expect(page.locator("#seen")).to_have_text("The camera cannot be used. Allow it, or take a picture.")
