"""A large hall for the pictures: a hospital of many queues and counters, beside that of a running demonstration.

It is built with the command line and filled through the API, as a hospital's own system would.
"""

import asyncio
import itertools
import os
import sys
from pathlib import Path
from typing import Final

import httpx
import msgspec

HIP_IDS: Final = {12: "IN0110000912", 20: "IN0110000920"}
"""Counters → HIP id, invented."""
CLINICS: Final = {
    "registration": ("Registration", "R"),
    "medicine": ("Medicine", "M"),
    "surgery": ("General Surgery", "S"),
    "gynaecology": ("Gynaecology and Obstetrics", "G"),
    "orthopaedics": ("Orthopaedics", "O"),
    "paediatrics": ("Paediatrics", "C"),
    "eye": ("Eyes", "E"),
    "ent": ("Ear, Nose and Throat", "ENT"),
    "laboratory": ("Laboratory", "L"),
    "pharmacy": ("Pharmacy", "P"),
}
"""Usual clinic → name and prefix; two counters each."""
FREE: Final = ("S2", "E1")
"""Counters that serve nobody at the moment."""


async def _kiosk(folder: Path, *arguments: str) -> str:
    env = os.environ | {"KIOSK_DATA_DIR": str(folder)}
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "kiosk", *arguments, env=env, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await child.communicate()
    if child.returncode:
        raise SystemExit(f"kiosk {arguments[0]} {arguments[1]} failed")
    return output.decode()


async def build(folder: Path, origin: str, counters: int) -> str:
    """The board's address of a hall with so many counters, some people in each queue, and calls at most counters."""
    hip_id = HIP_IDS[counters]
    clinics = dict(itertools.islice(CLINICS.items(), counters // 2))
    names = ("--name-hi", "बारामूला ज़िला अस्पताल", "--name-ur", "ضلع ہسپتال بارہمولہ")
    await _kiosk(folder, "facility", "add", hip_id, "--name", "District Hospital Baramulla (invented)", *names)
    for clinic, (name, prefix) in clinics.items():
        options = ("--name", name, "--prefix", prefix, "--counters", "2", "--clinic", clinic)
        await _kiosk(folder, "queue", "add", hip_id, clinic, *options)
    made = await _kiosk(folder, "apikey", "add", "pictures", "--facility", hip_id, "--scope", "tickets:write", "--json")
    key = msgspec.json.decode(made)["key"]
    api = f"{origin}/api/v1/facilities/{hip_id}"
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {key}"}) as client:
        for more, clinic in enumerate(clinics):
            for number in range(5 + more):
                person = {"name": f"Person {number}"}
                await _posted(client, f"{api}/tickets", {"queue": clinic, "patient": person}, f"{clinic}{number}")
        for number, (_, prefix) in itertools.product((1, 2), clinics.values()):
            if (counter := f"{prefix}{number}") not in FREE:
                await _posted(client, f"{api}/counters/{counter}/next", None, counter)
    return f"{origin}/board/{hip_id}"


async def _posted(client: httpx.AsyncClient, url: str, body: object, key: str) -> None:
    answer = await client.post(url, json=body, headers={"Idempotency-Key": f"pictures-{key}"})
    answer.raise_for_status()
