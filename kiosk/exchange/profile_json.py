"""A shared profile as other programs get it: null where nobody said."""

from msgspec import Struct


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
