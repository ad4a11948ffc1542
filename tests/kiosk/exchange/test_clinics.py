"""Proposals for the usual clinics: whole in the languages of the screens, with codes whose check digit is right."""

import pytest

from kiosk.exchange.clinics import CLINICS, clinic_of
from kiosk.locales import LANGUAGES, ROTATION
from queueing.concept_ids import is_concept_id
from queueing.display_text import shown_names
from queueing.limits import QUEUE_NAME_MAX


@pytest.mark.parametrize("key", CLINICS)
def test_every_clinic_has_a_name_in_every_language_and_a_true_code_or_none(key: str) -> None:
    clinic = CLINICS[key]
    assert set(ROTATION) <= set(clinic.names) <= set(LANGUAGES)
    assert shown_names(clinic.names, QUEUE_NAME_MAX) == clinic.names
    assert not clinic.code or is_concept_id(clinic.code)


def test_no_word_and_no_code_stands_for_two_clinics() -> None:
    words = [word for clinic in CLINICS.values() for word in clinic.words]
    codes = [clinic.code for clinic in CLINICS.values() if clinic.code]
    assert len(words) == len(set(words))
    assert len(codes) == len(set(codes))


@pytest.mark.parametrize(
    ("queue", "name", "key"),
    [
        ("medicine", "General OPD", "medicine"),
        ("q7", "Paediatrics OPD", "paediatrics"),
        ("q7", "Eye clinic, first floor", "eye"),
        ("q7", "Mental health", "psychiatry"),
        ("OBG", "Room 4", "gynaecology"),
        ("q7", "Student health", ""),
        ("q7", "दवा", ""),
    ],
)
def test_a_clinic_is_known_by_id_or_by_a_word_of_its_name(queue: str, name: str, key: str) -> None:
    assert clinic_of(queue, name) == CLINICS.get(key)


def test_a_code_with_a_wrong_digit_is_none() -> None:
    assert is_concept_id("394802001")
    for wrong in ("", "394802002", "394820001", "39480", "3948020010000000000", "0394802001", "39480200١", "medicine"):
        assert not is_concept_id(wrong), wrong
