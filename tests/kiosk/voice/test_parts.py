"""What a call says, part by part, in each language."""

import pytest

from kiosk.locales import LANGUAGES
from kiosk.voice.parts import (
    LARGEST,
    ORDERS,
    PAUSE,
    all_parts,
    call_parts,
    number_parts,
    parts_with,
    short_parts,
)
from kiosk.voice.phrases import phrases

ENGLISH = {
    0: "n0",
    7: "n7",
    42: "n42",
    100: "n1 hundred",
    107: "n1 hundred and n7",
    142: "n1 hundred and n42",
    900: "n9 hundred",
    1000: "n1 thousand",
    1042: "n1 thousand and n42",
    1142: "n1 thousand n1 hundred and n42",
    99_999: "n99 thousand n9 hundred and n99",
}


@pytest.mark.parametrize(("number", "parts"), ENGLISH.items())
def test_english_joins_hundreds_and_the_rest_with_and(number: int, parts: str) -> None:
    assert number_parts("en", number) == parts.split()


@pytest.mark.parametrize("language", ["hi", "ur", "pa", "ks", "doi"])
@pytest.mark.parametrize(("number", "parts"), ENGLISH.items())
def test_the_other_languages_say_hundreds_without_and(language: str, number: int, parts: str) -> None:
    """Hindi 142 is *ek sau bayālīs*, 1042 *ek hazār bayālīs*."""
    assert number_parts(language, number) == parts.replace(" and", "").split()


def test_english_says_where_to_go_before_the_counter() -> None:
    assert call_parts("en", "M-042", "M1") == (
        "number", "letter-m", "n42", PAUSE, "please", "letter-m", "n1",
    )  # fmt: skip


@pytest.mark.parametrize("language", ["hi", "ur", "pa", "ks", "doi"])
def test_the_verb_ends_the_sentence_in_the_other_languages(language: str) -> None:
    assert call_parts(language, "OPD-1042", "OPD12") == (
        "number", "letter-o", "letter-p", "letter-d", "n1", "thousand", "n42", PAUSE,
        "please", "letter-o", "letter-p", "letter-d", "n12", "go",
    )  # fmt: skip


def test_a_counter_with_a_name_is_spelled() -> None:
    assert call_parts("en", "A-1", "Dent-2")[4:] == (
        "please", "letter-d", "letter-e", "letter-n", "letter-t", "n2",
    )  # fmt: skip


def test_a_number_larger_than_any_of_a_day_is_said_digit_by_digit() -> None:
    assert call_parts("en", f"M-{LARGEST + 1}", "1")[2:8] == ("n1", *["n0"] * 5)


def test_without_the_clips_of_large_numbers_a_call_is_said_digit_by_digit() -> None:
    digits = ("number", "letter-m", "n4", "n2", PAUSE, "please", "letter-m", "n1", "go")
    assert parts_with("ks", "M-042", "M1", short_parts("ks")) == digits
    assert parts_with("ks", "M-042", "M1", (*short_parts("ks"), "n42")) == (*digits[:2], "n42", *digits[4:])


def test_one_missing_clip_makes_a_call_silent() -> None:
    for part in ("number", "letter-m", "please", "n4", "go"):
        assert parts_with("doi", "M-042", "M1", set(short_parts("doi")) - {part}) is None, part


@pytest.mark.parametrize("language", ORDERS)
def test_every_part_that_a_call_may_need_has_its_words(language: str) -> None:
    spoken = phrases(language)
    assert tuple(spoken) == all_parts(language)
    assert all(text.strip() for text in spoken.values())
    for number in (0, 7, 42, 100, 142, 1042, LARGEST):
        assert set(call_parts(language, f"ZXW-{number:03}", "ABC99")) - {PAUSE} <= set(spoken)


def test_what_a_person_records_first_is_some_forty_phrases() -> None:
    """Two or three phrases, 26 letters, ten digits."""
    assert {code: len(short_parts(code)) for code in ORDERS} == {
        "en": 38, "hi": 39, "ur": 39, "pa": 39, "ks": 39, "doi": 39,
    }  # fmt: skip


def test_every_language_of_the_screens_can_be_spoken() -> None:
    assert set(LANGUAGES) <= set(ORDERS)
