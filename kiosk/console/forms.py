"""Reads the administrator's forms into the registry's data; a field that does not fit is refused with a sentence."""

import re
from collections.abc import Iterable
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from kiosk.patient.names import display_text
from queueing.coordinates import place_fault
from queueing.models import Counter, Facility, Policy, PresenceRule, Queue

Form = dict[str, str]
MOST_A_DAY = 99_999
"""With a prefix and its dash a token then fits into the eight characters of a phone's screen."""


class NotFilledIn(Exception):
    """A field is missing or does not fit; the text is a sentence for the administrator."""


def queue_of(form: Form, known: Iterable[Queue]) -> Queue:
    """A new queue, or another name and limit for a known one."""
    identifier = form.get("id", "").strip()
    before = next((one for one in known if one.id == identifier), None)
    name, prefix = display_text(form.get("name", ""), 80), form.get("prefix", "").strip().upper()
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,32}", identifier):
        raise NotFilledIn("A queue's id has 1 to 32 letters, digits, - or _.")
    if not name:
        raise NotFilledIn("The queue needs a name that people understand.")
    if before is None and not re.fullmatch(r"[A-Z]{1,3}", prefix):
        raise NotFilledIn("The prefix has 1 to 3 letters; it stands before every number.")
    limit = _whole(form.get("limit", ""), "The limit", 1, MOST_A_DAY, otherwise=before.limit if before else MOST_A_DAY)
    if before:
        return msgspec.structs.replace(before, name=name, limit=limit)
    return Queue(id=identifier, name=name, prefix=prefix, limit=limit)


def counter_of(form: Form, queues: Iterable[Queue], known: Iterable[Counter]) -> Counter:
    """A new counter, or other queues for a known one. The queues keep the order of the form."""
    name = form.get("name", "").strip().upper()
    if not re.fullmatch(r"[A-Z]{1,3}[0-9]{1,3}", name) or len(name) > 4:
        raise NotFilledIn("A counter is named by letters and a number, at most 4 characters, like M1.")
    chosen = tuple(dict.fromkeys(one for one in re.split(r"[,\s]+", form.get("queues", "").strip()) if one))
    missing = [one for one in chosen if one not in {queue.id for queue in queues}]
    if not chosen or missing:
        raise NotFilledIn("Name the queues this counter serves by their ids, the first is where its QR leads.")
    before = next((one for one in known if one.name == name), None)
    return msgspec.structs.replace(before, queues=chosen) if before else Counter(name=name, queues=chosen)


def policy_of(form: Form) -> Policy:
    try:
        far, stale, unknown = (PresenceRule[form.get(kind, "")] for kind in ("far", "stale", "unknown"))
    except KeyError:
        raise NotFilledIn("Choose what becomes of each kind of share.") from None
    return Policy(
        far=far, stale=stale, unknown=unknown, near_m=_whole(form.get("near_m", ""), "The distance", 50, 100_000)
    )


def facility_of(form: Form, before: Facility | None) -> Facility:
    if before is None:
        raise NotFilledIn("This facility is not set up.")
    zone = form.get("timezone", "").strip()
    if zone and not _is_zone(zone):
        raise NotFilledIn("The time zone is a name like Asia/Kolkata, or empty.")
    if not (name := display_text(form.get("name", ""), 200)):
        raise NotFilledIn("The facility needs a name.")
    latitude = _degrees(form.get("latitude", ""), "The latitude", 90)
    longitude = _degrees(form.get("longitude", ""), "The longitude", 180)
    if latitude is not None and longitude is not None and (fault := place_fault(latitude, longitude)):
        raise NotFilledIn(f"The place cannot be right: {fault}.")
    return msgspec.structs.replace(
        before,
        name=name,
        district=display_text(form.get("district", ""), 100),
        state=display_text(form.get("state", ""), 100),
        latitude=latitude,
        longitude=longitude,
        timezone=zone,
    )


def printed_of(form: Form) -> str:
    text = form.get("text", "").strip()
    if not 0 < len(text) <= 250:
        raise NotFilledIn("A printed text has 1 to 250 characters.")
    return text


def _whole(text: str, what: str, least: int, most: int, otherwise: int | None = None) -> int:
    if not text.strip() and otherwise is not None:
        return otherwise
    number = int(text) if text.strip().isascii() and text.strip().isdigit() and len(text) < 10 else -1
    if not least <= number <= most:
        raise NotFilledIn(f"{what} is a whole number from {least} to {most}.")
    return number


def _degrees(text: str, what: str, most: int) -> float | None:
    if not text.strip():
        return None
    if not re.fullmatch(r"-?\d{1,3}(\.\d{1,12})?", text.strip()) or abs(float(text)) > most:
        raise NotFilledIn(f"{what} is in degrees, like 34.0837, or empty.")
    return float(text)


def _is_zone(name: str) -> bool:
    try:
        return bool(re.fullmatch(r"[A-Za-z]+(/[A-Za-z0-9_+-]+){0,2}", name)) and bool(ZoneInfo(name))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
