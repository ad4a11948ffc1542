"""The state of the connection to the gateway is the same from every process, and says what to do."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from kiosk.abdm import connection
from kiosk.abdm.callers import Refusals
from kiosk.abdm.client import Gateway
from kiosk.abdm.connection import Facts, address_checks, bridge_checks, checks, collect, merged, refused_words
from kiosk.abdm.errors import GatewaySilent
from kiosk.abdm.schemas import Bridge, BridgeService, BridgeServices
from queueing.models import Facility
from queueing.registry import Registry, UnknownFacility
from queueing.store.store import Store
from tests.kiosk.abdm.fake_gateway import FakeGateway, Heard, Reply, sample, until

pytestmark = pytest.mark.anyio

NOW = 1_789_553_568.0
URL = "https://hip.example.org"


@pytest.fixture
async def gateway(fake: FakeGateway) -> AsyncIterator[Gateway]:
    gateway = Gateway(fake.url, client_id="SBX_1", client_secret="s", cm_id="sbx")
    yield gateway
    await gateway.close()


def services_answer(fake: FakeGateway, status: int = 200, body: bytes = b"") -> None:
    async def answer(_: Heard) -> Reply:
        return status, body or sample("bridge-services-response")

    fake.manners["/bridge-services"] = answer


def test_facts_of_all_processes_are_merged() -> None:
    web = Facts(written_s=5, accepted_s=3, refusals={"iss": Refusals(2, 4.0)}, keys=2)
    other = Facts(written_s=9, accepted_s=1, refusals={"iss": Refusals(1, 8.0), "sig": Refusals(1, 2.0)})
    relay = Facts(written_s=7, delivered_s=6, session_failure="401 900901")
    whole = merged([web, other, relay])
    assert (whole.accepted_s, whole.delivered_s, whole.keys, whole.session_failure) == (3, 6, 2, "")
    assert whole.refusals == {"iss": Refusals(3, 8.0), "sig": Refusals(1, 2.0)}
    assert merged([relay]).session_failure == "401 900901"


def test_the_operator_is_shown_what_the_last_refused_token_said() -> None:
    web = Facts(written_s=5, refusals={"iss": Refusals(1, NOW - 90, "https://old.example/realm")})
    other = Facts(written_s=4, refusals={"iss": Refusals(2, NOW - 70, "https://new.example/realm")})
    whole = merged([web, other])
    assert whole.refusals == {"iss": Refusals(3, NOW - 70, "https://new.example/realm")}
    assert "refused (iss https://new.example/realm): " in refused_words(whole, NOW)
    found = {check.what: check.words for check in checks(whole, NOW)}
    assert found["refusals"] == "3 callers refused (iss https://new.example/realm), the last a minute ago"
    assert (found["callback"], found["reply"]) == ("none came yet", "the gateway has had none yet")


def test_a_session_refused_for_its_time_is_a_matter_of_the_clock() -> None:
    (token,) = [check for check in checks(Facts(session_failure="400 ABDM-1016"), NOW) if check.what == "token"]
    assert "clock" in token.todo
    (token,) = [check for check in checks(Facts(session_failure="401 900901"), NOW) if check.what == "token"]
    assert "KIOSK_GATEWAY_CLIENT_ID" in token.todo


def test_when_every_caller_was_refused_the_next_step_is_shown() -> None:
    refused = Facts(refusals={"iss": Refusals(7, NOW - 30)})
    sentence = refused_words(refused, NOW)
    assert sentence.startswith("every callback of the last 20 minutes was refused (iss): ")
    assert "KIOSK_GATEWAY_ISSUER" in sentence
    assert refused_words(Facts(accepted_s=NOW - 60, refusals=refused.refusals), NOW) == ""
    first = next(checks(refused, NOW))
    assert (first.what, first.verdict) == ("callbacks", "wrong")


async def test_each_process_writes_its_facts_and_any_process_reads_them_all(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "LOOK_EVERY_S", 0.01)
    own = Facts(accepted_s=NOW, refusals={"azp": Refusals(4, NOW)})
    writers = [
        asyncio.create_task(connection.publish(store, name, lambda: own)) for name in ("here-1", "here-2", "here-3")
    ]
    found: list[Facts] = []
    async with asyncio.timeout(10):
        while len(found) < 2:
            await asyncio.sleep(0.02)
            found = await collect(store, time.time(), without="here-3")
    for writer in writers:
        writer.cancel()
    await asyncio.gather(*writers, return_exceptions=True)
    assert merged(found).refusals == {"azp": Refusals(8, NOW)}
    assert await collect(store, time.time() + 90_000) == [], "of processes that ended long ago nothing is said"


async def test_facts_are_written_once_a_minute_and_at_once_after_a_quiet_minute(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "LOOK_EVERY_S", 0.01)
    own, writes = Facts(accepted_s=NOW), []

    async def counted(_: Store, __: str, packed: bytes) -> None:
        writes.append(msgspec.msgpack.decode(packed, type=Facts).accepted_s)

    monkeypatch.setattr(connection, "write_facts", counted)
    writer = asyncio.create_task(connection.publish(store, "here-1", lambda: own))
    await until(lambda: writes == [NOW])
    own.accepted_s += 1
    await asyncio.sleep(0.3)  # for what must not happen
    assert writes == [NOW], "a busy worker writes once a minute"
    own.accepted_s += 100
    await until(lambda: writes == [NOW, NOW + 101])
    writer.cancel()
    await asyncio.gather(writer, return_exceptions=True)


async def test_the_services_of_the_bridge_are_compared_with_our_facilities(
    gateway: Gateway, fake: FakeGateway, store: Store
) -> None:
    services_answer(fake)
    registry = Registry(store)
    await registry.put_facility(Facility(hip_id="IN0110000123", name="One"))
    await registry.put_facility(Facility(hip_id="IN0110000777", name="Without a service"))
    await registry.put_alias("IN0110000123_2", "IN0110000123")
    found = {check.words: check for check in await bridge_checks(gateway, registry, URL)}
    assert found[f"callbacks go to {URL}"].verdict == "ok"
    [silent] = [check for sentence, check in found.items() if sentence.startswith("facilities here")]
    assert silent.verdict == "wrong"
    assert silent.words.endswith(": IN0110000777")
    strangers = [sentence for sentence in found if sentence.startswith("services of the bridge without")]
    assert all("IN0110000123" not in sentence for sentence in strangers), "the alias is known"


@pytest.mark.parametrize(
    ("url", "verdict"),
    [
        (URL, "ok"),
        (URL + "/", "ok"),
        (URL + "/opd", "ok"),
        (URL + "/api/v3", "wrong"),
        (URL + "/opd/api/v3/", "wrong"),
        ("http://hip.example.org", "wrong"),
        ("https://elsewhere.example.org", "wrong"),
        ("", "wrong"),
    ],
)
def test_an_address_with_a_path_is_right_unless_the_path_is_the_gateways_own(url: str, verdict: str) -> None:
    assert [check.verdict for check in address_checks(BridgeServices(Bridge(url=url)), URL)] == [verdict]


def test_an_address_without_the_path_of_the_public_address_is_reported() -> None:
    here = f"{URL}/opd"
    verdicts = {
        url: [one.verdict for one in address_checks(BridgeServices(Bridge(url=url)), here)] for url in (here, URL)
    }
    assert verdicts == {here: ["ok"], URL: ["warning"]}


def test_a_bridge_that_is_switched_off_is_wrong() -> None:
    found = list(address_checks(BridgeServices(Bridge(url=URL, blocklisted=True)), URL))
    assert [check.verdict for check in found] == ["wrong", "ok"]


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"bridge":7}', b"\xff"])
async def test_a_list_of_services_that_cannot_be_read_is_silence(
    gateway: Gateway, fake: FakeGateway, store: Store, body: bytes
) -> None:
    services_answer(fake, body=body)
    with pytest.raises(GatewaySilent):
        await gateway.bridge_services()
    [found] = await bridge_checks(gateway, Registry(store), URL)
    assert (found.what, found.verdict) == ("bridge", "warning")


def test_of_many_ids_some_are_listed_and_the_rest_counted() -> None:
    services = [BridgeService(id=f"IN{number}", types=["HIP"]) for number in range(300)]
    [found] = connection.service_checks(BridgeServices(Bridge(), services), set(), {})
    assert found.words.endswith("and 295 more")


async def test_an_alias_leads_to_a_facility_that_exists_and_can_be_forgotten(store: Store) -> None:
    registry = Registry(store)
    await registry.put_facility(Facility(hip_id="IN1", name="One"))
    await registry.put_facility(Facility(hip_id="IN2", name="Two"))
    await registry.put_alias("IN1_1", "IN1")
    assert await registry.aliases() == {"IN1_1": "IN1"}
    for alias, hip in (("IN9_1", "IN9"), ("IN2", "IN1")):
        with pytest.raises(UnknownFacility):
            await registry.put_alias(alias, hip)
    await registry.put_alias("IN1_1", "")
    assert await registry.aliases() == {}


def test_facts_of_an_older_release_are_read() -> None:
    packed: Any = msgspec.msgpack.encode([NOW, NOW])
    assert msgspec.msgpack.decode(packed, type=Facts).accepted_s == NOW
