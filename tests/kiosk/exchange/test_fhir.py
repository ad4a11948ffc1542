"""Our FHIR bundles, checked with a library's models and with the rules of NRCES's profiles."""

import json
import re
from typing import Any

import pytest
from fhir.resources.R4B.bundle import Bundle
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk.exchange.fhir import STATUSES, Place, bundle
from queueing.models import State
from tests.kiosk.exchange.nrces_rules import ABDM_TYPES, HL7_TYPES, faults
from tests.kiosk.exchange.shared_samples import NAMES, profile, ticket

PLACE = Place(facility_name="SMHS Hospital", queue_name="General Medicine", department_code="394802001",
              district="Srinagar", state="Jammu and Kashmir")  # fmt: skip
Json = dict[str, Any]


def resources(made: Json) -> dict[str, Json]:
    return {entry["resource"]["resourceType"]: entry["resource"] for entry in made["entry"]}


def is_right(made: Json) -> bool:
    """By the models of `fhir.resources`, which reads back the same text, and by the rules. Raises at a fault."""
    text = json.dumps(made, ensure_ascii=False)
    read = Bundle.model_validate_json(text).model_dump_json()
    milliseconds = re.sub(r"(T[\d:]+)(\.\d{3})?(?:000)?(?=\+)", lambda at: f"{at[1]}{at[2] or '.000'}", read)
    assert json.loads(milliseconds) == made
    assert faults(made) == []
    return True


def test_a_bundle_holds_the_person_and_the_visit() -> None:
    made = bundle(ticket(), profile(), PLACE)
    assert is_right(made)
    found = resources(made)
    assert list(found) == ["Encounter", "Patient", "Organization", "Location"]
    patient, encounter = found["Patient"], found["Encounter"]
    assert {one["type"]["coding"][0]["code"]: one["value"] for one in patient["identifier"]} == {
        "HIN": "91750768217770", "ABHA": "anita@sbx",
    }  # fmt: skip
    assert all(one["type"]["coding"][0]["system"] == ABDM_TYPES for one in patient["identifier"])
    assert patient["name"] == [{"text": "अनीता देवी"}]
    assert (patient["gender"], patient["birthDate"]) == ("female", "1990-01-15")
    assert patient["telecom"] == [{"system": "phone", "value": "+919812345678"}]
    assert patient["address"][0]["district"] == "Srinagar"
    assert patient["address"][0]["postalCode"] == "190001"
    assert encounter["status"] == "triaged"
    assert encounter["period"] == {"start": "2026-11-28T10:15:00.123+05:30"}
    assert encounter["serviceType"]["coding"] == [{"system": "http://snomed.info/sct", "code": "394802001"}]
    assert {one["value"] for one in encounter["identifier"]} == {"20785-7", "M-042"}
    assert {tag["system"].rpartition(":")[2]: tag["code"] for tag in encounter["meta"]["tag"]} == {
        "assurance": "screen", "nearness": "near", "source": "abha_app", "lane": "ordinary",
    }  # fmt: skip
    assert found["Organization"]["identifier"][0]["value"] == "IN0110000001"
    assert found["Location"]["name"] == "General Medicine, counter M1"
    assert made["timestamp"] == "2026-11-28T10:20:00.000+05:30"


@pytest.mark.parametrize(
    ("state", "status"),
    [("expected", "planned"), ("waiting", "arrived"), ("called", "triaged"), ("serving", "in-progress"),
     ("held", "onleave"), ("no_show", "cancelled"), ("done", "finished"), ("cancelled", "cancelled"),
     ("lapsed", "cancelled")],
)  # fmt: skip
def test_every_state_has_a_status_of_fhir(state: str, status: str) -> None:
    made = bundle(ticket(state=state), profile(), PLACE)
    assert is_right(made)
    assert resources(made)["Encounter"]["status"] == status


def test_no_state_is_left_out() -> None:
    assert STATUSES.keys() == {state.name.lower() for state in State}


def test_of_a_visit_over_which_the_day_ended_nobody_knows_the_end() -> None:
    made = bundle(ticket(state="lapsed", started_at="2026-11-28T10:30:00+05:30"), profile(), PLACE)
    assert is_right(made)
    assert resources(made)["Encounter"]["status"] == "unknown"


