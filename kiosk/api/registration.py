"""A person whom the hospital's system registered: read with the same rules as a clerk's form."""

from typing import Final

from kiosk.api.bodies import wrong_field
from kiosk.api.shapes import AddressIn, PatientIn
from kiosk.patient.birth import birth_of_parts
from kiosk.patient.identifiers import abha_address, abha_number, address_part, phone_number, pincode
from kiosk.patient.names import name_fault, person_name
from kiosk.patient.person import Patient

_NAME_FAULTS: Final = {
    "missing": "holds no name",
    "long": "is too long",
    "odd": "holds no letter, or characters that stand in no name",
}


def patient_of(body: PatientIn) -> Patient:
    """The person. Raises WrongValue for a name, number or date that cannot be read: it must not be lost silently."""
    if fault := name_fault(body.name):
        raise wrong_field("patient.name", _NAME_FAULTS[fault])
    number, phone = abha_number(body.abha_number or ""), phone_number(body.phone or "")
    if body.abha_number and not number:
        raise wrong_field("patient.abha_number", "has no fourteen digits")
    if body.phone and not phone:
        raise wrong_field("patient.phone", "is no telephone number")
    born = birth_of_parts(*(str(part or "") for part in (body.day_of_birth, body.month_of_birth, body.year_of_birth)))
    address = body.address or AddressIn()
    return Patient(
        name=person_name(body.name),
        gender=body.gender or "",
        year_of_birth=born.year,
        month_of_birth=born.month,
        day_of_birth=born.day,
        phone=phone,
        abha_number=number,
        abha_address=abha_address(body.abha_address or ""),
        line=address_part(address.line or ""),
        district=address_part(address.district or ""),
        state=address_part(address.state or ""),
        pincode=pincode(address.pincode or ""),
    )
