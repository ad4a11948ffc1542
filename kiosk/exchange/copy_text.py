"""A profile as text for another program's form: the fields in that form's order, one paste for the clerk.

A template is data that an administrator edits. Its fields are separated by a tab, so that spreadsheets and the helper
for browser forms (docs/hmis.md) put each into a field of its own.
"""

import re
from collections.abc import Callable
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from kiosk.patient.person import Patient

TEMPLATES_MAX: Final = 12
"""Of one facility: a list that the digits and a glance can choose from."""
NAME_MAX: Final = 40
"""Characters of a template's name: it stands on a button."""
FIELDS_MAX: Final = 40
"""Fields of one form. The longest registration form seen has about thirty."""
FIELD_MAX: Final = 60
"""Characters of a field's name or fixed text."""
VALUE_MAX: Final = 640
"""Characters of one value: a whole address has a line, a district, a state and a pincode."""

DateStyle = Literal["DD/MM/YYYY", "DD-MM-YYYY", "YYYY-MM-DD"]
GenderStyle = Literal["M/F/O", "Male/Female/Other", "1/2/3"]
Separator = Literal["tab", "line"]


class CopyTemplate(Struct, frozen=True, kw_only=True):
    """One form. A field is a name of ``FIELDS``, ``blank``, or a fixed text after ``=``."""

    name: Annotated[str, Meta(min_length=1, max_length=NAME_MAX)]
    fields: Annotated[tuple[Annotated[str, Meta(max_length=FIELD_MAX)], ...], Meta(min_length=1, max_length=FIELDS_MAX)]
    date: DateStyle = "DD/MM/YYYY"
    gender: GenderStyle = "M/F/O"
    separator: Separator = "tab"


BLANK: Final = "blank"
FIXED: Final = "="
_COMMON: Final = ("name", "gender", "birth_date", "age", "phone", "address", "district", "state", "pincode")
BUILT_IN: Final = (
    CopyTemplate(name="e-Hospital", fields=("abha_number", *_COMMON)),
    CopyTemplate(
        name="e-Sahaj",
        fields=("name", "age", "gender", "phone", "line", "district", "pincode", "abha_number", "abha_address"),
    ),
    CopyTemplate(
        name="Sehat",
        fields=("first_name", "last_name", "gender", "birth_date", "phone", "abha_number", "abha_address", "address"),
    ),
)
"""Where an administrator begins. None of the three programs publishes its form's order."""

_DATES: Final = {"DD/MM/YYYY": "{2:02}/{1:02}/{0:04}", "DD-MM-YYYY": "{2:02}-{1:02}-{0:04}",
                 "YYYY-MM-DD": "{0:04}-{1:02}-{2:02}"}  # fmt: skip
_GENDERS: Final = {
    "M/F/O": {"M": "M", "F": "F", "O": "O", "T": "O", "D": "O"},
    "Male/Female/Other": {"M": "Male", "F": "Female", "O": "Other", "T": "Other", "D": "Other"},
    "1/2/3": {"M": "1", "F": "2", "O": "3", "T": "3", "D": "3"},
}
_BLANKS: Final = re.compile(r"\s+")
_FORMULA: Final = "=@+-\t\r"
"""A text that begins with one of these is a formula to a spreadsheet."""

_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(tuple[CopyTemplate, ...]).decode


class Source(Struct, frozen=True, kw_only=True):
    """What a template is filled from."""

    patient: Patient
    token: str = ""
    age: str = ""
    """Full years, or months of a small child, as the desk shows it."""


def _first_name(source: Source) -> str:
    """All words but the last, as most programs ask; nobody says which word of an Indian name is the family's."""
    first, _, last = source.patient.name.rpartition(" ")
    return first or last


def _last_name(source: Source) -> str:
    return source.patient.name.rpartition(" ")[2] if " " in source.patient.name else ""


def _dashed(source: Source) -> str:
    number = source.patient.abha_number
    return "-".join((number[:2], number[2:6], number[6:10], number[10:])) if number else ""


def _address(source: Source) -> str:
    patient = source.patient
    return ", ".join(part for part in (patient.line, patient.district, patient.state, patient.pincode) if part)


FIELDS: Final[dict[str, Callable[[Source], object]]] = {
    "token": lambda source: source.token,
    "name": lambda source: source.patient.name,
    "first_name": _first_name,
    "last_name": _last_name,
    "gender": lambda source: source.patient.gender,
    "birth_date": lambda source: source.patient,
    "day_of_birth": lambda source: source.patient.day_of_birth,
    "month_of_birth": lambda source: source.patient.month_of_birth,
    "year_of_birth": lambda source: source.patient.year_of_birth,
    "age": lambda source: source.age,
    "phone": lambda source: source.patient.phone,
    "abha_number": lambda source: source.patient.abha_number,
    "abha_number_dashed": _dashed,
    "abha_address": lambda source: source.patient.abha_address,
    "address": _address,
    "line": lambda source: source.patient.line,
    "district": lambda source: source.patient.district,
    "state": lambda source: source.patient.state,
    "pincode": lambda source: source.patient.pincode,
}
"""Every field that a template may name."""


def text_of(template: CopyTemplate, source: Source) -> str:
    """The line to paste. A field that nobody filled in is empty; its place stays."""
    values = [_value(field, template, source) for field in template.fields]
    return ("\n" if template.separator == "line" else "\t").join(values)


def unknown_fields(template: CopyTemplate) -> list[str]:
    """Fields that no profile has."""
    return [field for field in template.fields if field not in FIELDS and field != BLANK and field[:1] != FIXED]


def pack_templates(templates: tuple[CopyTemplate, ...]) -> bytes:
    return _pack(templates)


def unpack_templates(packed: bytes | None) -> tuple[CopyTemplate, ...]:
    """A facility's templates; those of the program while it has none of its own."""
    return BUILT_IN if packed is None else _unpack(packed)


def _value(field: str, template: CopyTemplate, source: Source) -> str:
    if field.startswith(FIXED):
        return _one_line(field.removeprefix(FIXED))
    if field not in FIELDS:
        return ""
    if field == "birth_date":
        return _birth_date(template.date, source.patient)
    if field == "gender":
        return _GENDERS[template.gender].get(source.patient.gender, "")
    text = _one_line(str(FIELDS[field](source) or ""))
    return text if field == "phone" else text.lstrip(_FORMULA)


def _birth_date(style: DateStyle, patient: Patient) -> str:
    """The whole date, or the year alone: a form that wants a day gets no invented one."""
    parts = (patient.year_of_birth, patient.month_of_birth, patient.day_of_birth)
    return _DATES[style].format(*parts) if all(parts) else str(patient.year_of_birth or "")


def _one_line(text: str) -> str:
    return _BLANKS.sub(" ", text).strip()[:VALUE_MAX]
