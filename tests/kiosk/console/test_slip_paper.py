"""The paper slip of the browser: one page, as wide as the paper and as long as what stands on it."""

import pypdfium2
import pytest
from playwright.async_api import Page, expect

from tests.kiosk.console.running_desk import Served

pytestmark = [pytest.mark.anyio, pytest.mark.browser]
MM = 72 / 25.4
"""Points of a PDF to a millimetre."""
BLANK_MM = 12
"""Paper below the last line: the margin, a hair for printers, and what rounding leaves. It was a third of the slip."""


async def printed(page: Page) -> pypdfium2.PdfDocument:
    await page.emulate_media(media="print")
    paper = pypdfium2.PdfDocument(await page.pdf(prefer_css_page_size=True, print_background=True))
    await page.emulate_media(media="screen")
    return paper


def blank_mm(page: pypdfium2.PdfPage) -> float:
    """Millimetres without ink at the page's end."""
    picture = page.render(scale=2).to_pil().convert("L")
    left, top, right, bottom = picture.point(lambda shade: 255 if shade < 250 else 0).getbbox()
    assert min(left, top, picture.width - right) > 0
    return float(picture.height - bottom) / 2 / MM


@pytest.mark.parametrize("paper", [80, 58])
async def test_a_slip_is_one_page_as_long_as_its_text(page: Page, served: Served, paper: int) -> None:
    await served.arrive("Zoona Begum")
    await page.evaluate("() => { window.printed = 0; window.print = () => { window.printed += 1; }; }")
    await page.keyboard.press("w")
    await expect(page.locator("#walk [name=name]")).to_be_focused()
    await page.keyboard.type("Ghulam Nabi")
    await page.keyboard.press("Enter")
    await expect(page.locator("#walk-token")).to_have_text("M-002")
    await page.locator(f"input[name=paper][value='{paper}']").check()
    lengths: list[int] = []
    for language, large in (("", False), ("ur", False), ("hi", False), ("ur", True)):
        await page.locator("#slip-language").select_option(language)
        await page.locator("#slip-large").set_checked(large)
        await page.locator("#walk-print").click()
        await page.wait_for_function("(wanted) => window.printed === wanted", arg=len(lengths) + 1)
        [sheet] = list(await printed(page))
        width, height = (round(side / MM) for side in sheet.get_size())
        assert width == paper
        assert blank_mm(sheet) < BLANK_MM, (language, large, height)
        lengths.append(height)
    english, urdu, _hindi, large_urdu = lengths
    assert english < urdu < large_urdu <= 170
    assert english <= 100
