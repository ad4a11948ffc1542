"""Posters as one PDF: each page's code is read back, every script is shaped, and nothing leaves its page."""

import io
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pypdfium2
import pytest
from fontTools.ttLib import TTFont
from PIL.Image import Image

from kiosk.exchange.hours_text import read_hours
from kiosk.locales import BOOK
from kiosk.posters import sheet
from kiosk.posters.fonts import FAMILIES, STYLES, family_of, font_file
from kiosk.posters.hours import HOURS_MAX, hours_in
from kiosk.posters.layout import HEIGHT, POINT, TALL, TRIM, WIDTH, Text
from kiosk.posters.sheet import draw
from kiosk.posters.texts import LINES, Which, left_out, posters_of
from queueing.models import Counter, Facility, Queue
from queueing.opening_hours import Holiday
from queueing.registry import Hospital
from tests.codes import codes_in
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
LONG = {
    "en": "Gynaecology and Obstetrics, second floor, old wing, rooms twenty to twenty-two, beside the staircase",
    "hi": "स्त्री रोग एवं प्रसूति विभाग, दूसरी मंज़िल, पुराना भवन, कमरा संख्या बीस से बाईस तक",
    "ur": "شعبۂ امراضِ نسواں و زچگی، دوسری منزل، پرانی عمارت، کمرہ نمبر بیس سے بائیس تک",
    "ks": "شعبۂ امراضِ نسواں و زچگی، دوسری منزل، پرانی عمارت، کمرہ نمبر بیس سے بائیس تک",
    "doi": "स्त्री रोग ते प्रसूति विभाग, दूई मंज़ल, पराना भवन, कमरा नंबर बीह् थमां बाई तगर",
    "pa": "ਇਸਤਰੀ ਰੋਗ ਅਤੇ ਜਣੇਪਾ ਵਿਭਾਗ, ਦੂਜੀ ਮੰਜ਼ਿਲ, ਪੁਰਾਣੀ ਇਮਾਰਤ, ਕਮਰਾ ਨੰਬਰ ਵੀਹ ਤੋਂ ਬਾਈ",
}
WEEK = "Mon-Fri 9:00-14:00, 16:00-18:00\nSat 9:00-13:00"
POINTS_PER_MM = 72 / 25.4
A3_WIDTH = 297


def hospital(*queues: Queue, counters: tuple[Counter, ...] = (), **facility: Any) -> Hospital:
    named = Facility(**{"hip_id": HIP, "name": "District Hospital Baramulla", "default_queue": queues[0].id} | facility)
    return Hospital(facility=named, queues=queues, counters=counters, holidays=(Holiday(25_000, "A day"),))


def queue(number: int, name: str, *, names: dict[str, str] | None = None, hours: str = "") -> Queue:
    return Queue(
        id=f"q{number}", name=name, prefix="ABCDEF"[number], names=names or {}, hours=read_hours(hours) or None
    )


def several() -> Hospital:
    """A hospital with the counters above, each of a queue of its own."""
    queues = [queue(number, name) for number, name in enumerate(COUNTERS.values())]
    counters = tuple(Counter(name=name, queues=(one.id,)) for name, one in zip(COUNTERS, queues, strict=True))
    return hospital(*queues, counters=counters)


def text_of_page(pdf: bytes, page: int = 0) -> str:
    document = pypdfium2.PdfDocument(io.BytesIO(pdf))
    text: str = document[page].get_textpage().get_text_range()
    document.close()
    return text


def pages(pdf: bytes, dots_per_inch: int = 75) -> list[Image]:
    document = pypdfium2.PdfDocument(io.BytesIO(pdf))
    drawn = [page.render(scale=dots_per_inch / 72).to_pil() for page in document]
    document.close()
    return drawn


@pytest.mark.parametrize("paper", ["A4", pytest.param("A3", marks=pytest.mark.proof)])
def test_each_page_leads_to_its_own_counter(paper: str) -> None:
    drawn = pages(draw(posters_of(several(), HOST, {}), paper=paper))
    assert len(drawn) == len(COUNTERS)
    width_mm = WIDTH if paper == "A4" else A3_WIDTH
    for page, counter in zip(drawn, COUNTERS, strict=True):
        assert page.width == pytest.approx(width_mm / 25.4 * 75, abs=1)
        [found] = codes_in(page.convert("L"))
        query = parse_qs(urlsplit(found.text).query)
        assert (query["hip-id"], query["counter-id"]) == ([HIP], [counter])


