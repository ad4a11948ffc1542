"""Text from outside, as a screen may show it."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk.patient.identifiers import address_part
from kiosk.patient.names import name_fault, person_name, unsafe_character
from queueing.display_text import MARKS_MAX, SHOWN_MAX, display_text, marked_text


@pytest.mark.parametrize(
    "name",
    [
        "Asha Devi",
        "O'Neil-Rao, Jr.",
        "आशा देवी",
        "غلام نبی بٹ",
        "ரமேஷ் கௌல்",
        "ശ്രീ ലക്ഷ്മി",
        "ਗੁਰਪ੍ਰੀਤ ਸਿੰਘ",
        "ক্ষ্ম",
        "Zoë Ñandú",
        "李小龙",
    ],
)
def test_honest_names_of_every_script_stay_as_they_are(name: str) -> None:
    assert display_text(name) == unicodedata.normalize("NFC", name)


@pytest.mark.parametrize(
    ("written", "seen"),
    [
        ("  Asha \t Devi\n", "Asha   Devi"),
        ("Asha\u202eived", "Ashaived"),
        ("A\u2066B\u2069C\u200eD\u061c", "ABCD"),
        ("A\x00B\x1b[31mC\x7f", "AB[31mC"),
        ("A\u200bB\ufeffC\u00ad", "ABC"),
        ("क्\u200dष", "क्\u200dष"),
        ("A\ue000B\U000f0000", "AB"),
        ("A\ud800B", "AB"),
        ("e\u0301", "é"),
        ("line\u2028break\u2029", "line break"),
    ],
)
def test_what_tricks_the_eye_is_dropped(written: str, seen: str) -> None:
    assert display_text(written) == seen


def test_a_tower_of_marks_falls_to_four() -> None:
    assert len(display_text("a" + "\u0333" * 300)) == 1 + MARKS_MAX


def test_long_text_is_cut_and_a_mark_stays_with_its_character() -> None:
    assert display_text("x" * 10_000) == "x" * SHOWN_MAX
    assert display_text("की" * 100) == "की" * SHOWN_MAX


def test_what_people_read_shows_where_it_was_cut() -> None:
    assert marked_text("x" * 64) == "x" * 64
    assert marked_text("x" * 65) == "x" * 63 + "…"
    assert marked_text("Ward four, first floor", 11) == "Ward four,…"
    assert marked_text("की" * 65) == "की" * 63 + "…"
    assert marked_text("\u202e" * 65 + "Asha") == "Asha"
    assert person_name("की" * 400) == "की" * 127 + "…"
    assert address_part("h" * 201) == "h" * 199 + "…"


@settings(max_examples=300, deadline=None)
@given(st.text(st.characters(), max_size=200))
def test_nothing_invisible_is_ever_display_text(text: str) -> None:
    seen = display_text(text)
    assert len(seen) <= SHOWN_MAX * (MARKS_MAX + 1)
    assert not [char for char in seen if unicodedata.category(char) in {"Cc", "Cs", "Co", "Cn", "Zl", "Zp"}]
    seen.encode("utf-8")


@pytest.mark.parametrize(
    ("written", "seen"),
    [
        ("ضلع ہسپتال بارہ\u200cمولہ", "ضلع ہسپتال بارہ\u200cمولہ"),
        ("ज़िला श्री\u200dनगर", unicodedata.normalize("NFC", "ज़िला श्री\u200dनगर")),
        ("District\u00a0Hospital", "District Hospital"),
        ("ہسپتال\u200f", "ہسپتال"),
        ("\u200d\u200c", ""),
        ("A\u200dB\u200d\u200dC", "A\u200dB\u200dC"),
        ("\u115f\u1160\u3164\uffa0\u2800", ""),
        ("A\ufe0fB\u034fC", "ABC"),
        ("Sample\u00a0\ud83d", "Sample"),
        ("Sample \ufffd ", "Sample"),
        ("Rea\u202edrever", "Readrever"),
    ],
)
def test_joiners_shape_words_and_everything_else_unseen_goes(written: str, seen: str) -> None:
    assert display_text(written) == seen


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("A\x1b[31mB", "U+001B ESCAPE"),
        ("A\u202eB", "U+202E RIGHT-TO-LEFT OVERRIDE"),
        ("A\ue000B", "U+E000 a character without a name"),
        ("District\u00a0Hospital", ""),
        ("ہسپتال\u200f", ""),
        ("ज़िला श्री\u200dनगर", ""),
    ],
)
def test_a_character_that_no_name_may_hold_is_named(text: str, named: str) -> None:
    assert unsafe_character(text) == named


@pytest.mark.parametrize(
    "name",
    [
        "B/O Sample Devi",
        "S/o Sample Lal",
        "Sample W/O Sample",
        "Twin 2 of Sample",
        "Baby of Sample",
        "Md. Yousuf (2nd)",
    ],
)
def test_names_as_hospitals_write_them_are_names(name: str) -> None:
    assert (name_fault(name), display_text(name)) == ("", name)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "missing"),
        ("\u3164", "missing"),
        ("x" * 129, "long"),
        ("12345", "odd"),
        ("http://a/b", "odd"),
        ("a@b", "odd"),
        ("WIFI:T:WPA;S:hall;P:x;;", "odd"),
    ],
)
def test_what_is_no_name_has_a_fault(text: str, fault: str) -> None:
    assert name_fault(text) == fault
