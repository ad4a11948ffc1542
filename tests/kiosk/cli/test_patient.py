"""``kiosk patient``: one person sees what is kept and has it erased, on the folder of a running service."""

import asyncio
import json
import time
from pathlib import Path

from kiosk.abdm.inbound import read_patient
from kiosk.checkin import CheckIn
from kiosk.cli.patient import consent_text
from kiosk.cli.running import opened
from kiosk.locales import BOOK
from kiosk.patient.consent import CONSENT_VERSION, Consent
from kiosk.patient.person import Patient
from kiosk.security.encryption import Seal
from kiosk.security.keyring_file import KeysOnDisk
from kiosk.settings import load
from queueing.day_keys import DayKeys
from queueing.desk import OpdDesk
from queueing.reasons import Reason
from tests.kiosk.in_process import kiosk
from tokens import CounterCodes

ASHA = Patient(name="Asha Devi", abha_number="91000044441111", phone="9000000001", year_of_birth=1988)
RANI = Patient(name="Rani Kaur", abha_number="91000044442222", phone="9000000002", year_of_birth=1991)


async def register(data_dir: Path, patient: Patient, consent: Consent | None = None) -> str:
    """By staff; with a consent by the form."""
    settings = load({"KIOSK_DATA_DIR": str(data_dir)})
    async with opened(settings) as store:
        ring = KeysOnDisk(data_dir).load_or_create(int(time.time()))
        seal = Seal(ring.seal_masters(), ring.seal_master_id, now_s=lambda: int(time.time()), retention_h=24)
        await seal.refresh(DayKeys(store))
        check_in = CheckIn(
            OpdDesk(store), CounterCodes(ring), seal, person_key=ring.person_key(), read_patient=read_patient,
            now_s=time.time,
        )  # fmt: skip
        if consent is None:
            return (await check_in.walked_in("IN01", "medicine", patient, Reason.NONE, by="anna")).token
        return (await check_in.by_camera("IN01", "medicine", patient, "form-1", consent=consent)).token


def test_a_person_sees_what_is_kept_and_has_it_erased(hospital: Path) -> None:
    token = asyncio.run(register(hospital, ASHA))
    shown = kiosk(hospital, "patient", "export", "IN01", "--abha", "91-0000-4444-1111")
    assert shown.returncode == 0, shown.stderr
    [line] = json.loads(shown.stdout)
    assert (line["ticket"]["token"], line["profile"]["name"]) == (token, "Asha Devi")
    assert line["consent"] is None, "staff registered her: there was no form to agree to"
    erased = kiosk(hospital, "patient", "erase", "IN01", "--token", token, "--json")
    assert json.loads(erased.stdout) == {"facility": "IN01", "tickets": [token]}
    entry, reading, *setting_up = json.loads(kiosk(hospital, "staff", "audit", "--facility", "IN01", "--json").stdout)
    assert {one["login"] for one in setting_up} == {"(command line)"}
    assert (entry["act"], entry["login"], entry["why"]) == ("person_erased", "(command line)", "")
    assert (reading["act"], reading["login"], reading["why"]) == (
        "profile_read",
        "(command line)",
        "patient export",
    )
    again = kiosk(hospital, "patient", "export", "IN01", "--abha", "91000044441111")
    assert again.returncode == 1
    assert again.stderr == "kiosk: nothing is kept of this person here\n"


def test_the_export_shows_the_consent_with_its_text_language_and_time(hospital: Path) -> None:
    asyncio.run(register(hospital, RANI, Consent(CONSENT_VERSION, "ur", 1_764_000_000)))
    [line] = json.loads(kiosk(hospital, "patient", "export", "IN01", "--abha", RANI.abha_number).stdout)
    assert line["consent"] == {
        "given_in": "the form", "text": BOOK["ur"].say("form.consent"), "version": CONSENT_VERSION, "language": "ur",
        "at": "2025-11-24T16:00:00+00:00",
    }  # fmt: skip


def test_the_sentence_of_another_version_is_not_made_up() -> None:
    assert consent_text(Consent(CONSENT_VERSION + 1, "ur", 0)) == ""
    assert consent_text(Consent(CONSENT_VERSION, "xx", 0)) == ""


def test_a_person_is_named_in_one_way(tmp_path: Path) -> None:
    for arguments in ([], ["--abha", "a@sbx", "--token", "M-001"]):
        done = kiosk(tmp_path / "data", "patient", "erase", "IN01", *arguments)
        assert done.returncode == 1
        assert done.stderr == "kiosk: say --abha or --token, one of both\n"
