"""Posters from the page *Administration*: drawn in a process of its own, one set at a time."""

import io
import sys

import pypdfium2
import pytest

from kiosk.posters import drawing
from kiosk.services.web import Services
from queueing.registry import Registry
from tests.codes import codes_in
from tests.kiosk.console.signed_in import HIP, Browser

pytestmark = pytest.mark.anyio
PAGE = "/console/admin/posters"


async def test_an_administrator_gets_a_page_for_each_counter(admin: Browser) -> None:
    page = (await admin.get("/console/admin/rooms/posters")).text
    for of in ("counters", "queues", "all"):
        assert f'href="{PAGE}?of={of}&amp;paper=A3"' in page
    answer = await admin.get(PAGE)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
    document = pypdfium2.PdfDocument(io.BytesIO(answer.content))
    texts = [codes_in(page.render(scale=1).to_pil())[0].text for page in document]
    document.close()
    assert [text.rpartition("=")[2] for text in texts] == ["M1", "M2", "M3", "R1"]
    assert all(f"hip-id={HIP}&" in text for text in texts)


async def test_queues_have_posters_of_their_own(admin: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs: list[drawing.Job] = []

    async def apart(job: drawing.Job) -> bytes:
        jobs.append(job)
        return b"%PDF"

    monkeypatch.setattr(drawing, "_drawn_apart", apart)  # how a set is drawn is tested above
    for of in ("queues", "all"):
        assert (await admin.get(f"{PAGE}?of={of}&paper=A3")).status_code == 200
    codes = [[poster.text.rpartition("=")[2] for poster in job.posters] for job in jobs]
    assert codes == [["M", "R"], ["M", "R", "M1", "M2", "M3", "R1"]]
    assert {job.paper for job in jobs} == {"A3"}
    assert (await admin.get(f"{PAGE}?of=doctors")).status_code == 404


async def test_the_page_says_what_has_no_poster_and_no_hours(admin: Browser, services: Services) -> None:
    registry = Registry(services.store)
    for text in ("M", "medicine"):
        await registry.map_text(HIP, text, "R1")
    days = range(7)
    spans = [edge for day in days for edge in (day * 1440 + 60 * day, day * 1440 + 60 * day + 60)]
    spans += [edge for day in days for edge in (day * 1440 + 900 + day, day * 1440 + 990 + day)]
    await registry.set_hours(HIP, "registration", sorted(spans))
    page = (await admin.get("/console/admin/rooms/posters")).text
    assert "has the same letters: <bdi>medicine</bdi>" in page
    assert "too long for a poster: <bdi>registration</bdi>" in page


async def test_a_second_set_waits_and_an_unknown_paper_is_not_found(admin: Browser) -> None:
    async with drawing.one_at_a_time:
        answer = await admin.get(PAGE)
    assert (answer.status_code, "Try again in a minute" in answer.text) == (503, True)
    assert (await admin.get(f"{PAGE}?paper=A5")).status_code == 404


async def test_a_process_that_fails_is_said(admin: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    answer = await admin.get(PAGE)
    assert (answer.status_code, "could not be drawn" in answer.text) == (503, True)
