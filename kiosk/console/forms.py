"""Reads the administrator's forms into the registry's data; a field that does not fit is refused with a sentence."""

import re
from collections.abc import Iterable
from typing import Final, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from kiosk.console import messages
from kiosk.console.language import tr
from kiosk.locales import LANGUAGES, ROTATION
from queueing.coordinates import place_fault
from queueing.display_text import RAW_MAX, display_text, shown_names
from queueing.limits import (
    CARRY_OVER_MIN,
    FACILITY_NAME_MAX,
    NUMBERS_A_DAY_MAX,
    QUEUE_ID_MAX,
    QUEUE_NAME_MAX,
    REGION_MAX,
)
from queueing.models import Counter, Facility, Queue
from queueing.policy import Policy, PresenceRule
from queueing.registry import DoesNotFit, Hospital, own_networks, within_limits
from queueing.screens import SCREEN_NAME_MAX, Screen, ScreenKind
from tokens import codable

Form = dict[str, str]
T = TypeVar("T", bound=msgspec.Struct)
UNREADABLE: Final = -1
"""In place of a number that cannot be read: it is below every limit, so the model refuses it."""
SCREEN_LOOKS: Final = ("day", "night", "contrast")
COUNTERS_AT_ONCE: Final = 60
"""More than one hall has; a slip of the finger, such as M1-M999, makes none."""
NUMBER_DIGITS_MAX: Final = 9
"""More digits than any limit has."""


class NotFilledIn(Exception):
    """A field is missing or does not fit; the text is a sentence for the administrator, in their language.

    ``field``: its name in the form, when the page shows the sentence beside it.
    """

    def __init__(self, text: str, field: str = "") -> None:
        super().__init__(tr(text))
        self.field = field


def queue_of(form: Form, known: Iterable[Queue]) -> Queue:
    """A new queue, or another name, limit and night for a known one. A new one without an id gets one from its name.

    An empty limit is none; a form without the field leaves it as it is.
    """
    known = list(known)
    name, prefix = display_text(form.get("name", ""), QUEUE_NAME_MAX), form.get("prefix", "").strip().upper()
    identifier = form.get("id", "").strip() or _new_id(name, prefix, {one.id for one in known})
    before = next((one for one in known if one.id == identifier), None)
    unchanged = before.limit if before and "limit" not in form else NUMBERS_A_DAY_MAX
    limit = _whole(form.get("limit", ""), otherwise=unchanged)
    night = before.carry_over_min if before else CARRY_OVER_MIN
    carry_over_min = _whole(form.get("carry_over_min", ""), otherwise=night)
    if before:
        changed = msgspec.structs.replace(before, name=name, limit=limit, carry_over_min=carry_over_min)
        return _fitting("queue", changed)
    return _fitting("queue", Queue(id=identifier, name=name, prefix=prefix, limit=limit, carry_over_min=carry_over_min))


def _new_id(name: str, prefix: str, taken: set[str]) -> str:
    """An id for a queue whose administrator wrote none: its name in Latin letters, or its prefix where it has none."""
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or prefix.lower()
    plain = plain[: QUEUE_ID_MAX - len("-99")].strip("-")
    tries = (plain, *(f"{plain}-{number}" for number in range(2, 100)))
    return next((one for one in tries if one not in taken), plain)


def counters_of(form: Form, queues: Iterable[Queue], known: Iterable[Counter]) -> list[Counter]:
    """The counters that the form names, such as ``M1``, ``M1, M2`` or ``M1-M4``: new ones and known ones."""
    queues, before = list(queues), {one.name: one for one in known}
    return [_counter_of(name, form, queues, before.get(name)) for name in _counter_names(form)]


def _counter_names(form: Form) -> list[str]:
    names: list[str] = []
    for one in form.get("name", "").upper().split(","):
        span = re.fullmatch(r"\s*([A-Z]+)([0-9]{1,3})\s*[-–]\s*([A-Z]*)([0-9]{1,3})\s*", one)
        if not span:
            names.append(one.strip())
            continue
        start, first, again, last = span[1], int(span[2]), span[3] or span[1], int(span[4])
        names += [f"{start}{number}" for number in range(first, last + 1)] if start == again else [""]
        if first > last:
            names.append("")
    if len(names) > COUNTERS_AT_ONCE:
        raise NotFilledIn(messages.FIELDS["counter"]["name"], "name")
    return list(dict.fromkeys(names))


def _counter_of(name: str, form: Form, queues: list[Queue], before: Counter | None) -> Counter:
    """A new counter, or a change of a known one; a field that the form does not have stays as it is.

    The queues keep the order of the form. A text that is too long is refused, not cut.
    """
    if before is None and not codable(name):
        raise NotFilledIn(messages.FIELDS["counter"]["name"], "name")
    counter = before or Counter(name=name, queues=())
    if before is None or "first" in form or "queues" in form:
        counter = msgspec.structs.replace(counter, queues=_chosen(form, queues))
    if "served_by" in form:
        counter = msgspec.structs.replace(counter, served_by=display_text(form["served_by"], RAW_MAX))
    return _fitting("counter", counter)


