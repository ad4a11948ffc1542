"""Whatever a scanner, a file or a form brings: a value that screens can show, or a refusal that we know by name."""

import csv
import io
import json
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kiosk.__main__ import failure_line
from kiosk.cli import csv_files
from kiosk.cli.facility import IMPORT_COLUMNS
from kiosk.cli.running import CommandFailed
from kiosk.console import patient_qr
from kiosk.console.patient_qr import NotAPatientQr
from kiosk.patient.birth import AGE_MAX, birth_date, birth_of_age
from kiosk.patient.identifiers import abha_address, abha_number, gender, phone_number, pincode
from kiosk.patient.names import name_fault, person_name
from kiosk.patient.person import Patient
from kiosk.phone.form import Form, form_of, read
from queueing.display_text import display_text, terminal_text

TODAY = date(2026, 11, 28)
BOUNDED = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""All of this file together stays under ten seconds."""
ANY = st.text(st.characters(), max_size=120)
"""Every character, lone surrogates too."""
SEEDS = st.sampled_from([
    "Zooni Dar", "ग़ुलाम नबी", "غلام نبی بٹ", "S/o Abdul", "91-7507-6821-7770", "asha@sbx", "+91 94190 12345",
    "1990-01-15", "15/1/1990", "67y", "8m", "१९८०", "19**", "\u202e", "\x1b[2J", "\u115f", "\ud800", "{", "}", '"', ",",
    "\n",
])  # fmt: skip
TRICKY = st.lists(st.one_of(SEEDS, ANY), max_size=5).map("".join)
"""What people write, joined with anything."""
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), TRICKY),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TRICKY, inner, max_size=3)),
    max_leaves=8,
)
CARD = {"hidn": "91-7507-6821-7770", "phr": "asha@sbx", "name": "Asha", "gender": "F", "dob": "1/1/1990", "mobile": "1"}


def assert_can_be_shown(patient: Patient) -> None:
    """Every text is in display form, can be encoded and is bounded; numbers are digits."""
    for text in (patient.name, patient.line, patient.district, patient.state, patient.abha_address):
        text.encode("utf-8")
        assert display_text(text, 200) == text
        assert len(text) <= 1024
    assert patient.abha_number == "" or (len(patient.abha_number) == 14 and patient.abha_number.isdecimal())
    assert patient.phone == "" or (patient.phone.isascii() and patient.phone.isdigit())
    assert patient.year_of_birth is None or 1900 <= patient.year_of_birth <= 2299


@BOUNDED
@given(st.one_of(TRICKY, JSON.map(json.dumps), st.dictionaries(st.sampled_from(list(CARD)), JSON).map(
    lambda changed: json.dumps({**CARD, **changed}, ensure_ascii=False)
)))  # fmt: skip
def test_a_scanned_text_is_a_patient_or_no_card(text: str) -> None:
    try:
        patient = patient_qr.read(text, suffix="sbx")
    except NotAPatientQr:
        return
    assert_can_be_shown(patient)


@BOUNDED
@given(
    st.dictionaries(st.sampled_from(["name", "age", "request_id", "consent", "x"]), TRICKY, max_size=5),
    st.fixed_dictionaries(dict.fromkeys(("name", "age", "gender", "phone"), TRICKY)),
)
def test_a_form_is_a_patient_or_its_faults(sent: dict[str, str], fields: dict[str, str]) -> None:
    for form in (form_of(sent), Form(request_id="r", consent=True, **fields)):
        patient, faults = read(form, TODAY)
        assert_can_be_shown(patient)
        assert bool(faults) or patient.name


@BOUNDED
@given(TRICKY)
def test_a_normalised_value_is_normal(text: str) -> None:
    """Reading what was read changes nothing: two entrances that pass a value on agree."""
    for normal in (display_text, person_name, abha_number, abha_address, phone_number, gender, pincode, terminal_text):
        once: str = normal(text)
        assert normal(once) == once, normal.__name__
        once.encode("utf-8")
    if not name_fault(text):
        assert person_name(text)


@BOUNDED
@given(TRICKY, st.integers(-10, 3000), st.sampled_from(["", "y", "m", "d", " years", " महीने", " دن"]))
def test_a_date_or_an_age_is_a_possible_birth_or_unknown(text: str, number: int, unit: str) -> None:
    for birth in (birth_date(text), birth_of_age(text, TODAY), birth_of_age(f"{number}{unit}", TODAY)):
        assert birth.year is None or 1900 <= birth.year <= 2299
        assert birth.month is None or 1 <= birth.month <= 12
        assert birth.day is None or (birth.month is not None and 1 <= birth.day <= 31)
    age = birth_of_age(f"{number}{unit}", TODAY)
    assert age.year is None or TODAY.year - AGE_MAX - 2 <= age.year <= TODAY.year


HEAD = st.one_of(
    st.just([column.name for column in IMPORT_COLUMNS]), st.lists(st.one_of(SEEDS, st.just("name")), max_size=4)
)
CELLS = st.one_of(SEEDS, ANY, st.sampled_from(["IN0110000001", "34.08", "NA", "1e999", "nan", "-0", "3.0", "9" * 30]))


@st.composite
def registers(draw: Any) -> bytes:
    """A CSV of a register with anything in its cells, sometimes with damaged bytes."""
    text = io.StringIO()
    csv.writer(text).writerow(draw(HEAD))
    for row in draw(st.lists(st.lists(CELLS, min_size=1, max_size=len(IMPORT_COLUMNS)), max_size=4)):
        csv.writer(text, quoting=draw(st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]))).writerow(row)
    whole = bytearray(text.getvalue().encode("utf-8", "surrogatepass"))
    for at in draw(st.lists(st.integers(0, len(whole) - 1), max_size=2)):
        whole[at] = draw(st.integers(0, 255))
    return bytes(whole)


@BOUNDED
@given(registers())
def test_a_register_is_read_or_refused_in_a_line_that_a_terminal_can_show(content: bytes) -> None:
    rows: list[csv_files.Row] = []
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "register.csv"
        file.write_bytes(content)
        refusal, count = "", 0
        try:
            count = csv_files.check(file, IMPORT_COLUMNS, rows.append)
        except CommandFailed as refused:
            refusal = failure_line(str(refused))
    if refusal:
        assert len(refusal) < 8_000
        assert terminal_text(refusal) == refusal
        assert refusal.count("\n") == 1
        return
    assert count == len(rows)
    for row in rows:
        for column in ("name", "district", "state"):
            shown = row.values[column] or ""
            assert display_text(shown, 200) == shown
        assert row.values["latitude"] is None or -90 <= row.values["latitude"] <= 90


def test_a_refusal_that_quotes_a_file_moves_no_cursor(tmp_path: Path) -> None:
    file = tmp_path / "register.csv"
    file.write_text("hip_id,name,\x1b[2J\u202e,\x1b[2J\u202e\n", "utf-8")
    with pytest.raises(CommandFailed) as refused:
        csv_files.check(file, IMPORT_COLUMNS, repr)
    assert "\x1b" in str(refused.value), "the refusal no longer quotes the header: take another example"
    assert terminal_text(failure_line(str(refused.value))) == failure_line(str(refused.value))


def test_the_examples_reach_what_they_are_meant_to_reach() -> None:
    """Properties that only ever saw refusals would hold for a reader that refuses everything."""
    assert patient_qr.read(json.dumps(CARD), suffix="sbx").name == "Asha"
    with pytest.raises(NotAPatientQr):
        patient_qr.read("[]", suffix="sbx")
    assert read(Form(request_id="r", name="Asha", age="8m", gender="F", consent=True), TODAY)[1] == {}
