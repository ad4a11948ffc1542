"""The rules of NRCES's profiles (ndhm.in 6.5.0) and of R4 that concern our four resources, as a table of our own.

The whole implementation guide is checked with HL7's validator, which is not fetched here. The table holds what a
receiver trips over: what must be there, how often, and with which codes.
"""

import re
from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]

ABDM_TYPES = "https://nrces.in/ndhm/fhir/r4/CodeSystem/ndhm-identifier-type-code"
HL7_TYPES = "http://terminology.hl7.org/CodeSystem/v2-0203"

REQUIRED: dict[str, dict[str, tuple[int, int | None]]] = {
    "Patient": {"identifier": (1, None), "name": (1, None), "gender": (1, 1)},
    "Encounter": {"status": (1, 1), "class": (1, 1), "subject": (1, 1)},
    "Organization": {"identifier": (1, None), "name": (1, 1)},
    "Location": {"name": (1, 1), "status": (1, 1)},
}
"""Resource → element → how often it must and may stand there."""
CODES = {
    ("Patient", "gender"): {"male", "female", "other", "unknown"},
    ("Encounter", "status"): {
        "planned", "arrived", "triaged", "in-progress", "onleave", "finished", "cancelled",
        "entered-in-error", "unknown",
    },
    ("Location", "status"): {"active", "suspended", "inactive"},
    ("Location", "mode"): {"instance", "kind"},
}  # fmt: skip
TYPE_CODES = {ABDM_TYPES: {"HIN", "ABHA"}, HL7_TYPES: {"MR", "PNT", "VN", "PRN"}}
DATE = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?")
MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})")


def faults(bundle: Json) -> list[str]:
    """What is wrong with a bundle by these rules."""
    return [*_of_bundle(bundle), *(fault for entry in bundle["entry"] for fault in _of_resource(entry["resource"]))]


def _of_bundle(bundle: Json) -> Iterator[str]:
    if bundle["type"] != "collection":
        yield "Bundle.type"
    known = {entry["fullUrl"] for entry in bundle["entry"]}
    if len(known) != len(bundle["entry"]):
        yield "bdl-7: a fullUrl stands twice"
    for entry in bundle["entry"]:
        if entry["fullUrl"] != f"urn:uuid:{entry['resource']['id']}":
            yield f"{entry['fullUrl']} is not the id of its resource"
    yield from (f"dangling reference {target}" for target in _references(bundle) if target not in known)
    yield from (f"empty {path}" for path in _empty(bundle, "Bundle"))


def _of_resource(resource: Json) -> Iterator[str]:
    kind = resource["resourceType"]
    if resource["meta"]["profile"] != [f"https://nrces.in/ndhm/fhir/r4/StructureDefinition/{kind}"]:
        yield f"{kind}.meta.profile"
    for element, (least, most) in REQUIRED[kind].items():
        value = resource.get(element)
        count = len(value) if isinstance(value, list) else int(value is not None)
        if count < least or (most is not None and count > most):
            yield f"{kind}.{element} stands {count} times"
    for (of, element), codes in CODES.items():
        if of == kind and element in resource and resource[element] not in codes:
            yield f"{kind}.{element} = {resource[element]}"
    for identifier in resource.get("identifier", ()):
        yield from _of_identifier(kind, identifier)
    yield from _of_times(kind, resource)


def _of_identifier(kind: str, identifier: Json) -> Iterator[str]:
    if not identifier.get("value"):
        yield f"{kind}.identifier without a value"
    coding = identifier.get("type", {}).get("coding", [])
    if kind in {"Patient", "Organization"} and not coding:
        yield f"{kind}.identifier.type is missing"
    for one in coding:
        if one["code"] not in TYPE_CODES.get(one["system"], set()):
            yield f"{kind}.identifier.type {one['system']}#{one['code']}"
        if one["code"] == "HIN" and not re.fullmatch(r"\d{14}", identifier["value"]):
            yield "HIN is the ABHA number of fourteen digits"
        if one["code"] == "ABHA" and "@" not in identifier["value"]:
            yield "ABHA is the ABHA address"


def _of_times(kind: str, resource: Json) -> Iterator[str]:
    if "birthDate" in resource and not DATE.fullmatch(resource["birthDate"]):
        yield f"{kind}.birthDate = {resource['birthDate']}"
    period = resource.get("period", {})
    yield from (f"{kind}.period.{end}" for end in period if not MOMENT.fullmatch(period[end]))
    if period.get("end", "9") < period.get("start", ""):
        yield "per-1: the period ends before it begins"


def _references(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("reference"), str):
            yield value["reference"]
        for inner in value.values():
            yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)


def _empty(value: object, path: str) -> Iterator[str]:
    """FHIR's ele-1: an element has a value or children."""
    if value is None or value in ("", [], {}):
        yield path
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _empty(inner, f"{path}.{name}")
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _empty(inner, f"{path}[{number}]")
