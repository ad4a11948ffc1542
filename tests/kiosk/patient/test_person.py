"""Words from outside, as a screen may show them."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk.patient.person import MARKS_MAX, SHOWN_MAX, shown


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
    assert shown(name) == unicodedata.normalize("NFC", name)


@pytest.mark.parametrize(
    ("given", "seen"),
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
def test_what_tricks_the_eye_is_dropped(given: str, seen: str) -> None:
    assert shown(given) == seen


def test_a_tower_of_marks_falls_to_four() -> None:
    assert len(shown("a" + "\u0333" * 300)) == 1 + MARKS_MAX


def test_long_text_is_cut_without_parting_a_letter_from_its_mark() -> None:
    assert shown("x" * 10_000) == "x" * SHOWN_MAX
    assert shown("की" * 100) == "की" * SHOWN_MAX


@settings(max_examples=300, deadline=None)
@given(st.text(st.characters(), max_size=200))
def test_nothing_invisible_is_ever_shown(text: str) -> None:
    seen = shown(text)
    assert len(seen) <= SHOWN_MAX * (MARKS_MAX + 1)
    assert not [char for char in seen if unicodedata.category(char) in {"Cc", "Cs", "Co", "Cn", "Zl", "Zp"}]
    seen.encode("utf-8")