def _chosen(form: Form, queues: list[Queue]) -> tuple[str, ...]:
    """Ids of the queues that a counter serves, that of its QR first."""
    # A page of an earlier release, open while the service was renewed, has one text of ids.
    listed = [one for one in re.split(r"[,\s]+", form.get("queues", "").strip()) if one]
    ticked = [form["first"], *(one.id for one in queues if f"queue.{one.id}" in form)] if "first" in form else listed
    chosen = tuple(dict.fromkeys(ticked))
    if not chosen or not {queue.id for queue in queues}.issuperset(chosen):
        raise NotFilledIn(messages.FIELDS["counter"]["queues"], "queues")
    return chosen


def policy_of(form: Form) -> Policy:
    try:
        far, stale, unknown, poster = (
            PresenceRule[form.get(kind, "")] for kind in ("far", "stale", "unknown", "poster")
        )
    except KeyError:
        raise NotFilledIn(messages.FIELDS["policy"]["far"]) from None
    return _fitting("policy", Policy(
        far=far, stale=stale, unknown=unknown, poster=poster, near_m=_whole(form.get("near_m", "")), rate=_rate(form),
        burst=_whole(form["burst"]) if form.get("burst", "").strip() else None,
        no_show_after_s=_whole(form.get("no_show_after_s", ""), otherwise=0),
    ))  # fmt: skip


def _rate(form: Form) -> float | None:
    text = form.get("rate", "").strip()
    if not text:
        return None
    return float(text) if re.fullmatch(r"\d{1,5}(\.\d{1,6})?", text, re.ASCII) else UNREADABLE


def facility_of(form: Form, before: Facility | None) -> Facility:
    if before is None:
        raise NotFilledIn(messages.FIELDS["facility"][""])
    zone = form.get("timezone", "").strip()
    if zone and not _is_zone(zone):
        raise NotFilledIn(messages.FIELDS["facility"]["timezone"], "timezone")
    latitude, longitude = _degrees(form, "latitude"), _degrees(form, "longitude")
    if latitude is not None and longitude is not None and (fault := place_fault(latitude, longitude)):
        raise NotFilledIn(tr(messages.FIELDS["facility"]["place"]).format(fault=fault), "latitude")
    # A page of an earlier release, open while the service was renewed, has no field for them.
    typed = {language: form[field] for language in LANGUAGES if (field := f"name_{language}") in form}
    return _fitting("facility", msgspec.structs.replace(
        before, name=display_text(form.get("name", ""), FACILITY_NAME_MAX),
        names=shown_names({**before.names, **typed}, FACILITY_NAME_MAX),
        district=display_text(form.get("district", ""), REGION_MAX),
        state=display_text(form.get("state", ""), REGION_MAX), latitude=latitude, longitude=longitude, timezone=zone,
    ))  # fmt: skip


def screen_of(form: Form, hospital: Hospital, before: Screen | None = None) -> Screen:
    """What a screen shows: a board of some queues or all, or the codes of a counter."""
    kind = ScreenKind.COUNTER if form.get("kind") == "counter" else ScreenKind.BOARD
    counter = form.get("counter", "") if kind is ScreenKind.COUNTER else ""
    if kind is ScreenKind.COUNTER and hospital.counter(counter) is None:
        raise NotFilledIn(messages.FIELDS["screen"]["counter"], "counter")
    queues = [queue.id for queue in hospital.queues if f"queue.{queue.id}" in form]
    languages = [code for code in LANGUAGES if f"language.{code}" in form]
    screen = before or Screen(name="-", kind=kind)
    return _fitting("screen", msgspec.structs.replace(
        screen, name=display_text(form.get("name", ""), SCREEN_NAME_MAX), kind=kind, counter=counter,
        queues=tuple(queues) if kind is ScreenKind.BOARD and len(queues) < len(hospital.queues) else (),
        languages=tuple(languages) if languages != list(ROTATION) else (), volume=_whole(form.get("volume", "")),
        look=form["look"] if form.get("look") in SCREEN_LOOKS else "day",
    ))  # fmt: skip


def networks_of_form(form: Form) -> tuple[str, ...]:
    """A facility's own networks, separated by commas, spaces or line ends."""
    try:
        return own_networks([one for one in re.split(r"[,\s]+", form.get("networks", "")) if one])
    except DoesNotFit as wrong:
        raise NotFilledIn(tr(messages.FIELDS["networks"]["networks"]).format(fault=wrong), "networks") from None


def refusal(kind: str, wrong: DoesNotFit) -> NotFilledIn:
    """The sentence for a field outside its limits."""
    return NotFilledIn(messages.FIELDS[kind].get(wrong.field, str(wrong)), wrong.field)


def _fitting(kind: str, value: T) -> T:
    try:
        return within_limits(value)
    except DoesNotFit as wrong:
        raise refusal(kind, wrong) from None


def _whole(text: str, *, otherwise: int = UNREADABLE) -> int:
    """A whole number; ``otherwise`` for an empty field, ``UNREADABLE`` for anything else."""
    text = text.strip()
    if not text:
        return otherwise
    return int(text) if text.isascii() and text.isdigit() and len(text) <= NUMBER_DIGITS_MAX else UNREADABLE


def _degrees(form: Form, field: str) -> float | None:
    text = form.get(field, "").strip()
    if not text:
        return None
    if not re.fullmatch(r"-?\d{1,3}(\.\d{1,12})?", text):
        raise NotFilledIn(messages.FIELDS["facility"][field], field)
    return float(text)


def _is_zone(name: str) -> bool:
    try:
        return bool(re.fullmatch(r"[A-Za-z]+(/[A-Za-z0-9_+-]+){0,2}", name)) and bool(ZoneInfo(name))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
