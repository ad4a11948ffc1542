"""Reads the no-app form. Faults are named at their field, and nothing that somebody wrote is lost."""

import re
import unicodedata
import uuid
from typing import Final
from urllib.parse import parse_qsl

from msgspec import Struct

from kiosk.patient.person import SHOWN_MAX, Patient, shown

FIELDS_MAX: Final = 16
"""The form has six."""
RAW_MAX: Final = 200
"""Characters kept of a field for showing it again; nobody types more into a phone."""
EARLIEST_YEAR: Final = 1900
OLDEST: Final = 120
GENDERS: Final = frozenset({"F", "M", "O"})

_MOBILE: Final = re.compile(r"(?:\+?91|0)?([6-9][0-9]{9})")
"""Indian mobile numbers begin with 6 to 9 (TRAI numbering plan); people write them with 0 or 91 before."""
_GAPS: Final = re.compile(r"[\s().-]+")


class Given(Struct, frozen=True, kw_only=True):
    """What somebody wrote, as they wrote it."""

    request_id: str = ""
    name: str = ""
    age: str = ""
    gender: str = ""
    phone: str = ""
    consent: bool = False


Faults = dict[str, str]
"""Field → key of the words that say what is wrong with it, in the form's order."""


def empty() -> Given:
    """A new form. Its request id makes a second press of the button the same request."""
    return Given(request_id=str(uuid.uuid4()))


def given(body: bytes) -> Given:
    """What the browser sent. Bytes that are no form are an empty form, which then says what is missing."""
    try:
        pairs = parse_qsl(body.decode("utf-8"), keep_blank_values=True, errors="strict", max_num_fields=FIELDS_MAX)
    except ValueError:  # UnicodeDecodeError is one
        pairs = []
    fields = {name: value[:RAW_MAX] for name, value in pairs}
    return Given(
        request_id=_request_id(fields.get("request_id", "")),
        name=fields.get("name", ""),
        age=fields.get("age", ""),
        gender=fields.get("gender", ""),
        phone=fields.get("phone", ""),
        consent=fields.get("consent") == "yes",
    )


def read(form: Given, this_year: int) -> tuple[Patient, Faults]:
    """The person, and what is wrong. The person counts only when nothing is."""
    name, year, phone = shown(form.name), _year(form.age, this_year), _phone(form.phone)
    faults = {
        "name": _name_fault(form.name, name),
        "age": ("age_missing" if not form.age.strip() else "age_odd") if year is None else "",
        "gender": "" if form.gender in GENDERS else "gender_missing",
        "phone": "phone_odd" if phone is None else "",
        "consent": "" if form.consent else "consent_missing",
    }
    patient = Patient(name=name, year_of_birth=year, gender=form.gender, phone=phone or "")
    return patient, {field: fault for field, fault in faults.items() if fault}


def _name_fault(raw: str, name: str) -> str:
    if not name:
        return "name_missing"
    if len(raw.strip()) > SHOWN_MAX:
        return "name_long"
    letters = any(unicodedata.category(char).startswith("L") for char in name)
    return "" if letters and not any(char in "<>{}[]@#$%^*=|\\/0123456789" for char in name) else "name_odd"


def _year(text: str, this_year: int) -> int | None:
    """An age up to 120 or a year of birth, in the digits of any script."""
    text = text.strip()
    if not text.isdecimal() or len(text) > 4:
        return None
    number = int(text)
    if number <= OLDEST:
        return this_year - number
    return number if EARLIEST_YEAR <= number <= this_year else None


def _phone(text: str) -> str | None:
    """Ten digits, empty when nothing was written, None when it is no mobile number."""
    compact = "".join(str(unicodedata.decimal(char)) if char.isdecimal() else char for char in _GAPS.sub("", text))
    if not compact:
        return ""
    found = _MOBILE.fullmatch(compact)
    return found[1] if found else None


def _request_id(text: str) -> str:
    """The form's own id; a browser that brings none, or none of ours, gets a new one."""
    try:
        return str(uuid.UUID(text))
    except ValueError:
        return str(uuid.uuid4())