def test_the_hospitals_own_numbers_stand_beside_ours() -> None:
    made = bundle(ticket(links={"patient_id": "UH-77", "visit_id": "OPD-9", "url": None}), profile(), PLACE)
    assert is_right(made)
    number = resources(made)["Patient"]["identifier"][2]
    assert number["type"]["coding"][0] == {"system": HL7_TYPES, "code": "MR", "display": "Medical record number"}
    assert number["value"] == "UH-77"
    assert number["assigner"]["reference"] == f"urn:uuid:{resources(made)['Organization']['id']}"
    assert resources(made)["Encounter"]["identifier"][2]["value"] == "OPD-9"


def test_a_person_of_whom_nothing_is_known_is_a_whole_bundle() -> None:
    made = bundle(ticket(counter=None), None, Place(facility_name=""))
    assert is_right(made)
    patient = resources(made)["Patient"]
    assert [one["value"] for one in patient["identifier"]] == ["20785-7"]
    assert patient["gender"] == "unknown"
    assert "birthDate" not in patient
    assert patient["name"][0]["extension"][0]["valueCode"] == "unknown"
    assert resources(made)["Organization"]["name"] == "IN0110000001"


@pytest.mark.parametrize(
    ("parts", "date"),
    [((1990, 1, 15), "1990-01-15"), ((1990, 1, None), "1990-01"), ((1990, None, None), "1990"),
     ((1990, None, 15), "1990"), ((None, 1, 15), None)],
)  # fmt: skip
def test_a_birth_date_is_as_exact_as_it_is_known(parts: tuple[int | None, ...], date: str | None) -> None:
    born = dict(zip(("year_of_birth", "month_of_birth", "day_of_birth"), parts, strict=True))
    made = bundle(ticket(), profile(**born), PLACE)
    assert is_right(made)
    assert resources(made)["Patient"].get("birthDate") == date


def test_ids_stay_and_tell_tickets_facilities_and_counters_apart() -> None:
    first, again = bundle(ticket(), profile(), PLACE), bundle(ticket(state="done", calls=3), None, PLACE)
    other, elsewhere = bundle(ticket(id="20785-8"), None, PLACE), bundle(ticket(facility="IN0110000002"), None, PLACE)
    ids = [{kind: one["id"] for kind, one in resources(made).items()} for made in (first, again, other, elsewhere)]
    assert ids[0] == ids[1]
    assert {kind for kind in ids[0] if ids[0][kind] == ids[2][kind]} == {"Organization", "Location"}
    assert not set(ids[0].values()) & set(ids[3].values())


@given(NAMES.filter(str.isprintable).filter(str.strip), NAMES, st.sampled_from(["M", "F", "O", "D", "T", "U", None]))
@settings(deadline=None, max_examples=50)
def test_every_name_and_address_fits(name: str, line: str, gender: str | None) -> None:
    address = {"line": line or None, "district": None, "state": None, "pincode": None}
    made = bundle(ticket(), profile(name=name, gender=gender, address=address), PLACE)
    assert is_right(made)
    assert resources(made)["Patient"]["name"][0]["text"] == name.strip()


def test_the_rules_see_what_is_wrong() -> None:
    made = bundle(ticket(), profile(), PLACE)
    found = resources(made)
    found["Patient"]["identifier"][0]["type"]["coding"][0]["code"] = "ABHA"
    found["Encounter"]["status"] = "waiting"
    found["Encounter"]["subject"]["reference"] = "urn:uuid:0"
    del found["Organization"]["name"]
    assert faults(made) == [
        "dangling reference urn:uuid:0", "Encounter.status = waiting", "ABHA is the ABHA address",
        "Organization.name stands 0 times",
    ]  # fmt: skip


def test_control_characters_are_left_out() -> None:
    made = bundle(ticket(), profile(name="अनी\x1fता\x00 "), PLACE)
    assert is_right(made)
    assert resources(made)["Patient"]["name"] == [{"text": "अनीता"}]
