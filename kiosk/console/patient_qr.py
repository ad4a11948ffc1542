"""The QR on an ABHA card or in an ABHA app, read by a desk scanner: JSON in several spellings, often damaged.

It is unsigned: it fills a form that the clerk checks, and proves no identity.
"""

import json
import re
from typing import Any, Final

from kiosk.patient.birth import birth_date
from kiosk.patient.identifiers import abha_address, abha_number, address_part, gender, phone_number
from kiosk.patient.names import person_name
from kiosk.patient.person import Patient

READ_MAX: Final = 4096
"""Characters; a card holds about four hundred."""


class NotAPatientQr(Exception):
    """The text is not the QR of an ABHA card or app."""


_SPELLINGS: Final = {
    "abha_number": ("hidn", "abha number", "abhanumber"),
    "abha_address": ("phr", "hid", "abha address", "abhaaddress"),
    "name": ("name",),
    "gender": ("gender",),
    "dob": ("dob", "date of birth"),
    "phone": ("mobile", "phone"),
    "state": ("state name",),
    "district": ("district name", "dist name"),
    "address": ("address",),
}
NUMBER_MAX: Final = 24
"""Characters of a barcode that holds an ABHA number alone: fourteen digits, dashes, what a scanner adds."""
_QUOTES: Final = str.maketrans({"“": '"', "”": '"', "„": '"', "\u00a0": " "})
_UK_KEYBOARD: Final = str.maketrans({"@": '"', '"': "@"})
"""A scanner that types on a US layout into a UK one swaps these two."""
_SYMBOLOGY: Final = re.compile(r"\][A-Za-z][0-9A-Za-z](?=\{)")
"""The AIM identifier that some scanners send before the text: ``]Q1`` for a QR."""


def read(text: str, *, suffix: str) -> Patient:
    """Understand a scan. ``suffix`` (``sbx`` or ``abdm``) completes the address of a card that carries none."""
    if number := abha_number(text) if len(text) <= NUMBER_MAX else "":
        return Patient(abha_number=number, abha_address=f"{number}@{suffix}")
    fields = _fields(_object(text))
    number, born = abha_number(fields["abha_number"]), birth_date(fields["dob"])
    return Patient(
        name=person_name(fields["name"]),
        gender=gender(fields["gender"]),
        abha_number=number,
        abha_address=abha_address(fields["abha_address"]) or (f"{number}@{suffix}" if number else ""),
        phone=phone_number(fields["phone"]),
        state=address_part(fields["state"]),
        district=address_part(fields["district"]),
        line=address_part(fields["address"]),
        year_of_birth=born.year,
        month_of_birth=born.month,
        day_of_birth=born.day,
    )


def _object(text: str) -> dict[str, Any]:
    tidy = text.translate(_QUOTES).replace("\ufeff", "").removeprefix("ï»¿").strip()
    tidy = _SYMBOLOGY.sub("", tidy, count=1)
    if len(tidy) > READ_MAX or not tidy.startswith("{") or tidy.count("{") > 4 or tidy.count("[") > 4:
        raise NotAPatientQr
    if re.match(r"\{\s*@", tidy):
        tidy = tidy.translate(_UK_KEYBOARD)
    try:
        decoded = json.loads(re.sub(r"[\r\n\t]+", " ", tidy))
    except ValueError as error:
        raise NotAPatientQr from error
    if not isinstance(decoded, dict):
        raise NotAPatientQr
    return decoded


def _fields(decoded: dict[str, Any]) -> dict[str, str]:
    """Every field as text. Keys in capitals alone were typed with Caps Lock on, which turned every letter around."""
    turned = "".join(decoded).isupper()
    plain = {re.sub(r"[\s_]+", " ", key).strip().lower(): _text(value) for key, value in decoded.items()}
    if turned:
        plain = {key: value.swapcase() for key, value in plain.items()}
    fields = {
        field: next((value for name in names if (value := plain.get(name, ""))), "")
        for field, names in _SPELLINGS.items()
    }
    if not fields["name"] and not fields["abha_number"] and not fields["abha_address"]:
        raise NotAPatientQr
    return fields


def _text(value: object) -> str:
    """Card printers write ``-`` for what they do not know."""
    text = str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return "" if text in ("-", "null", "None", "NA") else text
