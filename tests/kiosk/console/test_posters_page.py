"""Posters from the page *Administration*: drawn in a process of its own, one set at a time."""

import io
import sys

import pypdfium2
import pytest
import zxingcpp

from kiosk.posters import drawing
from tests.kiosk.console.signed_in import HIP, Browser

pytestmark = pytest.mark.anyio
PAGE = "/console/admin/posters"


async def test_an_administrator_gets_a_page_for_each_counter(admin: Browser) -> None:
    assert f'href="{PAGE}"' in (await admin.get("/console/admin/rooms/posters")).text
    answer = await admin.get(PAGE)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
    document = pypdfium2.PdfDocument(io.BytesIO(answer.content))
    texts = [zxingcpp.read_barcodes(page.render(scale=1).to_pil())[0].text for page in document]
    document.close()
    assert [text.rpartition("=")[2] for text in texts] == ["M1", "M2", "M3", "R1"]
    assert all(f"hip-id={HIP}&" in text for text in texts)


async def test_a_second_set_waits_and_an_unknown_paper_is_not_found(admin: Browser) -> None:
    async with drawing.one_at_a_time:
        answer = await admin.get(PAGE)
    assert (answer.status_code, "Try again in a minute" in answer.text) == (503, True)
    assert (await admin.get(f"{PAGE}?paper=A5")).status_code == 404


async def test_a_process_that_fails_is_said(admin: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    answer = await admin.get(PAGE)
    assert (answer.status_code, "could not be drawn" in answer.text) == (503, True)
