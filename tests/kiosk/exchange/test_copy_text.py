"""A profile as text for another program's form."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.exchange import copy_text
from kiosk.exchange.copy_text import BUILT_IN, FIELDS, CopyTemplate, Source, text_of
from kiosk.patient.person import Patient

ANITA = Patient(
    name="Anita Kumari Dar", gender="F", year_of_birth=1990, month_of_birth=1, day_of_birth=5, phone="9812345678",
    abha_number="91750768217770", abha_address="anita@sbx", line="House 7, Lal Chowk", district="Srinagar",
    state="Jammu & Kashmir", pincode="190001",
)  # fmt: skip


def line(fields: str, patient: Patient = ANITA, **choices: str) -> str:
    template = msgspec.convert({"name": "x", "fields": fields.split(), **choices}, CopyTemplate)
    return text_of(template, Source(patient=patient, token="M-042", age="36"))


def test_fields_stand_in_the_templates_order_with_tabs_between() -> None:
    assert line("token name gender birth_date age phone") == "M-042\tAnita Kumari Dar\tF\t05/01/1990\t36\t9812345678"
    assert line("pincode blank =India first_name last_name") == "190001\t\tIndia\tAnita Kumari\tDar"
    assert line("abha_number_dashed address") == (
        "91-7507-6821-7770\tHouse 7, Lal Chowk, Srinagar, Jammu & Kashmir, 190001"
    )
    assert line("name phone", separator="line") == "Anita Kumari Dar\n9812345678"


@pytest.mark.parametrize(
    ("style", "date"), [("DD/MM/YYYY", "05/01/1990"), ("DD-MM-YYYY", "05-01-1990"), ("YYYY-MM-DD", "1990-01-05")]
)
def test_a_date_is_written_as_the_form_wants_it(style: str, date: str) -> None:
    assert line("birth_date", date=style) == date


def test_a_day_that_is_not_known_is_not_invented() -> None:
    half = msgspec.structs.replace(ANITA, day_of_birth=None)
    assert line("birth_date day_of_birth month_of_birth year_of_birth", half) == "1990\t\t1\t1990"
    assert line("birth_date", Patient()) == ""


@pytest.mark.parametrize(
    ("style", "written"),
    [("M/F/O", ["M", "F", "O", "O", "O", ""]), ("Male/Female/Other", ["Male", "Female", "Other", "Other", "Other", ""]),
     ("1/2/3", ["1", "2", "3", "3", "3", ""])],
)  # fmt: skip
def test_a_gender_is_written_as_the_form_wants_it(style: str, written: list[str]) -> None:
    patients = [msgspec.structs.replace(ANITA, gender=gender) for gender in ("M", "F", "O", "T", "D", "U")]
    assert [line("gender", patient, gender=style) for patient in patients] == written


@given(st.builds(Patient, name=st.text(), line=st.text(), district=st.text(), abha_address=st.text()))
def test_no_value_breaks_out_of_its_field_or_becomes_a_formula(patient: Patient) -> None:
    values = line("name line district abha_address phone", patient).split("\t")
    assert len(values) == 5
    assert not any("\n" in value or "\r" in value for value in values)
    assert not any(value.startswith(("=", "+", "-", "@")) for value in values)


def test_the_programs_own_templates_name_fields_that_exist() -> None:
    assert [one.name for one in BUILT_IN] == ["e-Hospital", "e-Sahaj", "Sehat"]
    assert [copy_text.unknown_fields(one) for one in BUILT_IN] == [[], [], []]
    assert copy_text.unknown_fields(CopyTemplate(name="x", fields=("name", "aadhaar", "blank", "=x"))) == ["aadhaar"]
    assert all(text_of(one, Source(patient=ANITA)).count("\t") == len(one.fields) - 1 for one in BUILT_IN)


def test_every_field_is_empty_when_nothing_is_known() -> None:
    assert line(" ".join(FIELDS), Patient(), date="DD/MM/YYYY").replace("M-042", "").replace("36", "").strip("\t") == ""


def test_stored_templates_come_back() -> None:
    own = (CopyTemplate(name="Ours", fields=("name", "=x"), date="YYYY-MM-DD"),)
    assert copy_text.unpack_templates(copy_text.pack_templates(own)) == own
    assert copy_text.unpack_templates(None) == BUILT_IN
    assert copy_text.unpack_templates(copy_text.pack_templates(())) == ()
