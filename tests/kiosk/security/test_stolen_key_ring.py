"""A thief copied the key ring of a running kiosk. `kiosk keys revoke --all` answers it, on a real process tree."""

import asyncio
import http.client
import json
import time
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest

from kiosk.cli.running import opened
from kiosk.security.keyring_file import KeysOnDisk
from kiosk.settings import load
from queueing.desk import OpdDesk
from queueing.lanes import Lane
from queueing.models import Arrival, Assurance, Place
from tests.kiosk.abdm.fake_gateway import FakeGateway, SigningKey
from tests.kiosk.observability.hospital_tree import HIP, HospitalTree, hospital_tree
from tests.kiosk.process_tree import kiosk, until
from tokens import CounterCodes, KeyRing, TicketLinks

pytestmark = [pytest.mark.anyio, pytest.mark.proof]

FOLLOWED_WITHIN_S = 10.0
"""Processes look at the key ring every two seconds."""
ABHA = "91-0000-4444-1111"


def request(url: str, method: str, path: str, body: str = "", **headers: str) -> tuple[int, str, str]:
    """Status, text, and the cookies that the answer sets."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    connection.request(method, path, body or None, headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    set_cookies = [value for name, value in answer.getheaders() if name.lower() == "set-cookie"]
    connection.close()
    return answer.status, text, "; ".join(cookie.partition(";")[0] for cookie in set_cookies)


def sign_in(url: str, password: str) -> str:
    """The cookies of a new session."""
    form = urlencode({"login": "asha", "password": password})
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Origin": url}
    status, _, cookies = request(url, "POST", "/console/login", form, **headers)
    assert status == 303
    return cookies


def is_signed_in(url: str, cookies: str) -> bool:
    return request(url, "GET", "/console/password", Cookie=cookies)[0] == 200


def link_opens(url: str, ring: KeyRing, place: Place) -> bool:
    """Whether this ring's link shows the ticket's number."""
    now_s = int(time.time())
    link = TicketLinks(ring, audience=url).mint(HIP, place.ticket, expires_s=now_s + 600, now_s=now_s)
    status, page, _ = request(url, "GET", f"/t/{link}")
    return status == 200 and place.token in page


def code_is_believed(hospital: HospitalTree, gateway: FakeGateway, ring: KeyRing) -> bool:
    """Whether a scan of this ring's code for R1 gets a number of R1's queue. An unbelieved code names no counter."""
    answered = len(gateway.at("on-share"))
    assert hospital.scan(context=CounterCodes(ring).mint(HIP, "R1", int(time.time()))) == [202]
    until(lambda: len(gateway.at("on-share")) > answered)
    return '"R-' in json.dumps(gateway.at("on-share")[-1].json)


async def walk_in(data_dir: Path) -> Place:
    async with opened(load({"KIOSK_DATA_DIR": str(data_dir)})) as store:
        return await OpdDesk(store).enqueue(
            Arrival(facility=HIP, queue="medicine", assurance=Assurance.STAFF, lane=Lane.ORDINARY, request="w-1")
        )


async def test_after_revoke_all_nothing_of_the_thief_works_and_everything_honest_does(tmp_path: Path) -> None:
    gateway = FakeGateway()
    gateway.keys = [SigningKey("k1")]
    await gateway.start()
    try:
        await asyncio.to_thread(_story, tmp_path / "data", gateway)
    finally:
        await gateway.stop()


def _story(data_dir: Path, gateway: FakeGateway) -> None:
    with hospital_tree(data_dir, gateway.url, gateway.keys[0], more_queues=("registration", "R")) as hospital:
        url = hospital.url
        added = kiosk(data_dir, "staff", "add", "asha", "--facility", HIP, "--role", "admin", "--json")
        password = json.loads(added.stdout)
        place = asyncio.run(walk_in(data_dir))
        cookies = [sign_in(url, password["password"]) for _ in range(2)]
        assert hospital.scan(abha=ABHA) == [202]
        stolen = KeysOnDisk(data_dir).load()
        rings = [stolen, stolen.rotate(int(time.time()))]  # the thief signs with the next key as well

        assert all(is_signed_in(url, one) for one in cookies)
        assert all(link_opens(url, ring, place) for ring in rings)
        assert all(code_is_believed(hospital, gateway, ring) for ring in rings)

        revoked = kiosk(data_dir, "keys", "revoke", "--all")
        assert revoked.returncode == 0, revoked.stderr
        assert "All sessions of staff have ended" in revoked.stdout
        until(lambda: not any(is_signed_in(url, one) for one in cookies for _ in range(4)), FOLLOWED_WITHIN_S)
        until(lambda: not any(link_opens(url, ring, place) for ring in rings for _ in range(4)), FOLLOWED_WITHIN_S)
        assert not any(code_is_believed(hospital, gateway, ring) for ring in rings for _ in range(3))

        honest = KeysOnDisk(data_dir).load()
        assert link_opens(url, honest, place)
        assert code_is_believed(hospital, gateway, honest)
        assert is_signed_in(url, sign_in(url, password["password"]))
        shown = kiosk(data_dir, "patient", "export", HIP, "--abha", ABHA)
        assert "Patient 1" in shown.stdout, shown.stderr  # sealed before the theft, open for staff


def test_revoking_one_key_says_that_a_stolen_file_needs_more(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    before = {one["kid"]: one["state"] for one in json.loads(kiosk(data_dir, "keys", "list", "--json").stdout)}
    signing = next(kid for kid, state in before.items() if state == "signing")
    revoked = kiosk(data_dir, "keys", "revoke", signing)
    assert all(kid in revoked.stdout for kid in before), "the next key goes too"
    assert "kiosk keys revoke --all" in revoked.stdout
    assert kiosk(data_dir, "keys", "revoke").returncode == 2
    assert kiosk(data_dir, "keys", "revoke", signing, "--all").returncode == 2
