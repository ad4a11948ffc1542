"""A shared profile as other programs get it: null where nobody said."""

from msgspec import Struct

from kiosk.patient.person import Patient


class AddressJson(Struct, frozen=True, kw_only=True):
    line: str | None = None
    district: str | None = None
    state: str | None = None
    pincode: str | None = None


class ProfileJson(Struct, frozen=True, kw_only=True):
    """One person."""

    abha_number: str | None = None
    """Fourteen digits."""
    abha_address: str | None = None
    name: str | None = None
    gender: str | None = None
    """``M F O D T U``."""
    year_of_birth: int | None = None
    month_of_birth: int | None = None
    day_of_birth: int | None = None
    phone: str | None = None
    """Ten digits of an Indian number, or a foreign one with its country code."""
    address: AddressJson | None = None


def profile_json(patient: Patient) -> ProfileJson:
    """A patient's profile. What the patient did not say is None."""
    address = AddressJson(
        line=patient.line or None,
        district=patient.district or None,
        state=patient.state or None,
        pincode=patient.pincode or None,
    )
    return ProfileJson(
        abha_number=patient.abha_number or None,
        abha_address=patient.abha_address or None,
        name=patient.name or None,
        gender=patient.gender or None,
        year_of_birth=patient.year_of_birth,
        month_of_birth=patient.month_of_birth,
        day_of_birth=patient.day_of_birth,
        phone=patient.phone or None,
        address=address,
    )
