"""The QR on an ABHA card or in an ABHA app, read by a desk scanner: JSON in several spellings, often damaged.

It is unsigned: whatever it says is a claim that fills a form for a clerk to look at, never proof of who somebody is.
"""

import json
import re
from typing import Any

from kiosk.patient.person import Patient

LONGEST = 4096
"""Characters; a card holds about four hundred."""


class NotAPatientQr(Exception):
    """The text is not what an ABHA card or app shows."""


_SPELLINGS = {
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
_QUOTES = str.maketrans({"“": '"', "”": '"', "„": '"', "\u00a0": " "})
_UK_KEYBOARD = str.maketrans({"@": '"', '"': "@"})
"""A scanner that types on a US layout into a UK one swaps these two."""


def read(text: str, *, suffix: str) -> Patient:
    """Understand a scan. ``suffix`` (``sbx`` or ``abdm``) completes the address of a card that carries none."""
    found = _fields(_object(text))
    number = re.sub(r"\D", "", found["abha_number"])
    number = number if len(number) == 14 else ""
    year, month, day = _date(found["dob"])
    return Patient(
        name=found["name"], gender=found["gender"][:1].upper() if found["gender"] else "", abha_number=number,
        abha_address=found["abha_address"] or (f"{number}@{suffix}" if number else ""), phone=_phone(found["phone"]),
        state=found["state"], district=found["district"], line=found["address"],
        year_of_birth=year, month_of_birth=month, day_of_birth=day,
    )  # fmt: skip


def looks_like_one(text: str) -> bool:
    """Does somebody scan into a field meant for typing?"""
    return text.lstrip("\ufeff \r\n").removeprefix("ï»¿").startswith("{")


def _object(text: str) -> dict[str, Any]:
    tidy = text.translate(_QUOTES).replace("\ufeff", "").removeprefix("ï»¿").strip()
    if len(tidy) > LONGEST or not tidy.startswith("{") or tidy.count("{") > 4 or tidy.count("[") > 4:
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
    plain = {re.sub(r"[\s_]+", " ", key).strip().lower(): value for key, value in decoded.items()}
    found = {
        field: next((text for name in names if (text := _word(plain.get(name)))), "")
        for field, names in _SPELLINGS.items()
    }
    if not found["name"] and not found["abha_number"] and not found["abha_address"]:
        raise NotAPatientQr
    return found


def _word(value: object) -> str:
    """Card printers write ``-`` for what they do not know."""
    text = str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return "" if text in ("-", "null", "None", "NA") else text


def _date(text: str) -> tuple[int | None, int | None, int | None]:
    """``d-m-yyyy``, ``d/m/yyyy``, ``yyyy-mm-dd``, a bare year, or with the day and month masked."""
    parts = re.split(r"[-/. ]+", text)
    if parts and len(parts[0]) == 4:
        parts.reverse()
    numbers = [int(part) if part.isascii() and part.isdigit() else 0 for part in parts][-3:]
    day, month, year = ([0] * (3 - len(numbers)) + numbers)[:3]
    known = 1 <= month <= 12
    born_on = day if known and 1 <= day <= 31 else None
    return year if 1890 <= year <= 2200 else None, month if known else None, born_on


def _phone(text: str) -> str:
    """The ten digits of an Indian mobile number."""
    digits = re.sub(r"\D", "", text)
    return digits[-10:] if len(digits) >= 10 else ""