def test_a_queues_poster_names_the_queue_whatever_counter_serves_it() -> None:
    two = posters_of(several(), HOST, {}, which=Which.ALL)
    assert [one.counter for one in two] == ["", "", "", "", *COUNTERS]
    [page] = pages(draw(posters_of(several(), HOST, {"A": "R1", "B": "R1", "D": "R1"}, which=Which.QUEUES)[2:3]))
    [found] = codes_in(page.convert("L"))
    assert found.text == qr.facility_url(HOST, HIP, "C")
    taken = posters_of(several(), HOST, {"A": "R1", "Q0": "M1"}, which=Which.QUEUES)
    assert [one.queue for one in taken] == list(COUNTERS.values())[1:], "both texts of the first queue lead elsewhere"


def test_the_text_of_page_every_language_are_text_in_the_page() -> None:
    one = queue(0, "Medicine OPD", names={"en": "General Medicine", "pa": "ਮੈਡੀਸਨ"}, hours=WEEK)
    names = {"pa": "ਜ਼ਿਲ੍ਹਾ ਹਸਪਤਾਲ", "en": "District Hospital Baramulla", "hi": "ज़िला अस्पताल", "doi": "ज़िला अस्पताल"}
    place = hospital(one, counters=(Counter(name="M1", queues=("q0",)),), names=names)
    [poster] = posters_of(place, HOST, {})
    assert poster.facility_names == ("ज़िला अस्पताल", "ਜ਼ਿਲ੍ਹਾ ਹਸਪਤਾਲ"), "each once, and not the registered one again"
    text = text_of_page(draw([poster]))
    for word in ("District Hospital Baramulla", "M1", "Medicine OPD", f"{HIP} / M1 / Medicine OPD"):
        assert word in text
    for line in LINES:
        assert BOOK["en"].say(f"counter_screen.{line}") in text
    assert "General Medicine" in text
    for first, last in ((0x0900, 0x097F), (0x0600, 0xFEFF)):  # Devanagari; Arabic and its presentation forms
        assert sum(first <= ord(mark) <= last for mark in text) > 40


def test_the_opening_hours_stand_in_every_language() -> None:
    spans = read_hours(WEEK)
    assert hours_in(BOOK["en"], spans, has_holidays=True) == (
        "Open: Monday to Friday 09:00 to 14:00, 16:00 to 18:00 · Saturday 09:00 to 13:00  ·  Closed on holidays."
    )
    assert hours_in(BOOK["hi"], read_hours("daily 0:00-24:00"), has_holidays=False) == (
        "खुलने का समय: सोमवार से रविवार 00:00 से 24:00"
    )
    assert hours_in(BOOK["ur"], read_hours("Sun 9:00-10:00"), has_holidays=False) == (
        "کھلنے کا وقت: اتوار 09:00 تا 10:00"
    )
    assert hours_in(BOOK["en"], (), has_holidays=True) == ""
    [poster] = posters_of(hospital(queue(0, "Medicine", hours=WEEK)), HOST, {}, which=Which.QUEUES)
    assert [block.hours for block in poster.blocks] == [
        hours_in(book, spans, has_holidays=True) for book in BOOK.values()
    ]  # fmt: skip
    assert "Open: Monday to Friday" in text_of_page(draw([poster]))


def test_hours_that_are_too_long_for_one_language_are_left_out_in_all() -> None:
    days = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
    lines = "\n".join(f"{day} {8 + at}:00-{9 + at}:00, {12 + at}:00-{13 + at}:00" for at, day in enumerate(days))
    place = hospital(queue(0, "Eye", hours=lines), queue(1, "Skin", hours=WEEK), queue(2, "ENT"))
    assert len(hours_in(BOOK["ks"], read_hours(lines), has_holidays=True)) > HOURS_MAX
    eye, skin, _ = posters_of(place, HOST, {}, which=Which.QUEUES)
    assert {block.hours for block in eye.blocks} == {""}
    assert all(block.hours for block in skin.blocks)
    assert [one.name for one in left_out(place)] == ["Eye"]


