"""Slips as pictures for printers: every language shaped, the code read back, nothing beside the paper."""

import pytest
from PIL import Image, ImageOps

from kiosk.locales import BOOK
from kiosk.posters import slip as posters_slip
from kiosk.posters.shaped_text import Line, lines_of
from kiosk.posters.slip import DOTS, SIDE, Paper, SlipText, draw
from tests.codes import codes_in

LINK = "https://opd.district-hospital-baramulla.example/t/" + "AXk7aOxJb9QKMjA3ODYtMTA0" * 6
"""Longer than a signed link is."""
FACILITIES = {
    "hi": "राजकीय चिकित्सा महाविद्यालय, श्रीनगर", "ur": "گورنمنٹ میڈیکل کالج ہسپتال، سرینگر", "pa": "ਸਰਕਾਰੀ ਮੈਡੀਕਲ ਕਾਲਜ",
    "ks": "گورنمنٹ میڈیکل کالج", "doi": "सरकारी मैडिकल कालज",
}  # fmt: skip
QUEUES = {"hi": "मेडिसिन ओपीडी", "ur": "میڈیسن او پی ڈی", "pa": "ਮੈਡੀਸਨ ਓਪੀਡੀ", "ks": "میڈیسن", "doi": "मेडिसिन"}


def slip(code: str = "en", **more: str) -> SlipText:
    local = {}
    if code != "en":
        say = BOOK[code].say
        local = {
            "local_facility": FACILITIES[code], "local_queue": QUEUES[code], "local_title": say("ticket.title"),
            "local_hint": say("board.hint"),
            "local_ahead": f"{say('ticket.ahead')}: 12",
        }  # fmt: skip
    lines = {
        "token": "M-042", "link": LINK, "facility": "Government Medical College Hospital, Srinagar",
        "queue": "Medicine OPD", "before": "12 before you", "lane": "Senior, 60 or older",
        "hint": "Scan to see how many are before you", "at": "29-11-2026 09:05",
    }  # fmt: skip
    return SlipText(**lines | local | more)


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("paper", [58, 80])
@pytest.mark.parametrize("code", list(BOOK))
def test_a_slip_is_as_wide_as_the_paper_and_its_code_is_read(code: str, paper: Paper, large: bool) -> None:
    drawn = draw(slip(code), paper, large=large)
    assert (drawn.mode, drawn.width) == ("1", DOTS[paper])
    assert [found.text for found in codes_in(drawn.convert("L"))] == [LINK]
    left, top, right, bottom = inked(drawn)
    assert left >= SIDE // 2
    assert right <= drawn.width - SIDE // 2
    assert top >= 1
    assert bottom <= drawn.height
    # Blurred by an old print head and a phone's camera, and half as many dots: the code is still read.
    small = drawn.convert("L").resize(
        (drawn.width // 2 * 3 // 2, drawn.height // 2 * 3 // 2), Image.Resampling.BILINEAR
    )
    assert [found.text for found in codes_in(small)] == [LINK]


@pytest.mark.parametrize("code", list(BOOK))
def test_every_character_of_every_language_has_its_glyph(code: str) -> None:
    book = BOOK[code]
    for text in (book.say("ticket.title"), book.say("board.hint"), f"{book.say('ticket.ahead')}: 0123456789"):
        for bold in (False, True):
            glyphs = [glyph for line in lines_of(text, 30, 380, bold=bold) for run in line.runs for glyph in run.glyphs]
            assert all(number for number, *_ in glyphs), (code, text)


def test_a_number_stands_at_the_left_end_of_a_line_of_urdu_in_its_own_order() -> None:
    [line] = lines_of(f"{BOOK['ur'].say('ticket.ahead')}: 12", 30, 560)
    first = line.runs[0]
    assert [number for number, *_ in first.glyphs] == [first.font.get_nominal_glyph(ord(digit)) for digit in "12"]


def inked(drawn: Image.Image) -> tuple[int, int, int, int]:
    box = ImageOps.invert(drawn.convert("L")).getbbox()
    assert box is not None
    return box


def test_large_type_is_larger_and_the_number_fills_the_paper() -> None:
    usual, large = (draw(slip("hi"), 80, large=large) for large in (False, True))
    assert large.height > usual.height * 1.15
    number = inked(draw(SlipText(token="M-042", link=LINK), 80, large=True))
    assert number[2] - number[0] > 0.85 * DOTS[80]


def test_the_hospitals_name_in_the_patients_language_stands_first_and_the_registered_one_below(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drawn: list[str] = []

    def watched(text: str, size: float, width: int, *, bold: bool) -> list[Line]:
        drawn.append(text)
        return lines_of(text, size, width, bold=bold)

    monkeypatch.setattr(posters_slip, "lines_of", watched)
    registered = slip().facility
    draw(slip("ur"), 80, large=False)
    assert drawn[0] == FACILITIES["ur"]
    assert drawn.index(registered) > drawn.index("M-042")
    drawn.clear()
    draw(slip("ur", local_facility=""), 80, large=False)
    assert (drawn[0], drawn.count(registered)) == (registered, 1)


@pytest.mark.parametrize("paper", [58, 80])
def test_long_and_odd_names_stay_on_the_paper(paper: Paper) -> None:
    long = slip(
        "ur", facility="Sher-i-Kashmir Institute of Medical Sciences " * 4, queue="W" * 100, token="ABC-99999",
        local_facility="شیرِ کشمیر انسٹی ٹیوٹ آف میڈیکل سائنسز " * 5,
        local_queue="شعبۂ امراضِ نسواں و زچگی (OPD 12) " * 3, lane="🩺 \u202e <b>",
    )  # fmt: skip
    drawn = draw(long, paper, large=True)
    left, _, right, _ = inked(drawn)
    assert left >= 0
    assert right <= drawn.width
    assert [found.text for found in codes_in(drawn.convert("L"))] == [LINK]
