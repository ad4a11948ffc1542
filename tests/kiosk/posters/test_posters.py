"""Posters as one PDF: each page's code is read back, every script is shaped, and nothing leaves its page."""

import io
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pypdfium2
import pytest
import zxingcpp
from fontTools.ttLib import TTFont
from PIL.Image import Image

from kiosk.locales import BOOK
from kiosk.posters.fonts import FAMILIES, STYLES, family_of, font_file
from kiosk.posters.sheet import HEIGHT, LINES, TRIM, WIDTH, Poster, draw
from tests.kiosk.in_process import kiosk
from tokens import qr

HIP = "IN0110000123"
HOST = "https://phr.abdm.gov.in"
COUNTERS = {
    "M1": "Medicine OPD",
    "GYNAE-OPD-12": "شعبۂ امراضِ نسواں و زچگی",
    "R1": "पंजीकरण",
    "P9": "ਰਜਿਸਟ੍ਰੇਸ਼ਨ",
}
POINTS_PER_MM = 72 / 25.4


def poster(counter: str, queue: str, facility: str = "District Hospital Baramulla") -> Poster:
    text = qr.facility_url(HOST, HIP, counter)
    return Poster(facility=facility, hip_id=HIP, counter=counter, queue=queue, text=text)


def pages(pdf: bytes, dots_per_inch: int = 75) -> list[Image]:
    document = pypdfium2.PdfDocument(io.BytesIO(pdf))
    drawn = [page.render(scale=dots_per_inch / 72).to_pil() for page in document]
    document.close()
    return drawn


@pytest.mark.parametrize("paper", ["A4", "A3"])
def test_each_page_leads_to_its_own_counter(paper: str) -> None:
    drawn = pages(draw([poster(*one) for one in COUNTERS.items()], paper=paper))
    assert len(drawn) == len(COUNTERS)
    width_mm = WIDTH if paper == "A4" else 297
    for page, counter in zip(drawn, COUNTERS, strict=True):
        assert page.width == pytest.approx(width_mm / 25.4 * 75, abs=1)
        [found] = zxingcpp.read_barcodes(page.convert("L"))
        query = parse_qs(urlsplit(found.text).query)
        assert (query["hip-id"], query["counter-id"]) == ([HIP], [counter])


def test_the_words_of_every_language_are_text_in_the_page() -> None:
    document = pypdfium2.PdfDocument(io.BytesIO(draw([poster("M1", "Medicine OPD")])))
    text = document[0].get_textpage().get_text_range()
    document.close()
    for word in ("District Hospital Baramulla", "M1", "Medicine OPD", f"{HIP} / M1"):
        assert word in text
    for line in LINES:
        assert BOOK["en"].say(f"counter_screen.{line}") in text
    for first, last in ((0x0900, 0x097F), (0x0600, 0xFEFF)):  # Devanagari; Arabic and its presentation forms
        assert sum(first <= ord(mark) <= last for mark in text) > 40


def test_our_fonts_have_every_character_of_the_words() -> None:
    for code, book in BOOK.items():
        for line in ("title", *LINES):
            words = book.say(f"counter_screen.{line}")
            marks = {ord(mark) for mark in words if not mark.isspace()}
            known: set[int] = set()
            for family in {family_of(words), "latin"}:
                known |= set(TTFont(font_file(family, "")).getBestCmap())
            assert marks <= known, f"{code}: {[chr(mark) for mark in marks - known]}"
    assert {family_of(name) for name in COUNTERS.values()} == set(FAMILIES)
    assert set(STYLES) == {"", "B"}


def test_long_names_stay_within_the_cut() -> None:
    long = poster(
        "WWWWWWWWWWWW", "Gynaecology and Obstetrics, second floor, old wing", "Government Medical College " * 4
    )
    [page] = pages(draw([long]), 100)
    scale = 100 / 25.4
    edge = page.convert("L").crop((0, 0, round((TRIM - 0.5) * scale), page.height))
    inner = edge.crop((0, round(16 * scale), edge.width, round((HEIGHT - 16) * scale)))
    assert inner.getextrema() == (255, 255), "ink outside the cut, between the marks"
    assert [found.text for found in zxingcpp.read_barcodes(page)] == [long.text]


def test_the_command_writes_all_counters_or_one(tmp_path: Path) -> None:
    data, file = tmp_path / "data", tmp_path / "posters.pdf"
    assert kiosk(data, "facility", "add", HIP, "--name", "District Hospital Baramulla").returncode == 0
    assert "no counter" in kiosk(data, "posters", HIP, str(file)).stderr
    words = ("--name", "Medicine OPD", "--prefix", "M", "--counters", "2")
    assert kiosk(data, "queue", "add", HIP, "medicine", *words).returncode == 0
    done = kiosk(data, "posters", HIP, str(file), "--paper", "A3")
    assert done.returncode == 0, done.stderr
    assert "2 posters, A3: M1, M2" in done.stdout
    assert [zxingcpp.read_barcodes(page)[0].text for page in pages(file.read_bytes())] == [
        qr.facility_url("https://phrsbx.abdm.gov.in", HIP, counter) for counter in ("M1", "M2")
    ]  # fmt: skip
    one = kiosk(data, "posters", HIP, str(file), "--counter", "m2")
    assert "1 posters, A4: M2" in one.stdout
    assert len(pages(file.read_bytes())) == 1
