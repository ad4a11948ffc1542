"""Reads the no-app form. A fault names its field, and the form comes back with everything that was written in it."""

import uuid
from collections.abc import Mapping
from datetime import date
from typing import Final

from msgspec import Struct

from kiosk.patient.birth import birth_of_age
from kiosk.patient.identifiers import phone_number
from kiosk.patient.names import name_fault, person_name
from kiosk.patient.person import Patient

RAW_MAX: Final = 200
"""Characters kept of a field for showing it again; nobody types more into a phone."""
GENDERS: Final = frozenset({"F", "M", "O"})


class Form(Struct, frozen=True, kw_only=True):
    """The fields as somebody filled them in."""

    request_id: str = ""
    name: str = ""
    age: str = ""
    gender: str = ""
    phone: str = ""
    consent: bool = False


Faults = dict[str, str]
"""Field → key of the words that say what is wrong with it, in the form's order."""


def empty() -> Form:
    """A new form. Its request id makes a second press of the button the same request."""
    return Form(request_id=str(uuid.uuid4()))


def form_of(sent: Mapping[str, str]) -> Form:
    """The form of the fields that the browser sent."""
    fields = {name: value[:RAW_MAX] for name, value in sent.items()}
    return Form(
        request_id=_request_id(fields.get("request_id", "")),
        name=fields.get("name", ""),
        age=fields.get("age", ""),
        gender=fields.get("gender", ""),
        phone=fields.get("phone", ""),
        consent=fields.get("consent") == "yes",
    )


def read(form: Form, today: date) -> tuple[Patient, Faults]:
    """The person, and what is wrong. The person counts only when nothing is."""
    born, phone, odd_name = birth_of_age(form.age, today), phone_number(form.phone), name_fault(form.name)
    faults = {
        "name": f"name_{odd_name}" if odd_name else "",
        "age": ("age_odd" if form.age.strip() else "age_missing") if born.year is None else "",
        "gender": "" if form.gender in GENDERS else "gender_missing",
        "phone": "phone_odd" if form.phone.strip() and not phone else "",
        "consent": "" if form.consent else "consent_missing",
    }
    patient = Patient(
        name=person_name(form.name),
        year_of_birth=born.year,
        month_of_birth=born.month,
        day_of_birth=born.day,
        gender=form.gender,
        phone=phone,
    )
    return patient, {field: fault for field, fault in faults.items() if fault}


def _request_id(text: str) -> str:
    """The form's own id; a browser that brings none, or none of ours, gets a new one."""
    try:
        return str(uuid.UUID(text))
    except ValueError:
        return str(uuid.uuid4())
