"""Two spellings of one Indian name are heard as one, and two names are not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.patient.name_sound import WORDS_MAX, same_sound, sounds_of

SAME = [
    ("Mohammad Ashraf", "Mohd Ashraf"), ("Muhammed Ashraf", "Md. Ashraf"), ("Mohammad", "محمد"), ("Mohammed", "मोहम्मद"),
    ("Anita Devi", "अनीता देवी"), ("Anita", "Anita Devi"), ("Aneeta", "Anitha"), ("Bashir Ahmad", "بشیر احمد"),
    ("Basheer Ahmed", "ਬਸ਼ੀਰ ਅਹਿਮਦ"), ("Parveen", "Parwin"), ("Parveena", "پروینہ"), ("Gurpreet Singh", "ਗੁਰਪ੍ਰੀਤ ਸਿੰਘ"),
    ("Gurprit Singh", "गुरप्रीत सिंह"), ("Krishna", "कृष्णा"), ("Fatima", "Fatimah"), ("Fatima", "فاطمہ"),
    ("Phatima", "फ़ातिमा"), ("Chhaya", "Chaya"),
    ("Khan", "ख़ान"), ("Shabnam", "Shabnum"), ("Zahoor", "Jahur"), ("Abdul Rashid", "Abdulrashid"), ("Rahul", "राहुल"),
    ("Mahmood", "محمود"), ("Mahmood", "महमूद"), ("Smt. Sunita Kumari", "sunita kumari"),
    ("Sunita Kumari", "Kumari Sunita"),
    ("Champa", "चंपा"), ("Qadir", "Kadir"), ("Yasmin", "یاسمین"), ("Waseem", "وسیم"), ("Imran", "عمران"),
    ("Chand", "चाँद"),
    ("Shah", "شاہ"), ("Usman", "عثمان"), ("Vikram", "Wikram"), ("Zoé", "Zoe"),
]  # fmt: skip
OTHER = [
    ("Anita", "Sunita"), ("Mohammad Ashraf", "Mohammad Yousuf"), ("Bashir", "Nazir"), ("Gurpreet", "Harpreet"),
    ("Rahul", "Rohit"), ("Khan", "Dar"), ("", "Anita"), ("…", "---"), ("Fatima", "Fiza"), ("अनीता", "सुनीता"),
    ("Imran", "Irfan"), ("Chand", "Kand"), ("Twin 1 of Zooni", "Twin 1 of Rafiqa"),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other"), SAME)
def test_one_name_in_two_spellings(one: str, other: str) -> None:
    assert same_sound(one, other), (sounds_of(one), sounds_of(other))
    assert same_sound(other, one)


@pytest.mark.parametrize(("one", "other"), OTHER)
def test_two_names(one: str, other: str) -> None:
    assert not same_sound(one, other), (sounds_of(one), sounds_of(other))


@given(st.text(), st.text())
def test_any_text_is_compared_alike_both_ways(one: str, other: str) -> None:
    assert same_sound(one, other) == same_sound(other, one)
    assert len(sounds_of(one * 50)) <= WORDS_MAX
