"""Five languages, one set of words."""

import re
import string
from pathlib import Path

import pytest

import kiosk
from kiosk.locales import BOOK, ENGLISH, LANGUAGES, choose, several

ROOT = Path(kiosk.__file__).parent
OURS = [
    *ROOT.glob("templates/*.html"),
    *ROOT.glob("phone/**/*.html"),
    *ROOT.glob("displays/**/*.html"),
    *ROOT.glob("phone/*.py"),
    *ROOT.glob("displays/*.py"),
    *ROOT.glob("static/js/*.js"),
    ROOT / "web" / "templating.py",
    ROOT / "web" / "problems.py",
]
STATES = ["expected", "waiting", "called", "serving", "held", "no_show", "done", "cancelled", "lapsed"]
STEPS = ["open", "scan", "share", "number"]
FIELD_FAULTS = [
    "name_missing",
    "name_long",
    "name_odd",
    "age_missing",
    "age_odd",
    "gender_missing",
    "phone_odd",
    "consent_missing",
    "female",
    "male",
    "other",
    "busy",
    "closed",
    "fix",
]
MADE_OF_PARTS = {
    *(f"ticket.{state}" for state in STATES),
    *(f"ticket.{state}_do" for state in STATES),
    *(f"counter_screen.step_{step}" for step in STEPS),
    *(f"form.{fault}" for fault in FIELD_FAULTS),
    "form.pace",
    "form.device",
}
"""Keys that templates and scripts put together from a state, a step or a fault."""
GROUPS = "common|board|counter_screen|ticket|form|home|pairing"


def placeholders(words: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(words) if name}


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_language_says_everything_and_nothing_more(code: str) -> None:
    assert BOOK[code].texts.keys() == ENGLISH.texts.keys()


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_language_fills_the_same_gaps(code: str) -> None:
    for key, words in BOOK[code].texts.items():
        assert placeholders(words) == placeholders(ENGLISH.texts[key]), key


@pytest.mark.parametrize("code", LANGUAGES)
def test_no_words_are_missing_or_carry_markup_or_look_like_a_copy(code: str) -> None:
    for key, words in BOOK[code].texts.items():
        assert words.strip() == words != "", key
        assert not set("<>&") & set(words), key
        if code != "en":
            assert words != ENGLISH.texts[key], key


@pytest.mark.parametrize(("code", "script"), [("hi", "ऀ-ॿ"), ("doi", "ऀ-ॿ"), ("ur", "؀-ۿ"), ("ks", "؀-ۿ")])
def test_a_language_is_written_in_its_own_script(code: str, script: str) -> None:
    for key, words in BOOK[code].texts.items():
        foreign = re.sub(r"\{\w+\}|ABHA|HIP", "", words)
        assert re.search(f"[{script}]", foreign), key
        assert not re.search("[A-Za-z]", foreign), key


@pytest.mark.parametrize("code", LANGUAGES)
def test_a_language_has_ten_digits_and_a_direction(code: str) -> None:
    assert [str(int(digit)) for digit in BOOK[code].native_digits] == list(string.digits)
    assert BOOK[code].direction == ("rtl" if code in {"ur", "ks"} else "ltr")


def test_pages_ask_only_for_words_that_exist_and_every_word_is_asked_for() -> None:
    wanted = set(MADE_OF_PARTS)
    for path in OURS:
        wanted |= set(re.findall(rf"[\"'`]((?:{GROUPS})\.\w+)[\"'`]", path.read_text("utf-8")))
    no_words = {f"{group}.html" for group in GROUPS.split("|")} | {"counter_screen.live", "counter_screen.step_"}
    assert wanted - no_words == ENGLISH.texts.keys()


@pytest.mark.parametrize(
    ("wanted", "preferred", "code"),
    [
        ("ur", "hi", "ur"),
        ("", "ks-IN,en;q=0.8", "ks"),
        ("", "en;q=0.5,doi;q=0.9", "doi"),
        ("", "fr, de;q=0.9, hi;q=0.1", "hi"),
        ("", "hi;q=0, ur;q=0.2", "ur"),
        ("xx", "fr", "en"),
        ("", "", "en"),
        ("", "hi;q=much, ur", "ur"),
        ("", "," * 100_000 + "hi", "en"),
    ],
)
def test_the_address_chooses_before_the_browser_and_english_is_left_over(
    wanted: str, preferred: str, code: str
) -> None:
    assert choose(wanted, preferred).code == code


def test_a_screen_takes_turns_in_the_languages_it_was_given_or_in_all() -> None:
    assert several("ur,en,ur,xx") == ("ur", "en")
    assert several("") == several("xx") == LANGUAGES


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_language_has_a_line_height(code: str) -> None:
    """Scripts differ in height: without a rule a new language is cut off on the screens."""
    base = (ROOT / "static" / "css" / "base.css").read_text("utf-8")
    assert f":lang({code})" in base, "add the language to its script's rule in static/css/base.css"