def test_our_fonts_have_every_character_of_the_words() -> None:
    for code, book in BOOK.items():
        lines = [book.say(f"counter_screen.{line}") for line in ("title", *LINES)]
        for text in (*lines, hours_in(book, read_hours("daily 0:00-24:00"), has_holidays=True), LONG[code]):
            marks = {ord(mark) for mark in text if not mark.isspace()}
            known: set[int] = set()
            for family in {family_of(text), "latin"}:
                known |= set(TTFont(font_file(family, "")).getBestCmap())
            assert marks <= known, f"{code}: {[chr(mark) for mark in marks - known]}"
    assert {family_of(name) for name in COUNTERS.values()} == set(FAMILIES)
    assert set(STYLES) == {"", "B"}


def longest_hours(has_holidays: bool = True) -> str:
    """Hours of which no language has room for a day more."""
    days, lines = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"), ""
    for at, day in enumerate(days):
        longer = f"{lines}{day} {8 + at}:30-{9 + at}:30\n"
        if any(
            len(hours_in(book, read_hours(longer), has_holidays=has_holidays)) > HOURS_MAX for book in BOOK.values()
        ):
            break
        lines = longer
    return lines


@pytest.mark.parametrize("paper", ["A4", pytest.param("A3", marks=pytest.mark.proof)])
def test_long_names_and_hours_stay_within_the_cut_and_their_own_lines(
    paper: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fitted: list[tuple[str, float, float]] = []
    fit = sheet._Page._fitting

    def watched(page: sheet._Page, text: Text, family: str, style: str) -> tuple[float, int]:
        size, lines = fit(page, text, family, style)
        fitted.append((text.words, lines * size * POINT * TALL[family], text.height * page._scale))
        return size, lines

    monkeypatch.setattr(sheet._Page, "_fitting", watched)
    name = "Government Medical College " * 4
    names = {code: f"{long}, {long}" for code, long in LONG.items()}
    place = hospital(
        queue(0, LONG["en"], names=LONG, hours=longest_hours()), name=name, names=names,
        counters=(Counter(name="WWWWWWWWWWWWWWWW", queues=("q0",)),),
    )  # fmt: skip
    posters = posters_of(place, HOST, {}, which=Which.ALL)
    assert all(block.hours for poster in posters for block in poster.blocks)
    pdf = draw(posters, paper=paper)
    for page, poster in zip(pages(pdf, 100), posters, strict=True):
        scale = page.width / WIDTH
        edge = page.convert("L").crop((0, 0, round((TRIM - 0.5) * scale), page.height))
        inner = edge.crop((0, round(16 * scale), edge.width, round((HEIGHT - 16) * scale)))
        assert inner.getextrema() == (255, 255), "ink outside the cut, between the marks"
        assert [found.text for found in codes_in(page)] == [poster.text]
    others = len(set(names.values()))
    assert len(fitted) == 2 * (3 + 4 + others) + 1 + 2 * 3 * len(BOOK)
    assert [(text, used, height) for text, used, height in fitted if used > height * 1.001] == []


def test_the_command_writes_all_counters_or_one(tmp_path: Path) -> None:
    data, file = tmp_path / "data", tmp_path / "posters.pdf"
    assert kiosk(data, "facility", "add", HIP, "--name", "District Hospital Baramulla").returncode == 0
    assert "no counter" in kiosk(data, "posters", HIP, str(file)).stderr
    arguments = ("--name", "Medicine OPD", "--prefix", "M", "--counters", "2")
    assert kiosk(data, "queue", "add", HIP, "medicine", *arguments).returncode == 0
    done = kiosk(data, "posters", HIP, str(file), "--paper", "A3")
    assert done.returncode == 0, done.stderr
    assert "2 posters, A3: M1, M2" in done.stdout
    with_queue = kiosk(data, "posters", HIP, str(tmp_path / "all.pdf"), "--of", "all")
    assert "3 posters, A4: Medicine OPD, M1, M2" in with_queue.stdout
    drawn = pages(file.read_bytes())
    assert [codes_in(page)[0].text for page in drawn] == [
        qr.facility_url("https://phrsbx.abdm.gov.in", HIP, counter) for counter in ("M1", "M2")
    ]  # fmt: skip
    assert [page.width for page in drawn] == pytest.approx([A3_WIDTH / 25.4 * 75] * 2, abs=1)
    one = kiosk(data, "posters", HIP, str(file), "--counter", "m2")
    assert "1 posters, A4: M2" in one.stdout
    assert len(pages(file.read_bytes())) == 1
