"""The simulator as a process: tokens, keys, its end, and its use by a load test."""

import asyncio
import os
import signal
import subprocess
import sys
import time
import uuid

import jwt
import pytest
from msgspec import json

from loadtests.simulator.gateway.launch import Simulator
from loadtests.simulator.gateway.signing_keys import Realm
from loadtests.simulator.people.invented import invent
from tests.loadtests.fake_hospital_service import HIP, FakeHospitalService, good, headers

pytestmark = pytest.mark.anyio

SESSIONS = "/api/hiecm/gateway/v3/sessions"


def test_a_seed_gives_the_same_keys_and_another_one_others() -> None:
    first, again, other = (Realm(seed, issuer="i").key_set() for seed in (5, 5, 6))
    assert first == again
    assert {key["n"] for key in json.decode(first)["keys"]}.isdisjoint({key["n"] for key in json.decode(other)["keys"]})
    keys = jwt.PyJWKSet.from_json(first.decode()).keys
    assert [(key.key.key_size, key._jwk_data["alg"]) for key in keys] == [(2048, "RS256"), (2048, "RS512")]


@pytest.mark.parametrize("missing", ["request-id", "timestamp", "x-cm-id"])
async def test_sessions_without_a_header_is_refused(missing: str, hip: FakeHospitalService) -> None:
    assert hip.announced is not None
    body = {
        "clientId": hip.announced.client_id,
        "clientSecret": hip.announced.client_secret,
        "grantType": "client_credentials",
    }
    assert (await hip.post(SESSIONS, body, headers("") | {missing: ""}))[0] == 401
    assert (await hip.post(SESSIONS, body, headers("")))[0] == 202


async def test_wrong_credentials_open_no_session(hip: FakeHospitalService) -> None:
    assert hip.announced is not None
    for client, secret, grant in (
        (hip.announced.client_id, "wrong", "client_credentials"),
        ("nobody", "", "client_credentials"),
        (hip.announced.client_id, hip.announced.client_secret, "password"),
    ):
        body = {"clientId": client, "clientSecret": secret, "grantType": grant}
        assert (await hip.post(SESSIONS, body, headers("")))[0] == 401


@pytest.mark.parametrize("missing", ["authorization", "request-id", "timestamp", "x-cm-id"])
async def test_the_key_set_wants_all_four_headers(missing: str, hip: FakeHospitalService) -> None:
    path = "/api/hiecm/gateway/v3/certs"
    assert (await hip.get(path, headers(hip.token)))[0] == 200
    assert (await hip.get(path, headers(hip.token) | {missing: ""}))[0] in (400, 401)


async def test_an_access_token_differs_from_a_callback_token_by_azp_alone(
    simulator: Simulator, hip: FakeHospitalService
) -> None:
    """A hospital must check ``azp``, because signature, issuer and audience of both tokens are the same."""
    callback = await simulator.callback_token()
    assert jwt.get_unverified_header(callback) == jwt.get_unverified_header(hip.token)
    reply, held = (jwt.decode(token, options={"verify_signature": False}) for token in (callback, hip.token))
    assert (reply["iss"], reply["aud"]) == (held["iss"], held["aud"])
    assert (reply["azp"], held["azp"]) == ("gateway", simulator.announced.client_id)
    assert await simulator.callback_token() == callback, "one token for all calls of its life"


async def test_a_bridge_can_change_its_address(simulator: Simulator, hip: FakeHospitalService) -> None:
    request = hip.client.patch(hip.gateway + "/api/hiecm/gateway/v3/bridge/url").headers(headers(hip.token))
    assert (await request.body_json({"url": "http://127.0.0.1:9/"}).build().send()).status == 202
    _, reply = await hip.get("/api/hiecm/gateway/v3/bridge-services", headers(hip.token))
    assert json.decode(reply)["bridge"]["url"] == "http://127.0.0.1:9"


async def test_a_load_test_may_bring_the_shares_itself(simulator: Simulator, hip: FakeHospitalService) -> None:
    share, request_id = invent(7, 50).share(HIP, "M2"), str(uuid.uuid4())
    expected = {"request_id": request_id, "hip_id": HIP, "context": "M2", "abha_address": invent(7, 50).abha_address}
    status, _ = await hip.post("/_sim/expect", [expected], {})
    assert status == 204
    wrong = good(request_id, invent(7, 51).share(HIP, "M2"))
    assert (await hip.send(wrong))[0] == 400
    assert (await hip.send(good(request_id, share)))[0] == 202
    row = (await simulator.shares())[-1]
    assert (row["request_id"], row["token"]) == (request_id, "M-001")


async def test_many_calls_on_one_connection_are_answered_in_order(simulator: Simulator) -> None:
    host, port = simulator.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    inbox = b"GET /_sim/inbox?app=quiet&wait_s=1 HTTP/1.1\r\nhost: x\r\n\r\n"
    nowhere = b"GET /nowhere HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
    writer.write(inbox + nowhere)
    reply = await reader.read(-1)
    writer.close()
    assert reply.index(b" 200 ") < reply.index(b" 404 ")


async def test_garbage_on_a_connection_is_answered_and_the_connection_closed(simulator: Simulator) -> None:
    host, port = simulator.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"\x16\x03\x01 this is no HTTP\r\n\r\n")
    assert (await reader.read(-1)).startswith(b"HTTP/1.1 400 ")
    writer.close()


def started(*arguments: str, env: dict[str, str] | None = None) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "loadtests.simulator.gateway", *arguments],
        stdout=subprocess.PIPE,
        env={**os.environ, **(env or {})},
    )


def test_it_ends_on_sigterm_and_does_not_print_given_secrets() -> None:
    secrets = {"SIMULATOR_CLIENT_SECRET": "given-one", "SIMULATOR_APP_SECRET": "given-two"}
    with started(env=secrets) as child:
        assert child.stdout is not None
        line = child.stdout.readline()
        child.send_signal(signal.SIGTERM)
        assert child.wait(10) == 0
    assert json.decode(line)["ready"] is True
    assert b"given-" not in line


def test_it_ends_when_the_process_that_started_it_ends() -> None:
    code = (
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-m', 'loadtests.simulator.gateway'], stdout=subprocess.PIPE)\n"
        "sys.stdout.write(child.stdout.readline().decode()); sys.stdout.flush()\n"
        "import os; os._exit(0)\n"
    )
    reply = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=True, timeout=40)
    pid = json.decode(reply.stdout)["pid"]
    deadline = time.monotonic() + 10
    while _alive(pid):
        assert time.monotonic() < deadline, "it outlived its parent"
        time.sleep(0.1)


def _alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as status:
            return status.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
